"""The state of the workspace: jobs, runs and the events still to come. Knows no wire format and does nothing by itself.

Not thread-safe: whoever serves it takes turns.
"""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, NamedTuple

from simulator.clock import DAY_MS
from simulator.endings import CANCELED, Ending
from simulator.revise import cut, held, settled
from simulator.runs import FOREVER, Attempt, Job, NewId, Phase, Run, TaskSpec

RETENTION_MS = 60 * DAY_MS
"""How long a run stays visible."""

Key = tuple[int, int]
"""A time in milliseconds and an id: the order of every list."""


class Edit(NamedTuple):
    """A job was created, changed or deleted, and has these settings since."""

    at_ms: int
    job: Job
    settings: dict[str, Any]
    created: bool = False
    deleted: bool = False


class Index:
    """Keys in order."""

    def __init__(self) -> None:
        self.keys: list[Key] = []

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, key: Key) -> None:
        """Put the key in its place."""
        insort(self.keys, key)

    def discard(self, key: Key) -> None:
        """Take the key out, if it is in."""
        place = bisect_left(self.keys, key)
        if place < len(self.keys) and self.keys[place] == key:
            del self.keys[place]

    def between(self, since: int, until: int) -> tuple[int, int]:
        """The half-open range of places whose time is from `since` to `until`, both inclusive."""
        return bisect_left(self.keys, (since, -1)), bisect_right(self.keys, (until, 2**63))


class World:
    """Jobs and runs as they are at `now_ms`."""

    def __init__(self, now_ms: int, new_id: NewId) -> None:
        self.now_ms = now_ms
        self.new_id = new_id
        self.jobs: dict[int, Job] = {}
        self.runs: dict[int, Run] = {}
        self.listed = Index()
        """Jobs that are not deleted, by creation."""
        self.every = Index()
        """All runs by start."""
        self.active = Index()
        self.completed = Index()
        self.by_job: defaultdict[int, Index] = defaultdict(Index)
        self.active_of: defaultdict[int, dict[int, Run]] = defaultdict(dict)
        """The active runs of each job, by id."""
        self.finished: list[tuple[Run, Attempt]] = []
        """Every attempt that ended, in the order in which they ended."""
        self.edits: list[Edit] = []
        """Every change of a job, in the order in which they happened."""
        self.on_finish: Callable[[Run], None] | None = None
        """Told of every end: whoever makes things happen may want to follow it up."""
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def advance(self, now_ms: int) -> None:
        """Let everything happen that is due until then."""
        while self._events and self._events[0][0] <= now_ms:
            when, _, act = heapq.heappop(self._events)
            self.now_ms = max(self.now_ms, when)
            act()
        self.now_ms = max(self.now_ms, now_ms)

    def at(self, when_ms: int, act: Callable[[], None]) -> None:
        """Have this happen then."""
        heapq.heappush(self._events, (when_ms, next(self._order), act))

    def add_job(self, job: Job) -> None:
        """The job exists from now on."""
        self.jobs[job.job_id] = job
        self.listed.add((job.created_ms, job.job_id))
        self.edits.append(Edit(job.created_ms, job, job.settings, created=True))

    def edit_job(self, job: Job, settings: dict[str, Any]) -> None:
        """The job has these settings from now on."""
        job.settings = settings
        self.edits.append(Edit(self.now_ms, job, settings))

    def delete_job(self, job: Job) -> None:
        """The job leaves the list; its runs stay, and go on."""
        job.deleted = True
        self.listed.discard((job.created_ms, job.job_id))
        self.edits.append(Edit(self.now_ms, job, job.settings, deleted=True))

    def live_job(self, name: str) -> Job | None:
        """The newest job of that name that is not deleted."""
        live = (self.jobs[job_id] for _, job_id in reversed(self.listed.keys))
        return next((job for job in live if job.name == name), None)

    def retained(self, run: Run) -> bool:
        """False when the run ended too long ago to be shown."""
        return run.active or run.latest.ended_ms >= self.now_ms - RETENTION_MS

    def start(self, run: Run, attempt: Attempt) -> None:
        """The run exists from now on, or from its own start if that lies in the past."""
        run.attempts.append(attempt)
        self.runs[run.run_id] = run
        self.every.add(run.key)
        self.by_job[run.job_id].add(run.key)
        self._begin(run, attempt)

    def repair(self, run: Run, attempt: Attempt) -> None:
        """The finished run becomes active again."""
        if run.active:
            raise ValueError(f"run {run.run_id} is active")
        run.attempts.append(attempt)
        run.active = True
        self.completed.discard(run.key)
        self._begin(run, attempt)

    def start_held(self, run: Run, phase: Phase) -> None:
        """The run exists and stays in its state until it is moved on."""
        self.start(run, held(phase, run.tasks, self.new_id, {}))

    def repair_held(self, run: Run, state: str) -> None:
        """The run is active again and stays so until it is moved on."""
        specs: Iterable[TaskSpec] = run.unsuccessful() or run.tasks
        numbers = {spec.key: run.task_runs(spec.key) for spec in specs}
        phase = Phase(self.now_ms, state)
        attempt = held(phase, tuple(specs), self.new_id, numbers, repair_id=self.new_id())
        self.repair(run, attempt)

    def move(self, run: Run, phase: Phase) -> None:
        """The active run is in this state from now on."""
        if not run.active:
            raise ValueError(f"run {run.run_id} is not active")
        run.latest.phases = (*run.latest.phases, phase)

    def settle(self, run: Run, ending: Ending, retries: int = 0) -> None:
        """The held run ends now."""
        if not run.active:
            raise ValueError(f"run {run.run_id} is not active")
        run.attempts[-1] = settled(run.latest, self.now_ms, ending, retries, self.new_id)
        self._end(run, run.latest)

    def cancel(self, run: Run) -> None:
        """The active run ends now because a user wants it."""
        if not run.active:
            raise ValueError(f"run {run.run_id} is not active")
        run.attempts[-1] = cut(run.latest, self.now_ms, CANCELED)
        self._end(run, run.latest)

    def _begin(self, run: Run, attempt: Attempt) -> None:
        self.active.add(run.key)
        self.active_of[run.job_id][run.run_id] = run
        if attempt.ended_ms <= self.now_ms:
            self._end(run, attempt)
        elif attempt.ended_ms < FOREVER:
            self.at(attempt.ended_ms, lambda: self._end(run, attempt))

    def _end(self, run: Run, attempt: Attempt) -> None:
        if not run.active or run.latest is not attempt:
            return
        run.active = False
        self.active.discard(run.key)
        del self.active_of[run.job_id][run.run_id]
        self.completed.add(run.key)
        self.finished.append((run, attempt))
        if self.on_finish:
            self.on_finish(run)
