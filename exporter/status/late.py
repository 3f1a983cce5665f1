"""Jobs whose schedule asked for a run that did not start."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exporter.status.question import Question
from exporter.status.running import team_of
from exporter.view import JobView, WorkspaceView

GRACE = timedelta(minutes=10)
"""How late a run may start."""
EARLY = timedelta(minutes=61)
"""How early: on the day on which clocks are set back, a due time happens twice."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateJob:
    """One job that did not start."""

    workspace: str
    job_id: str
    name: str
    team: str
    due: datetime
    last_start: datetime | None
    next_due: datetime | None
    schedule: str
    """Its Quartz expression and time zone."""


def missed(job: JobView, since: datetime, now: datetime) -> datetime | None:
    """The due time that passed without a start; none before `since`, for nobody looked then."""
    due, upcoming = job.due
    if due is None or due < since or now - due <= GRACE or job.active:
        return None
    early = min((upcoming - due) / 2, EARLY) if upcoming else EARLY
    return None if (job.facts.last_start or LONG_AGO) >= due - early else due


def late(workspace: WorkspaceView, asked: Question, now: datetime) -> Iterator[LateJob]:
    """The workspace's late jobs that were asked for; none while it is not known what runs."""
    if not workspace.live:
        return
    name = workspace.snapshot.name
    for job in workspace.jobs:
        due = missed(job, workspace.snapshot.horizon, now)
        team = team_of(job.facts)
        if due and job.facts.job and asked.fits(name, team, job.facts.name, job.facts.job_id):
            definition = job.facts.job
            yield LateJob(
                workspace=name,
                job_id=job.facts.job_id,
                name=job.facts.name,
                team=team,
                due=due,
                last_start=job.facts.last_start,
                next_due=job.due.next,
                schedule=f"{definition.quartz_cron_expression} {definition.timezone_id}".strip(),
            )
