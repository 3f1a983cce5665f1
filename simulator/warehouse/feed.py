"""What the system tables have received: rows of the one world, each visible once its delay has passed.

What arrives, and when, depends on the world and the seed alone, never on how often somebody looks.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import NamedTuple

from simulator.clock import HOUR_MS, milliseconds
from simulator.options import Options
from simulator.warehouse import schema, usage
from simulator.warehouse.chance import chance, digest
from simulator.warehouse.definitions import changes_tasks, job_row, neighbours_job, task_rows
from simulator.warehouse.slices import Slice, Slices
from simulator.warehouse.timelines import Row, run_row, task_row, task_rows_of
from simulator.warehouse.usage import Usage
from simulator.world import Edit, World

SHARED_JOBS = 0.2
SHARED_RUNS = 0.1
"""Parts of the jobs and runs whose ids another workspace of the region has too."""
MOST_LATE_MS = 5 * HOUR_MS


class Arrival(NamedTuple):
    """Rows that become visible at that time."""

    at_ms: int
    table: str
    rows: Callable[[], Iterable[Row]]
    """Makes the rows, which are not needed before somebody reads the table."""
    told: Slice | Usage | None = None
    """What they tell, where the truth wants to know."""


class Feed:
    """The rows that have arrived, in portions."""

    def __init__(self, options: Options, began_ms: int) -> None:
        self._options = options
        self._seed = options.seed
        self._workspace = options.workspace_id
        self._lag_ms = milliseconds(options.table_lag)
        self._billing_lag_ms = milliseconds(options.billing_lag)
        self._slices = Slices()
        self._edits = 0
        self._next_hour = -(-began_ms // HOUR_MS) * HOUR_MS
        self._waiting: list[tuple[int, int, Arrival]] = []
        self._order = count()
        self._known_lags: tuple[tuple[int, int], int, int] = ((0, 0), 0, 0)
        """Of the attempt whose pieces come just now, and of its task runs."""

    def arrived(self, world: World) -> list[Arrival]:
        """What has become visible since the last call."""
        for arrival in self._new(world):
            heapq.heappush(self._waiting, (arrival.at_ms, next(self._order), arrival))
        found = []
        while self._waiting and self._waiting[0][0] <= world.now_ms:
            found.append(heapq.heappop(self._waiting)[2])
        return found

    def _new(self, world: World) -> Iterator[Arrival]:
        edits, self._edits = world.edits[self._edits :], len(world.edits)
        for edit in edits:
            yield from self._of_edit(edit)
        for piece in self._slices.new(world):
            yield from self._of_slice(piece)
        while self._next_hour + HOUR_MS < world.now_ms:
            some_job = str(world.edits[0].job.job_id) if world.edits else ""
            for used in usage.of_hour(self._next_hour, self._workspace, some_job, self._seed):
                yield from self._of_usage(used)
            self._next_hour += HOUR_MS

    def _of_edit(self, edit: Edit) -> Iterator[Arrival]:
        at_ms = edit.at_ms + self._lag("edit", edit.job.job_id, edit.at_ms)
        yield Arrival(at_ms, schema.JOBS, partial(_one, job_row, edit, self._workspace))
        if changes_tasks(edit):
            yield Arrival(at_ms, schema.JOB_TASKS, partial(task_rows, edit, self._workspace))
        if edit.created and chance(self._seed, "shared job", edit.job.job_id) < SHARED_JOBS:
            job = neighbours_job(edit.job)
            other = edit._replace(job=job, settings=job.settings)
            yield Arrival(at_ms, schema.JOBS, partial(_one, job_row, other, schema.NEIGHBOUR))

    def _of_slice(self, piece: Slice) -> Iterator[Arrival]:
        """All pieces of an attempt have the same delay, so that they arrive in their order; the other table has its own."""
        run, attempt = piece.run, (piece.run.run_id, piece.attempt.repair_id)
        if self._known_lags[0] != attempt:
            self._known_lags = attempt, self._lag("run", *attempt), self._lag("tasks", *attempt)
        _, run_lag_ms, tasks_lag_ms = self._known_lags
        at_ms = piece.span.end_ms + run_lag_ms
        if piece.task:
            # not before the attempt has lasted an hour, which is when its task runs are first looked at
            at_ms = max(piece.span.end_ms, piece.attempt.started_ms + HOUR_MS) + tasks_lag_ms
            row = partial(_one, task_row, piece, piece.task, self._workspace)
            yield Arrival(at_ms, schema.TASK_RUNS, row)
            return
        row = partial(_one, run_row, piece, self._workspace, self._seed)
        yield Arrival(at_ms, schema.RUNS, row, piece)
        if piece.last and piece.attempt.own_ms <= HOUR_MS:
            tasks_at_ms = piece.span.end_ms + tasks_lag_ms
            yield Arrival(tasks_at_ms, schema.TASK_RUNS, partial(task_rows_of, piece, self._workspace))
        if chance(self._seed, "shared run", run.run_id) < SHARED_RUNS:
            shared = partial(_one, run_row, piece, schema.NEIGHBOUR, self._seed)
            yield Arrival(at_ms, schema.RUNS, shared)
        for used in usage.of_run(piece, self._workspace, self._seed):
            yield from self._of_usage(used)

    def _of_usage(self, used: Usage) -> Iterator[Arrival]:
        lag_ms = self._billing_lag_ms
        lag_ms = lag_ms // 2 + digest(self._seed, "billing", used.record_id) % (lag_ms + 1)
        at_ms = used.span.end_ms + lag_ms
        yield Arrival(at_ms, schema.USAGE, partial(_one, used.row, at_ms), used)
        for delay_ms, corrected in usage.corrections(used, self._seed, self._options.correction_rate):
            later_ms = at_ms + delay_ms
            yield Arrival(later_ms, schema.USAGE, partial(_one, corrected.row, later_ms), corrected)

    def _lag(self, *subject: object) -> int:
        """Minutes, and for a few rows hours."""
        if not self._lag_ms:
            return 0
        lag_ms = self._lag_ms // 2 + digest(self._seed, "lag", *subject) % self._lag_ms
        if chance(self._seed, "late", *subject) < self._options.late_rate:
            lag_ms += digest(self._seed, "later", *subject) % MOST_LATE_MS
        return lag_ms


def _one(make: Callable[..., Row], *facts: object) -> tuple[Row]:
    return (make(*facts),)
