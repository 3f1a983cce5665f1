"""What a pass over the system tables reads, and which attempt a task run belongs to. Decides from values; asks nothing.

Rows come minutes to days late, without a word on when, but none ever changes. So the number of finished attempts per
hour tells which hours must be read again. Nothing tells of task runs that come later than their run: where nobody else
can show them, an hour is read again each time its age has doubled.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collector.core.model import Attempt, Run, TaskRun

HOUR = timedelta(hours=1)
Hours = Mapping[datetime, int]
"""Finished attempts by the clock hour in which they ended."""
Span = tuple[datetime, datetime]
"""From an instant up to, and without, another."""
MOST_SPANS = 8
"""Statements that one pass may take to read scattered hours; beyond, it reads what lies between them as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRead:
    """How an hour was when it was last read."""

    attempts: int
    at: datetime


def unread(
    hours: Hours, read: Mapping[datetime, HourRead], waiting: Collection[datetime], now: datetime
) -> dict[datetime, int]:
    """The hours that hold other attempts than when they were last read, or that wait for task runs and are twice as old
    as then; oldest first.
    """

    def wanted(hour: datetime, attempts: int) -> bool:
        last = read.get(hour)
        if last is None or last.attempts != attempts:
            return True
        return hour in waiting and now - hour >= 2 * (last.at - hour)

    return {hour: attempts for hour, attempts in sorted(hours.items()) if wanted(hour, attempts)}


def spans(hours: Hours, most: int) -> tuple[Span, ...]:
    """Spans that cover these hours, oldest first, none with more than about `most` attempts."""
    if _pieces(hours) > MOST_SPANS:
        first, last = min(hours), max(hours)
        between = range((last - first) // HOUR + 1)
        hours = {first + number * HOUR: hours.get(first + number * HOUR, 0) for number in between}
    found: list[Span] = []
    held = 0
    for hour, number in sorted(hours.items()):
        if found and found[-1][1] == hour and held + number <= most:
            found[-1] = (found[-1][0], hour + HOUR)
            held += number
        else:
            found.append((hour, hour + HOUR))
            held = number
    return tuple(found)


def attributed(run: Run, tasks: Iterable[tuple[datetime, TaskRun]]) -> Run:
    """The run with its task runs in its attempts: each in the one during which it ended.

    One of an attempt that the tables do not show yet belongs to none of the others.
    """
    history = run.history or ()
    of: dict[datetime, list[TaskRun]] = defaultdict(list)
    for ended, task in sorted(tasks, key=lambda item: item[0]):
        if attempt := _attempt_at(history, ended):
            of[attempt.ended].append(task)
    with_tasks = tuple(replace(attempt, tasks=tuple(of.get(attempt.ended, ()))) for attempt in history)
    return replace(run, history=with_tasks, latest=with_tasks[-1] if with_tasks else None)


def _pieces(hours: Hours) -> int:
    """How many stretches of hours without a gap."""
    return sum(hour - HOUR not in hours for hour in hours)


def _attempt_at(history: Sequence[Attempt], ended: datetime) -> Attempt | None:
    return next((attempt for attempt in history if attempt.started <= ended <= attempt.ended), None)
