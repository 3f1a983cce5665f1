"""What a pass over the system tables reads."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.core.tables import HOUR, MOST_SPANS, HourRead, attributed, spans, unread
from tests.make import NOON, at, make_attempt, make_run, make_task

HOURS = st.dictionaries(
    st.integers(0, 200).map(lambda number: NOON + number * HOUR), st.integers(1, 50), max_size=60
)


def test_an_hour_is_read_again_when_it_holds_more() -> None:
    """A row that came late shows in the number of its hour; hours as they were are not asked for."""
    hours = {NOON: 3, NOON + HOUR: 5, NOON + 2 * HOUR: 1}
    read = {NOON: read_when(3, 1.5 * HOUR), NOON + HOUR: read_when(4, 1.5 * HOUR)}

    assert {NOON + HOUR: 5, NOON + 2 * HOUR: 1} == unread(hours, read, (), NOON + 9 * HOUR)


def test_an_hour_that_waits_for_task_runs_is_read_again_when_twice_as_old() -> None:
    """After two, four, eight hours …, as long as the Jobs API has not shown what the tables brought."""
    hours, read = {NOON: 3}, {NOON: read_when(3, 2 * HOUR)}

    assert {} == unread(hours, read, {NOON}, NOON + 4 * HOUR - timedelta(seconds=1))
    assert hours == unread(hours, read, {NOON}, NOON + 4 * HOUR)
    assert {} == unread(hours, read, (), NOON + 40 * HOUR)


def read_when(attempts: int, after: timedelta) -> HourRead:
    """So many attempts, so long after noon."""
    return HourRead(attempts=attempts, at=NOON + after)


@given(HOURS, st.integers(1, 100))
def test_spans_cover_every_hour_once(hours: dict, most: int) -> None:
    """Whatever is cut and joined: each hour lies in exactly one span, and spans do not overlap."""
    found = spans(hours, most)

    assert all(sum(since <= hour < until for since, until in found) == 1 for hour in hours)
    assert all(first[1] <= second[0] for first, second in pairwise(found))


def test_scattered_hours_are_read_in_one_go() -> None:
    """Many late rows cost rows, not statements."""
    hours = {NOON + 2 * number * HOUR: 1 for number in range(MOST_SPANS + 1)}

    assert ((NOON, NOON + (2 * MOST_SPANS + 1) * HOUR),) == spans(hours, 1000)


def test_a_large_history_is_read_in_portions() -> None:
    """No statement gives much more than so many attempts."""
    hours = {NOON + number * HOUR: 10 for number in range(6)}

    assert ((NOON, NOON + 3 * HOUR), (NOON + 3 * HOUR, NOON + 6 * HOUR)) == spans(hours, 30)


def test_task_runs_go_to_the_attempt_in_which_they_ended() -> None:
    """A retry belongs to the first attempt, what the repair ran again to the repair."""
    run = make_run(
        make_attempt(ended=at(60), result="FAILED"),
        make_attempt(started=at(300), ended=at(360)),
        history=True,
    )
    first, again, repaired = (make_task(run_id=run_id) for run_id in ("1", "2", "3"))

    found = attributed(run, [(at(360), repaired), (at(20), first), (at(60), again)])

    assert found.history
    assert [("1", "2"), ("3",)] == [tuple(task.run_id for task in attempt.tasks) for attempt in found.history]
    assert found.latest == found.history[-1]


def test_a_task_run_of_an_attempt_that_is_missing_belongs_to_none() -> None:
    """The rows of what was repaired may come after those of its repair: its task runs are no retries of the repair."""
    run = make_run(make_attempt(started=at(300), ended=at(360)), history=True)

    found = attributed(run, [(at(60), make_task(run_id="1")), (at(360), make_task(run_id="2"))])

    assert found.history
    assert ["2"] == [task.run_id for task in found.history[0].tasks]
    assert 0 == found.history[0].retries


def test_a_task_run_after_the_last_attempt_belongs_to_none() -> None:
    """A repair that is under way has no attempt yet."""
    run = make_run(make_attempt(ended=at(60)), history=True)

    found = attributed(run, [(at(60) + timedelta(seconds=30), make_task())])

    assert found.history
    assert () == found.history[0].tasks
