"""Compares one observed run with what the store holds of it. The unit is the attempt, and its place among the run's
attempts by end time is its identity, so that repairs, restarts and overlapping answers count each attempt once.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from collector.core.model import ZERO, Attempt, Change, Detailed, Finished, KnownAttempt, KnownRun, Run
from collector.core.vocabulary import KNOWN_VALUES, Field


def change(known: KnownRun | None, run: Run, horizon: datetime) -> Change | None:
    """What the observation adds to the store; None when it adds nothing or is older than what is known."""
    held = known.attempts if known else ()
    if _outdated(held, run):
        return None
    finished = tuple(
        Finished(attempt=attempt, counted=attempt.ended >= horizon) for attempt in _missing(held, run)
    )
    detailed = tuple(_details(held, finished, run))
    if known and not finished and not detailed and _shows_the_same(known, run):
        return None
    return Change(
        run=run,
        unseen=known is None,
        started=known is None and run.started >= horizon,
        finished=finished,
        detailed=detailed,
        unknown=tuple(_unknown_fields(known, run, finished)),
    )


def _outdated(held: tuple[KnownAttempt, ...], run: Run) -> bool:
    """True for an answer that was given before the end of an attempt that the store holds."""
    ends = [attempt.ended for attempt in run.history or ()]
    if run.ended:
        ends.append(run.ended)
    if not held or (run.history is None and run.ended is None):
        return False
    return max(ends, default=run.started) < held[-1].ended or len(run.history or held) < len(held)


def _missing(held: tuple[KnownAttempt, ...], run: Run) -> tuple[Attempt, ...]:
    """The finished attempts of the observation that the store does not hold, in order of their end.

    Of a history as many are missing as it has more than the store; where ends of a list and of a history should ever
    disagree, each attempt that is held is the one that ended nearest to it. Attempts that end in the same millisecond
    are one, for the end is their key in the store.
    """
    if run.history is None:
        ends = {attempt.ended for attempt in held}
        return (run.latest,) if run.latest and run.latest.ended not in ends else ()
    left = list(run.history)
    ends = {attempt.ended for attempt in left}
    for known in sorted(held, key=lambda attempt: attempt.ended not in ends):
        left.remove(min(left, key=lambda attempt, end=known.ended: abs(attempt.ended - end)))  # type: ignore[misc] # the default binds the loop's name
    already = {attempt.ended for attempt in held}
    return tuple({attempt.ended: attempt for attempt in left if attempt.ended not in already}.values())


def _details(held: tuple[KnownAttempt, ...], finished: tuple[Finished, ...], run: Run) -> Iterator[Detailed]:
    """The attempts whose own facts the history brings for the first time, matched by their place."""
    if run.history is None:
        return
    unaccounted = max(ZERO, run.queue - sum((attempt.queue for attempt in held), ZERO))
    counted = {item.attempt.ended: item.counted for item in finished}
    known = {attempt.ended: attempt for attempt in held}
    places = sorted([*known, *counted])
    for end, attempt in zip(places, run.history, strict=False):
        before = known.get(end)
        if before is None or not before.detailed:
            yield Detailed(
                attempt=replace(attempt, ended=end),
                counted=before.counted if before else counted[end],
                queue=unaccounted,
            )
            unaccounted = ZERO


def _shows_the_same(known: KnownRun, run: Run) -> bool:
    return (known.open, known.state, known.queue_reason) == (run.active, run.state, run.queue_reason)


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
