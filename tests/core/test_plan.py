"""What a poll decides to ask."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.core import plan
from collector.core.model import KnownRun
from collector.core.plan import Window
from tests.make import at, make_attempt, make_run


def open_run(second: float, run_id: str = "1") -> KnownRun:
    """A run that the store holds open."""
    return KnownRun(
        run_id=run_id, job_id="7", run_type="JOB_RUN", started=at(second), state="RUNNING", open=True
    )


def test_few_active_runs_are_read_in_one_window_without_bounds() -> None:
    """A small workspace is asked once."""
    assert (Window(None, None),) == plan.active_windows([open_run(second) for second in range(99)])


@given(st.lists(st.integers(0, 10_000), max_size=2_000))
def test_windows_cover_every_start_time_exactly_once(seconds: list[int]) -> None:
    """Whatever starts when: some window shows it, and only one."""
    windows = plan.active_windows([open_run(second) for second in seconds])

    for moment in (*map(at, seconds[:50]), at(-(10**6)), at(10**6)):
        inside = [
            window
            for window in windows
            if (window.since is None or window.since <= moment)
            and (window.until is None or moment <= window.until)
        ]
        assert 1 == len(inside)


def test_windows_share_the_runs_evenly() -> None:
    """2,000 runs are read by many readers, none of which has much more to do than the others."""
    windows = plan.active_windows([open_run(second) for second in range(2_000)])

    assert plan.MOST_WINDOWS == len(windows)
    assert timedelta(seconds=2_000 / 16 + 1) >= max(
        window.until - window.since for window in windows[1:-1] if window.until and window.since
    )


@given(
    st.one_of(st.none(), st.integers(-(10**7), 0)),
    st.integers(1, 10**6),
    st.integers(1, 10**9),
    st.integers(-(10**7), 1000),
)
def test_the_rest_of_a_window_is_covered_exactly_once(
    since: int | None, oldest: int, length_ms: int, moment: int
) -> None:
    """What started before the oldest run that was read lies in one window, and what is outside lies in none."""
    window = Window(None if since is None else at(since), None)
    newest = at(oldest) + timedelta(milliseconds=length_ms)

    windows = plan.rest(window, newest, at(oldest))

    inside = [
        each
        for each in windows
        if (each.since is None or each.since <= at(moment)) and each.until and at(moment) <= each.until
    ]
    assert len(inside) == (moment <= oldest and (since is None or since <= moment))
    assert len(windows) < 2 * plan.MOST_WINDOWS


def test_reading_stops_at_the_first_page_without_news() -> None:
    """A page whose runs are all held as shown ends the walk; a repaired run is news."""
    page = [make_run(make_attempt(ended=at(60)))]

    assert plan.brings_nothing_new(page, {"1": at(60)})
    assert not plan.brings_nothing_new(page, {"1": at(30)})
    assert not plan.brings_nothing_new(page, {})


def test_vanished_runs_come_oldest_first() -> None:
    """What is open in the store and in no list is looked up, the oldest before the others."""
    runs = [open_run(30, "b"), open_run(10, "a"), open_run(20, "c")]

    assert ["a", "b"] == [run.run_id for run in plan.vanished(runs, {"c"})]


def test_a_list_pays_while_a_page_shows_several_of_the_missing() -> None:
    """One hit per request is what asking for the run itself brings, and with its details."""
    page = [make_run(run_id="1"), make_run(run_id="2")]

    assert not plan.no_longer_pays(page, {"1", "2", "3"}, {"1", "2"})
    assert plan.no_longer_pays(page, {"1", "2"}, {"1", "2"})
    assert plan.no_longer_pays(page, {"1", "3", "4"}, {"1"})


def test_details_of_failures_come_first_and_none_twice() -> None:
    """When requests are short, the failures are explained before the successes."""
    success = make_run(make_attempt(), run_id="1")
    failure = make_run(make_attempt(result="FAILED"), run_id="2")

    order = plan.detail_order([success, failure], [open_run(0, "3"), open_run(0, "1")])

    assert ("2", "1", "3") == order


def test_the_look_back_is_cut_newest_first_without_gap_or_overlap() -> None:
    """Bounds are inclusive to the millisecond, as the API reads them."""
    windows = plan.lookback_windows(at(0), at(150), timedelta(seconds=100))

    assert (Window(at(50), at(149.999)), Window(at(0), at(49.999))) == windows


def test_what_no_look_back_has_passed_is_never_forgotten() -> None:
    """Neither an outage longer than the retention nor a clock that runs ahead makes history of what was not counted."""
    day = timedelta(days=1)

    assert at(0) - 60 * day == plan.prunable(at(0), 60 * day, at(0), day)
    assert at(0) - 4 * day == plan.prunable(at(0), day, at(0) - 3 * day, day)
    assert at(0) - 2 * day == plan.prunable(at(0) + 365 * day, 60 * day, at(0) - day, day)
    assert plan.prunable(at(0), day, None, day) < at(0) - 1000 * day
