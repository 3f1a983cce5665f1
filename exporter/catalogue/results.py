"""What finished attempts add up to. Counters survive restarts, for the store holds them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from collector.core.count import PHASES
from collector.core.model import DURATION_BUCKETS, Measure
from collector.core.snapshot import CounterValue
from collector.core.vocabulary import RESULTS_FROM_BIRTH, Field, label
from exporter.catalogue.family import (
    JOB,
    WORKSPACE,
    Bucket,
    Distribution,
    Family,
    Kind,
    Sample,
    Source,
    Stability,
    Subject,
    Total,
    each_counted_job,
    each_job,
    each_workspace,
    example,
    totals,
)
from exporter.options import Option
from exporter.view import JobView, WorkspaceView

BOUNDS = (*(str(bound) for bound in DURATION_BUCKETS), "+Inf")
SHOWN_BOUNDS = tuple(bound if bound == "+Inf" else str(float(bound)) for bound in BOUNDS)
"""As every version of Prometheus stores them: 30.0, not 30."""
FROM_BIRTH = tuple((result,) for result in RESULTS_FROM_BIRTH)
MILLISECONDS = 1000
"""Per second: counters of time are kept in milliseconds."""


def _result(stored: tuple[str, ...]) -> tuple[str, ...]:
    return (*stored[:-1], label(Field.RESULT, stored[-1]))


def _finished(job: JobView) -> Iterator[Sample]:
    values = job.counters.get(Measure.RUNS_FINISHED, ())
    return totals(job.labels, FROM_BIRTH, values, _result, exemplars=job.options.exemplars)


def _terminations(workspace: WorkspaceView) -> Iterator[Sample]:
    return totals((workspace.snapshot.name,), (), workspace.counters(Measure.TERMINATIONS), _termination)


def _termination(stored: tuple[str, ...]) -> tuple[str, ...]:
    code, kind = stored
    return (label(Field.TERMINATION_CODE, code), label(Field.TERMINATION_TYPE, kind))


def _durations(job: JobView) -> Iterator[Sample]:
    count = _sum(job.counters.get(Measure.DURATION_COUNT, ()))
    spent = _sum(job.counters.get(Measure.DURATION_SUM, ()))
    yield Sample(job.labels, Total(count, spent / MILLISECONDS))


def _phases(job: JobView) -> Iterator[Sample]:
    zeros = ((phase,) for phase in PHASES)
    return totals(job.labels, zeros, job.counters.get(Measure.PHASE_TIME, ()), scale=MILLISECONDS)


def _repairs(job: JobView) -> Iterator[Sample]:
    return totals(job.labels, [()], job.counters.get(Measure.REPAIRS, ()))


def _task_retries(job: JobView) -> Iterator[Sample]:
    return totals(job.labels, [()], job.counters.get(Measure.TASK_RETRIES, ()))


def _breaches(job: JobView) -> Iterator[Sample]:
    zeros = [()] if job.facts.agreement.target else []
    return totals(job.labels, zeros, job.counters.get(Measure.SLA_BREACHES, ()))


def _task_runs(job: JobView) -> Iterator[Sample]:
    values = job.counters.get(Measure.TASK_RUNS_FINISHED, ())
    keys = dict.fromkeys(value.labels[0] for value in values)
    zeros = ((key, result) for key in keys for result in RESULTS_FROM_BIRTH)
    return totals(job.labels, zeros, values, _result)


def _job_distribution(job: JobView) -> Iterator[Sample]:
    values = {value.labels[0]: [value] for value in job.counters.get(Measure.JOB_DURATION_BUCKET, ())}
    yield Sample(job.labels, Distribution(_buckets(values, exemplars=False), None))


def _distribution(workspace: WorkspaceView) -> Iterator[Sample]:
    spent: dict[str, int] = dict.fromkeys(RESULTS_FROM_BIRTH, 0)
    for value in workspace.counters(Measure.DURATION_BUCKET_SUM):
        (result,) = _result(value.labels)
        spent[result] = spent.get(result, 0) + value.value
    values: dict[str, dict[str, list[CounterValue]]] = {result: {} for result in spent}
    for value in workspace.counters(Measure.DURATION_BUCKET):
        stored, bound = value.labels
        values.setdefault(label(Field.RESULT, stored), {}).setdefault(bound, []).append(value)
    for result, by_bound in values.items():
        buckets = _buckets(by_bound, exemplars=workspace.options.exemplars)
        total = spent.get(result, 0) / MILLISECONDS
        yield Sample((workspace.snapshot.name, result), Distribution(buckets, total))


def _buckets(values: Mapping[str, Iterable[CounterValue]], *, exemplars: bool) -> tuple[Bucket, ...]:
    """Cumulative buckets from counters by upper bound; the store keeps each bucket for itself."""
    own = [tuple(values.get(bound, ())) for bound in BOUNDS]
    shown = [next((example(value) for value in bucket if exemplars and value.run_id), None) for bucket in own]
    counts = accumulate(_sum(bucket) for bucket in own)
    return tuple(Bucket(*bucket) for bucket in zip(SHOWN_BOUNDS, counts, shown, strict=True))


def _sum(values: Iterable[CounterValue]) -> int:
    return sum(value.value for value in values)


RESULTS = Subject(
    title="Finished runs",
    about=(
        "The unit is the attempt: a run's original pass or one of its repairs.\n"
        "Each is counted exactly once, also over restarts of the exporter.\n"
        "One-time runs are counted together under an empty `job_id` and `job_name`.\n"
        "Results: success is `SUCCESS` and `SUCCESS_WITH_FAILURES`, failure is `FAILED`, `TIMEDOUT` and "
        "`INTERNAL_ERROR`, and everything else is neither."
    ),
    families=(
        Family(
            name="databricks_job_runs_finished_total",
            kind=Kind.COUNTER,
            meaning="Attempts that ended, by result; a repair is an attempt of its own.",
            labels=(*JOB, "result"),
            source=Source.LIVE,
            samples=each_counted_job(_finished),
        ),
        Family(
            name="databricks_run_terminations_total",
            kind=Kind.COUNTER,
            meaning="Attempts that ended, by the termination code and type that Databricks gives.",
            labels=(*WORKSPACE, "termination_code", "termination_type"),
            source=Source.LIVE,
            samples=each_workspace(_terminations),
        ),
        Family(
            name="databricks_job_run_duration_seconds",
            kind=Kind.SUMMARY,
            meaning="Time that finished attempts took, without the time between attempts; details follow the result.",
            labels=JOB,
            source=Source.LIVE,
            samples=each_counted_job(_durations),
        ),
        Family(
            name="databricks_run_duration_seconds",
            kind=Kind.HISTOGRAM,
            meaning="Time that finished attempts took, of all jobs together, by result.",
            labels=(*WORKSPACE, "result"),
            source=Source.LIVE,
            samples=each_workspace(_distribution),
        ),
        Family(
            name="databricks_job_run_duration_distribution_seconds",
            kind=Kind.HISTOGRAM,
            meaning=(
                "Time that finished attempts took, per job, since the option was switched on; "
                "the sum is in databricks_job_run_duration_seconds_sum."
            ),
            labels=JOB,
            source=Source.LIVE,
            samples=each_job(_job_distribution),
            option=Option.JOB_HISTOGRAMS,
            stability=Stability.EXPERIMENTAL,
        ),
        Family(
            name="databricks_job_run_phase_seconds_total",
            kind=Kind.COUNTER,
            meaning=(
                "Time that finished attempts spent per phase: queue of the run; "
                "setup, execution and cleanup summed over their task runs."
            ),
            labels=(*JOB, "phase"),
            source=Source.LIVE,
            samples=each_counted_job(_phases),
        ),
        Family(
            name="databricks_job_run_repairs_total",
            kind=Kind.COUNTER,
            meaning="Finished attempts that were repairs.",
            labels=JOB,
            source=Source.LIVE,
            samples=each_counted_job(_repairs),
        ),
        Family(
            name="databricks_job_task_retries_total",
            kind=Kind.COUNTER,
            meaning="Task runs beyond the first of their task within one attempt.",
            labels=JOB,
            source=Source.LIVE,
            samples=each_counted_job(_task_retries),
        ),
        Family(
            name="databricks_job_sla_breaches_total",
            kind=Kind.COUNTER,
            meaning="Finished attempts that took longer than the job's SLA at that time; only for jobs with an SLA.",
            labels=JOB,
            source=Source.LIVE,
            samples=each_job(_breaches),
        ),
        Family(
            name="databricks_task_runs_finished_total",
            kind=Kind.COUNTER,
            meaning="Task runs of finished attempts, by task and result.",
            labels=(*JOB, "task_key", "result"),
            source=Source.LIVE,
            samples=each_job(_task_runs),
            option=Option.TASK_RUNS,
            stability=Stability.EXPERIMENTAL,
        ),
    ),
)
