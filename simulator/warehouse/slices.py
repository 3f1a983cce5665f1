"""Cuts runs and task runs at clock hours and says which pieces are settled by now: what was told once never changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from simulator.clock import HOUR_MS
from simulator.runs import FOREVER, Attempt, Run, TaskRun
from simulator.world import World


class Span(NamedTuple):
    """From one instant to another, within one clock hour."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A piece of an attempt, or of one task run in it."""

    run: Run
    attempt: Attempt
    task: TaskRun | None
    span: Span
    last: bool
    """True for the piece that carries the result."""


def hours(start_ms: int, end_ms: int) -> Iterator[Span]:
    """The span cut at clock hours; one empty span when it is empty."""
    at = start_ms
    while (cut := (at // HOUR_MS + 1) * HOUR_MS) < end_ms:
        yield Span(at, cut)
        at = cut
    yield Span(at, end_ms)


class Slices:
    """Hands out each piece once: full hours of what runs, and the rest when it has ended.

    The task runs of an attempt that takes no longer than an hour are left out: they come with its last piece.
    """

    def __init__(self) -> None:
        self._ended = 0
        """Entries of the world's log that are done."""
        self._told: dict[tuple[int, int], int] = {}
        """How far each active attempt, and each of its task runs, has been told."""

    def new(self, world: World) -> Iterator[Slice]:
        """The pieces that have settled since the last call."""
        log = world.finished
        for run, attempt in log[self._ended :]:
            yield from self._rest(run, attempt)
        self._ended = len(log)
        for _, run_id in world.active.keys:
            run = world.runs[run_id]
            yield from self._full_hours(run, run.latest, world.now_ms)

    def _rest(self, run: Run, attempt: Attempt) -> Iterator[Slice]:
        since = self._told.pop((run.run_id, attempt.repair_id), attempt.started_ms)
        yield from pieces(run, attempt, None, since, attempt.ended_ms)
        if attempt.own_ms <= HOUR_MS:
            return
        for task in attempt.tasks:
            since = self._told.pop((run.run_id, task.run_id), task.setup_ms)
            if since < FOREVER:
                yield from pieces(run, attempt, task, since, task.ended_ms)

    def _full_hours(self, run: Run, attempt: Attempt, now_ms: int) -> Iterator[Slice]:
        until = (now_ms - 1) // HOUR_MS * HOUR_MS
        yield from self._until(run, attempt, None, attempt.started_ms, until)
        if now_ms <= attempt.started_ms + HOUR_MS:
            return
        for task in attempt.tasks:
            if task.running_ms == FOREVER:
                continue  # held by control, which may still change when it began
            if task.ended_ms < now_ms:
                since = self._told.get((run.run_id, task.run_id), task.setup_ms)
                if since < FOREVER:
                    yield from pieces(run, attempt, task, since, task.ended_ms)
                    self._told[run.run_id, task.run_id] = FOREVER
            else:
                yield from self._until(run, attempt, task, task.setup_ms, until)

    def _until(
        self, run: Run, attempt: Attempt, task: TaskRun | None, started_ms: int, until_ms: int
    ) -> Iterator[Slice]:
        key = run.run_id, task.run_id if task else attempt.repair_id
        since = self._told.get(key, started_ms)
        if since < until_ms:
            for span in hours(since, until_ms):
                yield Slice(run=run, attempt=attempt, task=task, span=span, last=False)
            self._told[key] = until_ms


def pieces(run: Run, attempt: Attempt, task: TaskRun | None, since: int, until: int) -> Iterator[Slice]:
    """What lies between the two instants; the last of it carries the result."""
    for span in hours(since, until):
        yield Slice(run=run, attempt=attempt, task=task, span=span, last=span.end_ms == until)
