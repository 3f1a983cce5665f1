"""What a change adds to the counters."""

from datetime import timedelta

import pytest

from collector.core.count import Extent, bucket, increments
from collector.core.diff import change
from collector.core.model import Measure, Run, Target
from tests.make import at, make_attempt, make_run, make_task


def counted(
    run: Run, *, target: Target | None = None, extent: Extent | None = None
) -> dict[tuple[Measure, str, tuple[str, ...]], int]:
    """All increments of a run seen for the first time, with its history."""
    difference = change(None, run, at(-1))
    assert difference
    return {
        (item.measure, item.job_id, item.labels): item.amount
        for item in increments(difference, target, extent or Extent())
    }


RUN = make_run(
    make_attempt(
        started=at(0),
        ended=at(90),
        result="FAILED",
        tasks=(
            make_task(task_key="a", setup=timedelta(seconds=20), execution=timedelta(seconds=30)),
            make_task(task_key="a", execution=timedelta(seconds=5), cleanup=timedelta(seconds=1)),
            make_task(task_key="b", result="MELTED"),
        ),
    ),
    history=True,
    queue=timedelta(seconds=7),
)


def test_a_finished_attempt_is_counted_by_result_reason_duration_and_phase() -> None:
    """The counters of one failed attempt with one retry, in milliseconds and pieces."""
    assert {
        (Measure.RUNS_STARTED, "", ("PERIODIC", "JOB_RUN")): 1,
        (Measure.RUNS_FINISHED, "7", ("FAILED",)): 1,
        (Measure.TERMINATIONS, "", ("RUN_EXECUTION_ERROR", "CLIENT_ERROR")): 1,
        (Measure.DURATION_SUM, "7", ()): 90_000,
        (Measure.DURATION_COUNT, "7", ()): 1,
        (Measure.DURATION_BUCKET, "", ("FAILED", "120")): 1,
        (Measure.DURATION_BUCKET_SUM, "", ("FAILED",)): 90_000,
        (Measure.PHASE_TIME, "7", ("queue",)): 7_000,
        (Measure.PHASE_TIME, "7", ("setup",)): 20_000,
        (Measure.PHASE_TIME, "7", ("execution",)): 35_000,
        (Measure.PHASE_TIME, "7", ("cleanup",)): 1_000,
        (Measure.TASK_RETRIES, "7", ()): 1,
    } == counted(RUN)


def test_one_time_runs_share_the_empty_job() -> None:
    """Their job ids have no end, so they never become a label."""
    counts = counted(make_run(make_attempt(), history=True, run_type="SUBMIT_RUN", job_id="123456"))

    assert {""} == {job_id for _, job_id, _ in counts}


def test_words_of_the_future_are_other_in_a_label() -> None:
    """An open list never opens a label."""
    run = make_run(make_attempt(result="MELTED", termination_code="SOLAR_FLARE"), history=True)

    counts = counted(run)

    assert 1 == counts[Measure.RUNS_FINISHED, "7", ("OTHER",)]
    assert 1 == counts[Measure.TERMINATIONS, "", ("OTHER", "CLIENT_ERROR")]
    assert 1 == counts[Measure.UNKNOWN_VALUES, "", ("result",)]
    assert 1 == counts[Measure.UNKNOWN_VALUES, "", ("termination_code",)]


def test_a_breach_is_an_attempt_longer_than_its_target() -> None:
    """Exactly the target is still kept."""
    kept = counted(RUN, target=Target(sla=timedelta(seconds=90), source="tag"))
    broken = counted(RUN, target=Target(sla=timedelta(seconds=89), source="tag"))

    assert (Measure.SLA_BREACHES, "7", ()) not in kept
    assert 1 == broken[Measure.SLA_BREACHES, "7", ()]


def test_task_runs_and_histograms_of_jobs_are_counted_on_request_only() -> None:
    """What multiplies series is an opt-in."""
    extent = Extent(task_runs=True, job_histograms=True)

    more = counted(RUN, extent=extent).keys() - counted(RUN).keys()

    assert {
        (Measure.JOB_DURATION_BUCKET, "7", ("120",)),
        (Measure.TASK_RUNS_FINISHED, "7", ("a", "SUCCESS")),
        (Measure.TASK_RUNS_FINISHED, "7", ("b", "OTHER")),
    } == more


@pytest.mark.parametrize(("seconds", "le"), [(0, "30"), (30, "30"), (30.001, "60"), (86_400.001, "+Inf")])
def test_buckets_include_their_upper_bound(seconds: float, le: str) -> None:
    """As Prometheus defines `le`."""
    assert le == bucket(timedelta(seconds=seconds))
