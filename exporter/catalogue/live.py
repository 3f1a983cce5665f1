"""What runs now. These families vanish when the last successful live poll is too long ago, for a false zero is
worse than none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from collector.core.model import Measure
from collector.core.snapshot import ActiveRun
from collector.core.vocabulary import ACTIVE_STATES, JOB_RUN, QUEUE_REASONS, RUN_TYPES, TRIGGERS, Field, label
from exporter.catalogue.family import (
    JOB,
    WORKSPACE,
    Family,
    Kind,
    Sample,
    Source,
    Subject,
    each_workspace,
    job_gauge,
    totals,
)
from exporter.view import JobView, WorkspaceView

QUEUED = "QUEUED"
STARTS = (
    *((trigger, JOB_RUN) for trigger in sorted(TRIGGERS)),
    *(("ONE_TIME", run_type) for run_type in sorted(RUN_TYPES - {JOB_RUN})),
)
"""The pairs of trigger and run type that stand at 0 before anything started."""


def _active_runs(workspace: WorkspaceView) -> Iterator[Sample]:
    if not workspace.live:
        return
    seen = Counter(
        (label(Field.STATE, run.state), label(Field.RUN_TYPE, run.run_type))
        for run in workspace.snapshot.active_runs
    )
    zeros = ((state, run_type) for state in ACTIVE_STATES for run_type in sorted(RUN_TYPES))
    for labels, number in {**dict.fromkeys(zeros, 0), **seen}.items():
        yield Sample((workspace.snapshot.name, *labels), number)


def _queued_runs(workspace: WorkspaceView) -> Iterator[Sample]:
    if not workspace.live:
        return
    seen = Counter(
        label(Field.QUEUE_REASON, run.queue_reason) for run in _queued(workspace.snapshot.active_runs)
    )
    for reason, number in {**dict.fromkeys(sorted(QUEUE_REASONS), 0), **seen}.items():
        yield Sample((workspace.snapshot.name, reason), number)


def _started(workspace: WorkspaceView) -> Iterator[Sample]:
    return totals((workspace.snapshot.name,), STARTS, workspace.counters(Measure.RUNS_STARTED), _start_labels)


def _start_labels(stored: tuple[str, ...]) -> tuple[str, ...]:
    trigger, run_type = stored
    return (label(Field.TRIGGER, trigger), label(Field.RUN_TYPE, run_type))


def _queued(runs: Iterable[ActiveRun]) -> tuple[ActiveRun, ...]:
    return tuple(run for run in runs if run.state == QUEUED)


def _oldest(job: JobView, runs: Iterable[ActiveRun]) -> datetime | None:
    return min((run.started for run in runs), default=None) if job.live else None


LIVE = Subject(
    title="Active and queued runs",
    about=(
        "The state of now.\n"
        "All but the counter are absent for a workspace whose last successful live poll is longer ago than "
        "`polling.stale_after`.\n"
        "The per-job gauges are 0 for a known job that does not run."
    ),
    families=(
        Family(
            name="databricks_active_runs",
            kind=Kind.GAUGE,
            meaning="Runs that have not ended, by state and run type; absent when stale.",
            labels=(*WORKSPACE, "state", "run_type"),
            source=Source.LIVE,
            samples=each_workspace(_active_runs),
        ),
        Family(
            name="databricks_queued_runs",
            kind=Kind.GAUGE,
            meaning="Runs that wait in the queue, by the limit that holds them back; absent when stale.",
            labels=(*WORKSPACE, "reason"),
            source=Source.LIVE,
            samples=each_workspace(_queued_runs),
        ),
        Family(
            name="databricks_job_active_runs",
            kind=Kind.GAUGE,
            meaning="Runs of the job that have not ended, queued ones included; absent when stale.",
            labels=JOB,
            source=Source.LIVE,
            samples=job_gauge(lambda job: len(job.active) if job.live else None),
        ),
        Family(
            name="databricks_job_queued_runs",
            kind=Kind.GAUGE,
            meaning="Runs of the job that wait in the queue; absent when stale.",
            labels=JOB,
            source=Source.LIVE,
            samples=job_gauge(lambda job: len(_queued(job.active)) if job.live else None),
        ),
        Family(
            name="databricks_job_oldest_active_run_start_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning=(
                "When the job's oldest run that has not ended was accepted, before queueing and cluster start, "
                "in seconds since 1970; absent without one and when stale."
            ),
            labels=JOB,
            source=Source.LIVE,
            samples=job_gauge(lambda job: _oldest(job, job.active)),
        ),
        Family(
            name="databricks_job_oldest_queued_run_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning=(
                "When the job's oldest queued run was accepted, in seconds since 1970; "
                "absent without one and when stale."
            ),
            labels=JOB,
            source=Source.LIVE,
            samples=job_gauge(lambda job: _oldest(job, _queued(job.active))),
        ),
        Family(
            name="databricks_runs_started_total",
            kind=Kind.COUNTER,
            meaning="Runs that started since the first successful look at the workspace; a repair is not a start.",
            labels=(*WORKSPACE, "trigger", "run_type"),
            source=Source.LIVE,
            samples=each_workspace(_started),
        ),
    ),
)
