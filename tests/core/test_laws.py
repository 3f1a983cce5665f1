"""The laws of counting, over generated histories of runs and generated ways of looking at them."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.core.model import Attempt, Measure, Run
from tests.core.ledger import Ledger
from tests.make import at, make_attempt, make_run, make_task

RESULTS = ("SUCCESS", "FAILED", "TIMEDOUT", "CANCELED", "SKIPPED", "INTERNAL_ERROR", "NEVER_HEARD_OF")


@dataclass(frozen=True)
class Life:
    """A run as it really was."""

    run_id: str
    job_id: str
    run_type: str
    attempts: tuple[Attempt, ...]
    queue: timedelta

    def recorded(self, when: datetime, late: int) -> Run | None:
        """What the system tables hold at that time; None before they know of an end.

        Each attempt comes with a delay of its own, a repair perhaps before what it repairs, and so does each of its task
        runs; it ends a little later than the Jobs API has it.
        """

        def arrived(attempt: Attempt, number: int) -> bool:
            return attempt.ended + timedelta(seconds=late * (number * 7 + 3) % 11 * 100) <= when

        shown = tuple(
            replace(
                attempt,
                ended=attempt.ended + timedelta(milliseconds=400),
                tasks=tuple(
                    task for place, task in enumerate(attempt.tasks) if arrived(attempt, number + place + 1)
                ),
            )
            for number, attempt in enumerate(self.attempts)
            if arrived(attempt, number)
        )
        if not shown:
            return None
        run = make_run(*shown, run_id=self.run_id, job_id=self.job_id, run_type=self.run_type, history=True)
        return replace(run, started=self.attempts[0].started)

    def seen(self, when: datetime, *, history: bool) -> Run | None:
        """What an answer given at that time shows; None before the run began."""
        first = self.attempts[0]
        if when < first.started:
            return None
        ended = tuple(attempt for attempt in self.attempts if attempt.ended <= when)
        following = self.attempts[len(ended) : len(ended) + 1]
        active = not ended or any(attempt.started <= when for attempt in following)
        return make_run(
            *ended,
            run_id=self.run_id,
            job_id=self.job_id,
            run_type=self.run_type,
            started=first.started,
            history=history,
            active=active,
            queue=self.queue if ended else timedelta(0),
        )


@st.composite
def lives(draw: st.DrawFn) -> tuple[Life, ...]:
    """Some runs with their repairs."""

    def attempts() -> tuple[Attempt, ...]:
        moment = draw(st.integers(0, 2000))
        done = []
        for number in range(draw(st.integers(1, 4))):
            started = moment + draw(st.integers(0 if number == 0 else 1, 300))
            moment = started + draw(st.integers(0 if number == 0 else 1, 600))
            tasks = tuple(
                make_task(run_id=f"{number}{index}", task_key=draw(st.sampled_from("ab")))
                for index in range(draw(st.integers(0, 3)))
            )
            result = draw(st.sampled_from(RESULTS))
            done.append(make_attempt(started=at(started), ended=at(moment), result=result, tasks=tasks))
        return tuple(done)

    return tuple(
        Life(
            run_id=str(number),
            job_id=draw(st.sampled_from(("7", "8"))),
            run_type=draw(st.sampled_from(("JOB_RUN", "SUBMIT_RUN"))),
            attempts=attempts(),
            queue=timedelta(seconds=draw(st.integers(0, 50))),
        )
        for number in range(draw(st.integers(1, 5)))
    )


LOOKS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 6000), st.booleans(), st.booleans()), max_size=40
)
"""Which run, when the answer was given, with its history or not, and whether the poll crashes before its commit."""
PASSES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 6000), st.integers(0, 10), st.booleans()), max_size=20
)
"""Which run, when the system tables were asked, how late their rows come, and whether the pass crashes."""
END = at(100_000)


def look(ledger: Ledger, runs: tuple[Life, ...], looks: list[tuple[int, int, bool, bool]]) -> None:
    """Polls in the given order, which need not be the order of time."""
    for number, second, history, crash in looks:
        run = runs[number % len(runs)].seen(at(second), history=history)
        if run:
            ledger.observe(run, crash=crash)


def look_up(ledger: Ledger, runs: tuple[Life, ...], passes: list[tuple[int, int, int, bool]]) -> None:
    """Passes over the system tables, in the given order."""
    for number, second, late, crash in passes:
        run = runs[number % len(runs)].recorded(at(second), late)
        if run:
            ledger.complete(run, crash=crash)


def look_everything_up(ledger: Ledger, runs: tuple[Life, ...]) -> None:
    """A last pass, when all rows have arrived."""
    for life in runs:
        run = life.recorded(END, 0)
        assert run
        ledger.complete(run)


def finish(ledger: Ledger, runs: tuple[Life, ...]) -> None:
    """A last, undisturbed look at everything."""
    for life in runs:
        run = life.seen(END, history=True)
        assert run
        ledger.observe(run)


def truth(runs: tuple[Life, ...], horizon: datetime) -> Ledger:
    """The counters of somebody who saw each run once, at its end."""
    ledger = Ledger(horizon)
    finish(ledger, runs)
    return ledger


def totals(ledger: Ledger) -> dict[object, int]:
    """The counters that do not depend on when words were first seen."""
    return {
        key: value for key, value in ledger.counters.items() if value and key[0] is not Measure.UNKNOWN_VALUES
    }


@given(lives(), LOOKS)
def test_often_is_rarely_in_any_order_and_over_crashes(runs: tuple[Life, ...], looks: list) -> None:
    """However often, in whatever order and with whatever crashes one looked: the counters end at the truth."""
    ledger = Ledger(at(500))

    look(ledger, runs, looks)
    finish(ledger, runs)

    assert totals(truth(runs, at(500))) == totals(ledger)


@given(lives(), LOOKS)
def test_twice_is_once(runs: tuple[Life, ...], looks: list) -> None:
    """After a last look, everything that was ever answered may be answered again and nothing is counted."""
    ledger = Ledger(at(500))
    look(ledger, runs, looks)
    finish(ledger, runs)
    before = totals(ledger)

    look(ledger, runs, looks)
    finish(ledger, runs)

    assert before == totals(ledger)


@given(lives(), LOOKS, LOOKS, st.integers(0, 4000))
def test_each_attempt_at_most_once_and_none_missed_over_pruning(
    runs: tuple[Life, ...], before: list, after: list, cutoff: int
) -> None:
    """Pruning forgets runs and raises the horizon: no attempt is counted twice, none that ended after it is missed."""
    ledger = Ledger(at(500))
    look(ledger, runs, before)

    ledger.prune(at(cutoff))
    look(ledger, runs, after)
    finish(ledger, runs)

    counted = Counter(ledger.counted)
    ended_after = {
        (life.run_id, attempt.ended)
        for life in runs
        for attempt in life.attempts
        if attempt.ended >= ledger.horizon
    }
    assert [] == [attempt for attempt, times in counted.items() if times > 1]
    assert ended_after <= counted.keys()
    assert all(ended >= at(500) for _, ended in counted)


@given(lives(), LOOKS)
def test_counters_never_fall(runs: tuple[Life, ...], looks: list) -> None:
    """No look, early or late or stale, takes anything away from a counter."""
    ledger = Ledger(at(0))
    before: Counter = Counter()

    for step in looks:
        look(ledger, runs, [step])

        assert all(ledger.counters[key] >= value for key, value in before.items())
        before = Counter(ledger.counters)


HORIZON = at(499.5)
"""Between two ends, for the two sources do not agree on them to the millisecond."""
MIXED = st.lists(
    st.one_of(LOOKS.map(lambda looks: (look, looks)), PASSES.map(lambda passes: (look_up, passes)))
)


@given(lives(), MIXED)
def test_polls_and_passes_in_any_order(runs: tuple[Life, ...], mixed: list) -> None:
    """Live polls and passes over the system tables, interleaved with crashes anyhow, end at the truth."""
    ledger = Ledger(HORIZON)

    for step, steps in mixed:
        step(ledger, runs, steps)
    look_everything_up(ledger, runs)
    finish(ledger, runs)

    assert totals(truth(runs, HORIZON)) == without_recoveries(ledger)


@given(lives(), MIXED)
def test_a_pass_after_the_last_look_adds_nothing(runs: tuple[Life, ...], mixed: list) -> None:
    """What a live poll has counted, no later row of the system tables counts again."""
    ledger = Ledger(HORIZON)
    for step, steps in mixed:
        step(ledger, runs, steps)
    finish(ledger, runs)
    before = totals(ledger)

    look_everything_up(ledger, runs)

    assert before == totals(ledger)


@given(lives(), MIXED)
def test_passes_alone_miss_only_what_the_tables_lack(runs: tuple[Life, ...], mixed: list) -> None:
    """Without another look at the Jobs API a last pass brings everything but phases and task runs, each attempt once."""
    ledger = Ledger(HORIZON)
    for step, steps in mixed:
        step(ledger, runs, steps)

    look_everything_up(ledger, runs)

    lacking = (Measure.PHASE_TIME, Measure.TASK_RUNS_FINISHED)
    expected = {key: value for key, value in totals(truth(runs, HORIZON)).items() if key[0] not in lacking}
    found = {key: value for key, value in without_recoveries(ledger).items() if key[0] not in lacking}
    assert expected == found


@given(lives(), MIXED)
def test_recoveries_are_what_no_poll_saw(runs: tuple[Life, ...], mixed: list) -> None:
    """The number of recovered attempts is the number that came into the counters by the system tables."""
    ledger = Ledger(HORIZON)
    seen_by_polls = 0
    for step, steps in mixed:
        before = len(ledger.counted)
        step(ledger, runs, steps)
        seen_by_polls += len(ledger.counted) - before if step is look else 0

    assert len(ledger.counted) - seen_by_polls == ledger.counters[Measure.RUNS_RECOVERED, "", ()]


def without_recoveries(ledger: Ledger) -> dict[object, int]:
    """The totals without the account of who brought them."""
    return {key: value for key, value in totals(ledger).items() if key[0] is not Measure.RUNS_RECOVERED}
