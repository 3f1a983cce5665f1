"""Turns a change into increments of counters. Integers only: sums must not depend on the order of polls."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from collector.core.model import (
    DURATION_BUCKETS,
    MILLISECOND,
    ZERO,
    Change,
    Detailed,
    Finished,
    Increment,
    Measure,
    Measured,
    Run,
    Target,
)
from collector.core.vocabulary import JOB_RUN, Field, label

PHASES = ("queue", "setup", "execution", "cleanup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What is counted beyond the default, because it multiplies series."""

    task_runs: bool = False
    job_histograms: bool = False


def increments(change: Change, target: Target | None, extent: Extent) -> tuple[Increment, ...]:
    """Everything that one change adds to the counters; attempts that ended before the horizon add nothing."""
    return tuple(_increments(change, target, extent))


def job_of(run: Run) -> str:
    """The job whose counters a run belongs to; one-time runs share the empty one, for their ids have no end."""
    return run.job_id if run.run_type == JOB_RUN else ""


def bucket(duration: timedelta) -> str:
    """The upper bound, in seconds, of the histogram bucket that a duration falls into."""
    seconds = duration / timedelta(seconds=1)
    return next((str(bound) for bound in DURATION_BUCKETS if seconds <= bound), "+Inf")


def _increments(change: Change, target: Target | None, extent: Extent) -> Iterator[Increment]:
    run = change.run
    if change.started:
        labels = (label(Field.TRIGGER, run.trigger), label(Field.RUN_TYPE, run.run_type))
        yield Increment(measure=Measure.RUNS_STARTED, labels=labels, amount=1)
    for field in change.unknown:
        yield Increment(measure=Measure.UNKNOWN_VALUES, labels=(field,), amount=1)
    for finished in change.finished:
        if finished.counted:
            yield from _finished(run, finished)
    for measured in change.measured:
        if measured.counted:
            yield from _measured(run, measured, target, extent)
    yield from _again(change)
    for detailed in change.detailed:
        if detailed.counted:
            yield from _detailed(run, detailed, extent)


def _finished(run: Run, finished: Finished) -> Iterator[Increment]:
    attempt = finished.attempt
    yield Increment(
        measure=Measure.RUNS_FINISHED,
        job_id=job_of(run),
        labels=(label(Field.RESULT, attempt.result),),
        amount=1,
        run_id=run.run_id,
        value_ms=attempt.duration // MILLISECOND,
        at=attempt.ended,
    )
    reason = (
        label(Field.TERMINATION_CODE, attempt.termination_code),
        label(Field.TERMINATION_TYPE, attempt.termination_type),
    )
    yield Increment(measure=Measure.TERMINATIONS, labels=reason, amount=1)
    if finished.by_tables:
        yield Increment(measure=Measure.RUNS_RECOVERED, amount=1)


def _measured(run: Run, measured: Measured, target: Target | None, extent: Extent) -> Iterator[Increment]:
    attempt, job_id = measured.attempt, job_of(run)
    duration_ms = attempt.duration // MILLISECOND
    result, le = label(Field.RESULT, attempt.result), bucket(attempt.duration)

    def of_job(measure: Measure, amount: int, *labels: str) -> Increment:
        return Increment(measure=measure, job_id=job_id, labels=labels, amount=amount)

    yield of_job(Measure.DURATION_SUM, duration_ms)
    yield of_job(Measure.DURATION_COUNT, 1)
    yield Increment(
        measure=Measure.DURATION_BUCKET,
        labels=(result, le),
        amount=1,
        run_id=run.run_id,
        value_ms=duration_ms,
        at=attempt.ended,
    )
    yield Increment(measure=Measure.DURATION_BUCKET_SUM, labels=(result,), amount=duration_ms)
    if target and attempt.duration > target.sla:
        yield of_job(Measure.SLA_BREACHES, 1)
    if extent.job_histograms and job_id:
        yield of_job(Measure.JOB_DURATION_BUCKET, 1, le)


def _again(change: Change) -> Iterator[Increment]:
    """What was done once more: repairs of the run, retries of its tasks."""
    retries = sum(retried.more for retried in change.retried if retried.counted)
    for measure, amount in ((Measure.REPAIRS, change.repairs), (Measure.TASK_RETRIES, retries)):
        if amount:
            yield Increment(measure=measure, job_id=job_of(change.run), amount=amount)


def _detailed(run: Run, detailed: Detailed, extent: Extent) -> Iterator[Increment]:
    job_id = job_of(run)
    for phase, amount in zip(PHASES, _phases(detailed), strict=True):
        yield Increment(measure=Measure.PHASE_TIME, job_id=job_id, labels=(phase,), amount=amount)
    if extent.task_runs and job_id:
        for task in detailed.attempt.tasks:
            labels = (task.task_key, label(Field.RESULT, task.result))
            yield Increment(measure=Measure.TASK_RUNS_FINISHED, job_id=job_id, labels=labels, amount=1)


def _phases(detailed: Detailed) -> tuple[int, int, int, int]:
    """Milliseconds per phase: queueing of the run, the others summed over the attempt's task runs."""
    tasks = detailed.attempt.tasks
    spans = (
        detailed.queue,
        sum((task.setup for task in tasks), ZERO),
        sum((task.execution for task in tasks), ZERO),
        sum((task.cleanup for task in tasks), ZERO),
    )
    queue, setup, execution, cleanup = (span // MILLISECOND for span in spans)
    return queue, setup, execution, cleanup
