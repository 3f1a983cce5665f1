"""Compares one observed run with what the store holds of it. The unit is the attempt, and its place among the run's
attempts by end time is its identity, so that repairs, restarts and overlapping answers count each attempt once.

Two kinds of answer are compared: `change` takes one of the Jobs API, `completion` one of the system tables, which come
late and tell of finished attempts only. What one has brought, the other does not bring again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from collector.core.model import (
    ZERO,
    Attempt,
    Change,
    Detailed,
    Finished,
    KnownAttempt,
    KnownRun,
    Measured,
    Retried,
    Run,
)
from collector.core.vocabulary import KNOWN_VALUES, Field

Held = tuple[KnownAttempt, ...]
Pairs = tuple[tuple[KnownAttempt | None, Attempt], ...]
"""The attempts of an answer in order of their end, each with what the store holds of it."""
SAME_END = timedelta(minutes=1)
"""How far apart the ends that a list of runs and the system tables give for one attempt may lie. Where two attempts are
closer than that, the history of the run tells them apart.
"""
ROUNDED = timedelta(seconds=1)
"""How far apart they may lie for the duration of the one to be taken for the other."""


def change(known: KnownRun | None, run: Run, horizon: datetime) -> Change | None:
    """What an answer of the Jobs API adds to the store; None when it adds nothing or is older than what is known."""
    held = known.attempts if known else ()
    if _outdated(held, run):
        return None
    pairs = _pairs(held, run.history) if run.history is not None else _pair_of_list(held, run)
    finished = _finished(pairs, horizon, by_tables=False)
    measured = _measured(pairs, finished) if run.history is not None else ()
    detailed = tuple(_detailed(held, pairs, finished, run.queue)) if run.history is not None else ()
    if known and not finished and not measured and not detailed and _shows_the_same(known, run):
        return None
    return Change(
        run=run,
        unseen=known is None,
        started=known is None and run.started >= horizon,
        finished=finished,
        measured=measured,
        retried=tuple(_retried(pairs, finished)) if run.history is not None else (),
        detailed=detailed,
        repairs=_repairs(held, finished, measured),
        unknown=tuple(_unknown_fields(known, run, finished)),
    )


def completion(known: KnownRun | None, run: Run, horizon: datetime) -> Change | None:
    """What the system tables add: as many attempts as they have more than the store, durations nobody measured, and
    retries nobody saw.

    A run that the store holds open, or as ended later, stays as it is.
    """
    held = known.attempts if known else ()
    pairs = _pairs(held, run.history or ())
    finished = _finished(pairs, horizon, by_tables=True) if len(pairs) > len(held) else ()
    # rows of other attempts may still be missing: what only ended nearest is not what is held
    pairs = tuple(pair for pair in pairs if pair[0] and abs(pair[0].ended - pair[1].ended) <= ROUNDED)
    measured = _measured(pairs, finished)
    retried = tuple(_retried(pairs, finished))
    if not finished and not measured and not retried:
        return None
    ends = [item.attempt.ended for item in finished]
    return Change(
        run=run,
        unseen=known is None,
        started=known is None and run.started >= horizon,
        latest=known is None
        or (not known.open and bool(ends) and all(each.ended < ends[-1] for each in held)),
        finished=finished,
        measured=measured,
        retried=retried,
        repairs=_repairs(held, finished, measured),
        unknown=tuple(_unknown_fields(known, run, finished)) if known is None or finished else (),
    )


def _outdated(held: Held, run: Run) -> bool:
    """True for an answer that was given before the end of an attempt that the Jobs API has shown."""
    if run.history is not None and len(run.history) < len(held):
        return True
    shown = [attempt.ended for attempt in held if not attempt.by_tables]
    if not shown or (run.history is None and run.ended is None):
        return False
    ends = [attempt.ended for attempt in run.history or ()]
    if run.ended:
        ends.append(run.ended)
    return max(ends, default=run.started) < shown[-1]


def _pair_of_list(held: Held, run: Run) -> Pairs:
    """The one attempt that a list shows, when the run has ended."""
    if run.latest is None:
        return ()
    end = run.latest.ended
    exact = (attempt for attempt in held if attempt.ended == end)
    near = (attempt for attempt in held if attempt.by_tables and abs(attempt.ended - end) <= SAME_END)
    return ((next(exact, None) or next(near, None), run.latest),)


def _pairs(held: Held, history: Sequence[Attempt]) -> Pairs:
    """The finished attempts of a history, each with what is held of it.

    Of a history as many are new as it has more than the store; where ends should ever disagree, each attempt that is
    held is the one that ended nearest to it. Attempts that end in the same millisecond are one, for the end is their
    key in the store; a new one that ends as one that is held cannot be told from it.
    """
    left = list({attempt.ended: attempt for attempt in history}.values())
    ends = {attempt.ended for attempt in left}
    of: dict[datetime, KnownAttempt] = {}
    for known in sorted(held, key=lambda attempt: attempt.ended not in ends):
        if not left:
            break
        nearest = min(left, key=lambda attempt, end=known.ended: abs(attempt.ended - end))  # type: ignore[misc] # the default binds the loop's name
        left.remove(nearest)
        of[nearest.ended] = known
    return tuple((of.get(attempt.ended), attempt) for attempt in history)


def _finished(pairs: Pairs, horizon: datetime, *, by_tables: bool) -> tuple[Finished, ...]:
    """The attempts that the store does not hold, in order of their end."""
    return tuple(
        Finished(attempt=attempt, counted=attempt.ended >= horizon, by_tables=by_tables)
        for attempt in {attempt.ended: attempt for held, attempt in pairs if held is None}.values()
    )


def _measured(pairs: Pairs, finished: tuple[Finished, ...]) -> tuple[Measured, ...]:
    """The attempts whose own duration is new."""
    new = _new(pairs, finished, lambda held: not held.measured)
    return tuple(Measured(attempt=attempt, counted=counted) for attempt, counted in new)


def _retried(pairs: Pairs, finished: tuple[Finished, ...]) -> Iterator[Retried]:
    """The attempts of which more retries show than were known: the rows of task runs come one by one."""
    known = {held.ended: held.retries for held, _ in pairs if held}
    for attempt, counted in _new(pairs, finished, lambda held: not (held.measured and held.detailed)):
        more = attempt.retries - known.get(attempt.ended, 0)
        if more > 0:
            yield Retried(attempt=attempt, counted=counted, more=more)


def _repairs(held: Held, finished: tuple[Finished, ...], measured: tuple[Measured, ...]) -> int:
    """How many more attempts count as repairs: every measured one but the run's first.

    Told by order alone, because the system tables may show a repair before what it repairs.
    """
    before = {attempt.ended: attempt.counted and attempt.measured for attempt in held}
    after = before | {item.attempt.ended: False for item in finished}
    after |= {item.attempt.ended: item.counted for item in measured}
    return _beyond_the_first(after) - _beyond_the_first(before)


def _beyond_the_first(counting: Mapping[datetime, bool]) -> int:
    return sum(counts for _, counts in sorted(counting.items())[1:])


def _detailed(
    held: Held, pairs: Pairs, finished: tuple[Finished, ...], queue: timedelta
) -> Iterator[Detailed]:
    """The attempts whose own facts the history brings for the first time; queueing goes to the first of them."""
    unaccounted = max(ZERO, queue - sum((attempt.queue for attempt in held), ZERO))
    for attempt, counted in _new(pairs, finished, lambda held: not held.detailed):
        yield Detailed(attempt=attempt, counted=counted, queue=unaccounted)
        unaccounted = ZERO


def _new(
    pairs: Pairs, finished: tuple[Finished, ...], wanted: Callable[[KnownAttempt], bool]
) -> tuple[tuple[Attempt, bool], ...]:
    """What has just finished, and what is held and still wanted, in order of their ends and under the end that the
    store has for them; with each whether it counts.
    """
    new = {item.attempt.ended: (item.attempt, item.counted) for item in finished}
    new |= {
        held.ended: (replace(attempt, ended=held.ended), held.counted)
        for held, attempt in pairs
        if held and wanted(held)
    }
    return tuple(new[end] for end in sorted(new))


def _shows_the_same(known: KnownRun, run: Run) -> bool:
    ends = {attempt.ended for attempt in known.attempts}
    same_end = run.ended is None or not ends or run.ended in ends
    return same_end and (known.open, known.state, known.queue_reason) == (
        run.active,
        run.state,
        run.queue_reason,
    )


def _unknown_fields(known: KnownRun | None, run: Run, finished: tuple[Finished, ...]) -> Iterator[str]:
    """The fields that bring a new value outside the vocabulary; what was there at the last look is not told again."""
    fresh = {
        Field.STATE: run.state if known is None or known.state != run.state else "",
        Field.QUEUE_REASON: (
            run.queue_reason if known is None or known.queue_reason != run.queue_reason else ""
        ),
        Field.RUN_TYPE: run.run_type if known is None else "",
        Field.TRIGGER: run.trigger if known is None else "",
    }
    values = [
        *fresh.items(),
        *((Field.RESULT, item.attempt.result) for item in finished),
        *((Field.TERMINATION_CODE, item.attempt.termination_code) for item in finished),
        *((Field.TERMINATION_TYPE, item.attempt.termination_type) for item in finished),
    ]
    yield from (field.value for field, value in values if value and value not in KNOWN_VALUES[field])
