"""Jobs that fail now: how often, since when, and with what message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collector.core.failing import Ending, Failing
from exporter.status import links
from exporter.status.charts import Spark, spark
from exporter.status.question import Question
from exporter.status.running import team_of
from exporter.view import JobView, WorkspaceView

FORGOTTEN = timedelta(days=7)
"""A job without a schedule is not called failing so long after its last attempt; as the alerting rules have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingJob:
    """One job that has not succeeded since it failed."""

    workspace: str
    job_id: str
    name: str
    team: str
    failures: int
    """Since its last success."""
    last_end: datetime | None
    last_success: datetime | None
    running_again: bool
    result: str = ""
    since: datetime | None = None
    """End of the first of these failures; None when it is no longer held."""
    run_id: str = ""
    """Of the last failure, and the rest belongs to it."""
    url: str = ""
    termination_code: str = ""
    message: str = ""
    endings: Spark | None = None
    """The latest attempts."""


def fails(job: JobView, now: datetime) -> bool:
    """True when the job failed, has not succeeded since, and somebody still expects it to."""
    facts = job.facts
    if not facts.consecutive_failures or facts.deleted or (facts.job and facts.job.paused):
        return False
    recent = facts.last_end is not None and now - facts.last_end <= FORGOTTEN
    return recent or job.due.next is not None


def failing(workspace: WorkspaceView, asked: Question, now: datetime) -> list[FailingJob]:
    """The workspace's failing jobs that were asked for, without what only the runs themselves tell."""
    name = workspace.snapshot.name
    return [
        FailingJob(
            workspace=name,
            job_id=job.facts.job_id,
            name=job.facts.name,
            team=team_of(job.facts),
            failures=job.facts.consecutive_failures,
            last_end=job.facts.last_end,
            last_success=job.facts.last_success,
            running_again=bool(job.active),
            result=job.facts.last_result,
        )
        for job in workspace.jobs
        if fails(job, now) and asked.fits(name, team_of(job.facts), job.facts.name, job.facts.job_id)
    ]


def by_news(jobs: list[FailingJob]) -> list[FailingJob]:
    """The latest failure first."""
    return sorted(jobs, key=lambda job: (job.last_end.timestamp() if job.last_end else 0.0, job.job_id))[::-1]


def explained(
    job: FailingJob,
    workspace: WorkspaceView,
    told: Mapping[str, Failing],
    endings: Mapping[str, Sequence[Ending]],
) -> FailingJob:
    """The job with what its last failed run says, as far as that is held."""
    last = told.get(job.job_id)
    picture = spark(endings.get(job.job_id, ()))
    if last is None:
        return replace(job, endings=picture)
    return replace(
        job,
        endings=picture,
        result=last.result,
        since=last.since,
        last_end=last.ended,
        run_id=last.run_id,
        url=links.run_in_databricks(workspace.snapshot, job.job_id, last.run_id, last.url),
        termination_code=last.termination_code,
        message=last.message,
    )
