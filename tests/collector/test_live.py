"""The live poll against a simulated workspace: what is counted, what is asked, what is left for later."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from collector.core.model import Collector, Measure
from collector.core.plan import PAGE
from collector.live import HIDDEN_FOR
from collector.store.reader import Reader
from simulator import Control
from tests.collector.desks import NAME, Office

GET = "/api/2.2/jobs/runs/get"
LIST = "/api/2.2/jobs/runs/list"
LISTS, GETS = "runs/list", "runs/get"


def start(control: Control, names: Sequence[str], seconds: float = 0.1) -> None:
    """Start runs of the job one after another."""
    for name in names:
        control.start(name, "orders")
        control.advance(seconds)


def finish(control: Control, names: Sequence[str], result: str = "SUCCESS") -> None:
    """End runs now."""
    for name in names:
        control.finish(name, result)


def numbered(count: int, prefix: str = "run") -> list[str]:
    """Names of so many runs."""
    return [f"{prefix} {number}" for number in range(count)]


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_counting_begins_with_the_first_poll_that_works(office, control) -> None:
    """What ended while no poll had worked yet is history; what ends afterwards is counted."""
    control.fault("forbidden", endpoint=LIST)
    start(control, ["before", "after"])
    failed = office.poll()
    finish(control, ["before"])
    control.clear_faults()

    first = office.poll()
    finish(control, ["after"])
    second = office.poll()

    assert ["refused", "", ""] == [failed.error, first.error, second.error]
    assert [0, 1, 1] == [failed.changed, first.changed, second.changed]
    assert 1 == office.counted(Measure.RUNS_FINISHED)


def test_a_run_that_began_and_ended_between_two_polls_is_counted(office, control) -> None:
    """Short runs show in the list of what started lately."""
    office.poll()
    start(control, ["short"])
    finish(control, ["short"], "FAILED")

    office.poll()
    office.poll()

    assert 1 == office.counted(Measure.RUNS_FINISHED)
    assert 1 == office.counted(Measure.RUNS_STARTED)


def test_the_requests_on_metrics_are_those_that_were_sent(office, control) -> None:
    """The exporter knows its own cost, failed polls included."""
    start(control, numbered(3))
    office.poll()
    control.fault("error", status=503, endpoint=LIST)
    office.poll()
    control.clear_faults()
    finish(control, numbered(3))
    office.poll()

    assert sum(office.asked().values()) == office.counted(Measure.API_REQUESTS)


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────


def settled(office: Office, control: Control) -> None:
    """Three pages of finished runs that the store holds with their details."""
    office.poll()
    start(control, numbered(3 * PAGE))
    finish(control, numbered(3 * PAGE))
    office.poll()
    assert not office.standing().undetailed
    office.asked()


def test_a_poll_without_news_is_two_requests(office, control) -> None:
    """One for what is active, one for the first page that holds nothing new."""
    settled(office, control)

    poll = office.poll()

    assert 2 == poll.requests
    assert {LISTS: 2} == office.asked()


def test_once_a_minute_the_whole_overlap_is_read(office, control) -> None:
    """Answers that come late or out of order are found then."""
    settled(office, control)

    requests = [office.poll(after=10).requests for _ in range(8)]

    assert [1 + 1] * 4 == requests[:4]
    assert [1 + 3, *[1 + 1] * 3] == requests[4:]


def test_after_a_failed_poll_the_whole_overlap_is_read(office, control) -> None:
    """Nobody knows what the poll that failed would have shown."""
    settled(office, control)
    control.fault("forbidden", endpoint=LIST, count=2)  # the second try has a new client

    failed = office.poll()
    next_one = office.poll()
    last = office.poll()

    assert "refused" == failed.error
    assert [1 + 3, 1 + 1] == [next_one.requests, last.requests]


def test_after_a_poll_that_the_store_did_not_take_the_whole_overlap_is_read(office, control) -> None:
    """What was read and not written is read again."""
    settled(office, control)
    office.writer.failures = 1

    with pytest.raises(AssertionError):
        office.poll()
    office.asked()
    office.poll()

    assert {LISTS: 1 + 3} == office.asked()


# ── runs that vanish ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("runs", "lists", "gets"), [(3, 2, 3), (30, 2 + 2, 30)])
def test_runs_that_vanish_are_found_the_cheaper_way(
    office, control, runs: int, lists: int, gets: int
) -> None:
    """A few one by one with their details; many by the list over their start, and then their details."""
    start(control, numbered(runs))
    office.poll()
    control.advance(3600)
    office.poll()
    finish(control, numbered(runs))
    office.asked()

    poll = office.poll()

    assert (runs, True) == (poll.changed, poll.complete)
    assert {LISTS: lists, GETS: gets} == office.asked()
    assert runs == office.counted(Measure.RUNS_FINISHED)


def test_runs_that_vanish_by_the_hundred_are_found_bit_by_bit(make_office, control) -> None:
    """After an outage the polls that find what ended meanwhile stay in time: each takes a part of it."""
    office = make_office(
        overlap=timedelta(seconds=30), deadline=timedelta(seconds=2.5), lookback=timedelta(minutes=1)
    )
    names = numbered(12 * PAGE)
    start(control, names)
    assert not office.poll().error
    finish(control, names)
    control.advance(600)
    control.fault("slow", endpoint=LIST, seconds=0.25)

    first = office.poll()
    control.clear_faults()
    second = office.poll()

    assert ("", "") == (first.error, second.error)
    assert 0 < first.changed < len(names)
    assert len(names) == first.changed + second.changed == office.counted(Measure.RUNS_FINISHED)


def test_a_run_that_is_taken_from_our_sight_does_not_stop_the_polls(office, control) -> None:
    """A right that is withdrawn for long while a run is active closes the run; nothing is made up about its end."""
    start(control, ["hidden"])
    office.poll()
    control.advance(3600)
    finish(control, ["hidden"])
    control.fault("forbidden", endpoint=GET)

    hidden = office.poll()
    still_open = len(office.snapshot().active_runs)
    control.advance(HIDDEN_FOR.total_seconds())
    office.poll()

    assert ("", False, 1) == (hidden.error, hidden.complete, still_open)
    assert not office.snapshot().active_runs
    assert 0 == office.counted(Measure.RUNS_FINISHED)


def test_a_token_that_ends_in_mid_poll_loses_nothing(office, control) -> None:
    """Databricks answers 403 for expired tokens too: the runs are asked for again, counted and detailed."""
    start(control, ["long"])
    office.poll()
    control.advance(3600)
    finish(control, ["long"], "FAILED")
    control.fault("forbidden", endpoint=GET, count=2)

    office.poll()
    office.poll()

    assert 1 == office.counted(Measure.RUNS_FINISHED)
    assert 0 < office.counted(Measure.PHASE_TIME)


def test_details_catch_up_while_lists_take_most_of_the_budget(make_office, control) -> None:
    """At every poll the details get what the next lists will not need, however little that is."""
    office = make_office(rate=1)
    office.poll()
    names = numbered(12)
    start(control, names)
    finish(control, names)
    office.poll()
    waiting = [len(office.standing().undetailed)]

    for _ in range(12):
        office.budget._tokens = 2.0  # what two lists have left
        office.poll()
        waiting.append(len(office.standing().undetailed))

    assert sorted(waiting, reverse=True) == waiting
    assert 0 == waiting[-1]


def test_a_run_that_cannot_be_looked_up_is_looked_up_again(office, control) -> None:
    """The lists of the poll are kept, the poll says that it is not complete, and the next one finds the run."""
    start(control, ["long"])
    office.poll()
    control.advance(3600)
    finish(control, ["long"])
    control.fault("error", status=500, endpoint=GET, count=3)

    first, second = office.poll(), office.poll()

    assert [("", False, 0), ("", True, 1)] == [
        (poll.error, poll.complete, poll.changed) for poll in (first, second)
    ]


# ── details ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_details_wait_for_budget_and_failures_come_first(make_office, control) -> None:
    """A short budget defers details, visibly, and later polls catch up."""
    office = make_office(rate=2)
    office.poll()
    names = numbered(20)
    start(control, names)
    finish(control, names[:16])
    finish(control, names[16:], "FAILED")

    poll = office.poll()

    waiting = office.standing().undetailed
    assert (20, False) == (poll.changed, poll.complete)
    assert 0 < len(waiting) < 20
    assert {"SUCCESS"} == {run.attempts[0].result for run in waiting}
    office.budget._tokens = 20.0
    office.poll()
    office.budget._tokens = 20.0
    assert office.poll().complete
    assert not office.standing().undetailed


def test_failing_details_do_not_cost_the_lists(office, control) -> None:
    """What ended is counted at once, though nobody can say yet how its time was spent."""
    office.poll()
    start(control, ["one"])
    control.advance(60)
    finish(control, ["one"])
    control.fault("error", status=500, endpoint=GET, count=3)

    poll = office.poll()

    assert ("", False) == (poll.error, poll.complete)
    assert 1 == office.counted(Measure.RUNS_FINISHED)
    assert 0 == office.counted(Measure.PHASE_TIME)
    assert office.poll().complete
    assert 0 < office.counted(Measure.PHASE_TIME)


def test_details_of_a_run_that_is_deleted_are_not_waited_for(office, control) -> None:
    """A run that went between its end and its details is asked for once more and never again."""
    office.poll()
    start(control, ["one"])
    finish(control, ["one"])
    control.fault("error", status=500, endpoint=GET, count=3)
    office.poll()
    control.advance(61 * 86_400)
    office.asked()

    office.poll()
    after_deletion = office.asked()
    office.poll()

    assert 1 == after_deletion[GETS]
    assert GETS not in office.asked()
    assert 1 == office.counted(Measure.RUNS_FINISHED)


def test_jobs_that_fail_since_before_counting_began_are_explained(office, control) -> None:
    """The system tables tell that a run failed, and people ask why: its details are read once, and nothing is counted."""
    for name in ("failed", "failed again"):
        start(control, [name], seconds=60)
        finish(control, [name], "FAILED")
    control.advance(2 * 86_400)
    office.poll()
    office.poll(Collector.SYSTEM_TABLES)
    office.asked()

    first, second = office.poll(), office.poll()

    (failing,) = Reader(office.engine).failing(NAME, [job.job_id for job in office.snapshot().jobs]).values()
    assert (True, True) == (first.complete, second.complete)
    assert 1 == office.asked()[GETS]
    assert "Workload failed" in failing.message
    assert 0 == office.counted(Measure.RUNS_FINISHED)
