"""All jobs in a list: how each went last, what it usually takes, and when it is due next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.core.snapshot import Amount, JobFacts
from exporter.status.cost import LONG, NOTHING
from exporter.status.question import Question
from exporter.status.running import team_of
from exporter.view import JobView, WorkspaceView


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job."""

    workspace: str
    job_id: str
    name: str
    team: str
    marks: tuple[str, ...]
    """`paused`, `deleted`, `continuous`."""
    active: int | None
    """Runs under way; None when that is not known."""
    last_result: str
    last_end: datetime | None
    failures: int
    median: timedelta | None
    sla: timedelta | None
    next_due: datetime | None
    long: Amount | None
    """Of 30 days; None when it is not known."""


def marks(facts: JobFacts) -> tuple[str, ...]:
    """What is special about the job."""
    definition = facts.job
    found = {
        "deleted": facts.deleted is not None,
        "paused": definition is not None and definition.paused,
        "continuous": definition is not None and definition.continuous,
    }
    return tuple(word for word, true in found.items() if true)


def jobs(workspace: WorkspaceView, asked: Question) -> Iterator[JobView]:
    """The workspace's jobs that were asked for."""
    name = workspace.snapshot.name
    return (
        job
        for job in workspace.jobs
        if asked.fits(name, team_of(job.facts), job.facts.name, job.facts.job_id)
    )


def by_name(found: list[JobView]) -> list[JobView]:
    """In the order of their names, then of their workspaces and ids."""
    return sorted(found, key=lambda job: (job.facts.name.casefold(), job.labels[0], job.facts.job_id))


def row(job: JobView) -> JobRow:
    """The job's row."""
    facts = job.facts
    target = facts.agreement.target
    return JobRow(
        workspace=job.labels[0],
        job_id=facts.job_id,
        name=facts.name,
        team=team_of(facts),
        marks=marks(facts),
        active=len(job.active) if job.live else None,
        last_result=facts.last_result,
        last_end=facts.last_end,
        failures=facts.consecutive_failures,
        median=facts.median,
        sla=target.sla if target else None,
        next_due=job.due.next,
        long=job.bill.amounts.get(LONG, NOTHING) if job.bill else None,
    )
