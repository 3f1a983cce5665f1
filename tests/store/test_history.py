"""What the store remembers of a job: right in any order of arrival, and after pruning."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.model import Attempt
from collector.core.snapshot import JobFacts
from collector.store.medians import nearest_rank
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_run
from tests.store.conftest import WORKSPACE, Stores, observe

DAY = 86400


def facts(stores: Stores, job_id: str = "7") -> JobFacts:
    """What a reader sees of the job."""
    (found,) = (job for job in stores.reader().snapshot().workspaces[0].jobs if job.job_id == job_id)
    return found


def end(second: float, result: str, seconds: float = 10) -> Attempt:
    """An attempt that ended then."""
    return make_attempt(started=at(second - seconds), ended=at(second), result=result)


def test_first_look(stores: Stores, writer: Writer) -> None:
    """A job whose first run is active has a start and a name, and no end."""
    observe(writer, make_run(name="orders", started=at(5)))

    assert JobFacts(job_id="7", job=None, name="orders", last_start=at(5)) == facts(stores)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 4, 0, 3, 1)])
def test_any_order(stores: Stores, writer: Writer, order: tuple[int, ...]) -> None:
    """In whatever order attempts arrive, the last end, the last success and the failures since are the same."""
    attempts = [
        end(10, "FAILED"),
        end(20, "SUCCESS"),
        end(30, "FAILED"),
        end(40, "CANCELED"),
        end(50, "TIMEDOUT", 7),
    ]

    for number in order:
        observe(writer, make_run(attempts[number], run_id=str(number), name=f"named {number}"))

    expected = JobFacts(
        job_id="7",
        job=None,
        name="named 4",
        last_start=at(43),
        last_end=at(50),
        last_result="TIMEDOUT",
        last_duration=timedelta(seconds=7),
        last_success=at(20),
        consecutive_failures=2,
    )
    assert expected == facts(stores)


def test_history_is_remembered(stores: Stores, writer: Writer) -> None:
    """What ended before the horizon is in no counter, but a job that failed then has failed."""
    observe(writer, make_run(end(-9000, "FAILED")), make_run(end(-8000, "FAILED"), run_id="2"))

    assert (2, at(-8000)) == (facts(stores).consecutive_failures, facts(stores).last_end)


def test_details_correct_the_duration(stores: Stores, writer: Writer) -> None:
    """The duration of the last attempt is its own once its details are known; an older one's changes nothing."""
    repaired = (
        end(60, "FAILED", 60),
        make_attempt(started=at(50), ended=at(100), result="SUCCESS"),
    )
    observe(writer, make_run(repaired[1], run_id="1", started=at(0)))
    assert timedelta(seconds=50) == facts(stores).last_duration

    exact = make_attempt(started=at(80), ended=at(100), duration=timedelta(seconds=20))
    observe(writer, make_run(repaired[0], exact, history=True, run_id="1", started=at(0)))
    observe(writer, make_run(end(90, "SUCCESS", 1), history=True, run_id="2"))

    assert timedelta(seconds=20) == facts(stores).last_duration


def test_one_time_runs_have_no_history(stores: Stores, writer: Writer) -> None:
    """A one-time run makes no job."""
    observe(writer, make_run(make_attempt(), run_type="SUBMIT_RUN", job_id="990"))

    assert () == stores.reader().snapshot().workspaces[0].jobs


def test_pruning_changes_no_history(stores: Stores, writer: Writer) -> None:
    """After pruning the job is remembered as it was, and later failures add to what was."""
    observe(
        writer,
        make_run(end(10, "SUCCESS")),
        *(make_run(end(20 + n, "FAILED"), run_id=f"2{n}") for n in range(3)),
    )
    before = facts(stores)

    writer.prune(WORKSPACE, before=at(1000), polls_before=at(1000))

    assert before == facts(stores)

    observe(writer, make_run(end(2000, "FAILED"), run_id="9"))

    assert 4 == facts(stores).consecutive_failures


def test_pruned_run_comes_back(stores: Stores, writer: Writer) -> None:
    """A failure that was pruned and is seen again is not a further one."""
    runs = [make_run(end(20 + n, "FAILED"), run_id=str(n)) for n in range(3)]
    observe(writer, *runs)
    before = facts(stores)
    writer.prune(WORKSPACE, before=at(1000), polls_before=at(1000))

    observe(writer, runs[0], runs[2])

    assert 3 == before.consecutive_failures
    assert before == facts(stores)


def test_history_after_the_first_poll(stores: Stores, writer: Writer) -> None:
    """Failures from before the horizon that arrive late are remembered by readers that looked already."""
    reader = stores.reader()
    observe(writer, make_run(end(10, "FAILED")))
    reader.snapshot()

    observe(writer, make_run(end(-8000, "FAILED"), run_id="2"), make_run(end(-9000, "FAILED"), run_id="3"))

    assert 3 == reader.snapshot().workspaces[0].jobs[0].consecutive_failures


def test_statistics(stores: Stores, writer: Writer) -> None:
    """Median and 90th percentile are over the successful attempts of 30 days, history before the horizon included."""
    lengths = (5, 1, 4, 2, 3, 9, 8, 7, 6, 10)
    observe(writer, *(make_run(end(1000 + n, "SUCCESS", s), run_id=f"1{n}") for n, s in enumerate(lengths)))
    observe(writer, make_run(end(2000, "FAILED", 500), run_id="2"))
    observe(writer, make_run(end(-31 * DAY, "SUCCESS", 500), run_id="3"))

    assert 1 == writer.refresh_statistics(WORKSPACE, now=at(3000))

    found = facts(stores)
    assert (timedelta(seconds=5), timedelta(seconds=9), 10) == (found.median, found.p90, found.observations)


def test_statistics_only_where_needed(stores: Stores, writer: Writer) -> None:
    """A job is looked at when an attempt came, and once a day because attempts leave; no change is no revision."""
    observe(writer, make_run(end(10, "SUCCESS")), make_run(end(10, "SUCCESS"), run_id="2", job_id="8"))
    assert 2 == writer.refresh_statistics(WORKSPACE, now=at(20))
    assert 0 == writer.refresh_statistics(WORKSPACE, now=at(30))

    observe(writer, make_run(end(40, "FAILED"), run_id="3"))
    before = stores.reader().revision()
    assert 1 == writer.refresh_statistics(WORKSPACE, now=at(50))
    assert before == stores.reader().revision()

    assert 2 == writer.refresh_statistics(WORKSPACE, now=at(31 * DAY))
    assert (None, 0) == (facts(stores).median, facts(stores).observations)


def test_many_jobs(stores: Stores, writer: Writer) -> None:
    """More jobs than one batch takes are all refreshed."""
    observe(writer, *(make_run(end(10, "SUCCESS"), run_id=str(n), job_id=str(n)) for n in range(1, 251)))

    assert 250 == writer.refresh_statistics(WORKSPACE, now=at(20))

    assert {1} == {job.observations for job in stores.reader().snapshot().workspaces[0].jobs}


@settings(deadline=None, max_examples=200)
@given(values=st.lists(st.integers(0, 1000), min_size=1), percent=st.integers(1, 100))
def test_nearest_rank(values: list[int], percent: int) -> None:
    """The nearest rank is one of the values, and the smallest that covers the share."""
    ordered = sorted(values)

    found = nearest_rank(ordered, percent)

    assert found is not None
    assert sum(value <= found for value in ordered) * 100 >= percent * len(ordered)
    assert sum(value < found for value in ordered) * 100 < percent * len(ordered)
