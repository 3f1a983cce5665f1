"""What one observation of one run changes."""

from datetime import timedelta

from collector.core.diff import change
from collector.core.model import KnownAttempt, KnownRun
from tests.make import at, make_attempt, make_run

HORIZON = at(-3600)
FAILED = make_attempt(started=at(0), ended=at(60), result="FAILED")
REPAIRED = make_attempt(started=at(300), ended=at(360), result="SUCCESS")


def known(*attempts: KnownAttempt, is_open: bool = False, state: str = "TERMINATED") -> KnownRun:
    """Run 1 as the store holds it."""
    return KnownRun(
        run_id="1",
        job_id="7",
        run_type="JOB_RUN",
        started=at(0),
        state=state,
        open=is_open,
        attempts=attempts,
    )


def held(end: float, *, detailed: bool = True) -> KnownAttempt:
    """A counted attempt that ended then."""
    return KnownAttempt(ended=at(end), result="FAILED", counted=True, measured=detailed, detailed=detailed)


def test_a_run_that_is_as_known_changes_nothing() -> None:
    """2,000 runs that go on cost no write."""
    assert change(known(is_open=True, state="RUNNING"), make_run(), HORIZON) is None


def test_a_new_run_started_only_after_the_horizon() -> None:
    """Runs that began before the store was born are no starts."""
    after, before = change(None, make_run(), HORIZON), change(None, make_run(), at(1))

    assert after
    assert before
    assert (True, False) == (after.started, before.started)


def test_a_repair_is_one_more_attempt_with_its_own_duration() -> None:
    """The history of a repaired run brings the repair alone, not the time between."""
    difference = change(known(held(60)), make_run(FAILED, REPAIRED, history=True), HORIZON)

    assert difference
    assert [(at(360), True)] == [(item.attempt.ended, item.counted) for item in difference.finished]
    assert [timedelta(seconds=60)] == [item.attempt.duration for item in difference.detailed]


def test_a_list_shows_the_latest_attempt_and_the_history_brings_what_was_missed() -> None:
    """Failed, repaired and ended between two looks: both attempts count."""
    from_list = change(known(is_open=True), make_run(FAILED, REPAIRED), HORIZON)
    from_history = change(known(held(360, detailed=False)), make_run(FAILED, REPAIRED, history=True), HORIZON)

    assert from_list
    assert from_history
    assert [at(360)] == [item.attempt.ended for item in from_list.finished]
    assert [at(60)] == [item.attempt.ended for item in from_history.finished]
    assert [at(60), at(360)] == [item.attempt.ended for item in from_history.detailed]


def test_a_repaired_run_is_active_again() -> None:
    """The same run id returns to life and nothing is counted for it."""
    difference = change(known(held(60)), make_run(FAILED, active=True), HORIZON)

    assert difference
    assert difference.run.active
    assert () == difference.finished


def test_an_older_answer_does_not_bring_an_older_end_back() -> None:
    """A list that was answered before the repair ended changes nothing after it."""
    assert change(known(held(60), held(360)), make_run(FAILED), HORIZON) is None
    assert change(known(held(360)), make_run(FAILED), HORIZON) is None


def test_ends_that_disagree_between_list_and_history_are_not_counted_twice() -> None:
    """One attempt in the history and one in the store are the same one, whatever their clocks say."""
    difference = change(
        known(held(61, detailed=False)), make_run(FAILED, history=True, ended=at(61)), HORIZON
    )

    assert difference
    assert () == difference.finished
    assert [at(61)] == [item.attempt.ended for item in difference.detailed]


def test_what_ended_before_the_horizon_is_history() -> None:
    """It is recorded and not counted."""
    difference = change(None, make_run(FAILED, REPAIRED, history=True), at(100))

    assert difference
    assert [False, True] == [item.counted for item in difference.finished]


def test_unknown_words_are_named_once() -> None:
    """A word of the future is told when it appears, not at every look."""
    first = change(None, make_run(state="HIBERNATING", trigger="TELEPATHY"), HORIZON)
    again = change(known(is_open=True, state="HIBERNATING"), make_run(state="HIBERNATING"), HORIZON)

    assert first
    assert ("state", "trigger") == first.unknown
    assert again is None


def test_of_ends_that_disagree_the_nearest_belong_together() -> None:
    """The attempt that a list showed a moment later is not counted again in place of the one that is missing."""
    history = (FAILED, make_attempt(started=at(100), ended=at(200)))

    difference = change(known(held(61, detailed=False)), make_run(*history, history=True), HORIZON)

    assert difference
    assert [(at(200), "SUCCESS")] == [
        (item.attempt.ended, item.attempt.result) for item in difference.finished
    ]
