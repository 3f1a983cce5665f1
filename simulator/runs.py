"""The nouns of the simulated world: jobs, runs, attempts and task runs.

An attempt is a plan: it knows when it will enter which state and when it will end. What it looks like at some time is
read off the plan, so that time can jump; control may replace the plan of what has not happened yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulator.dues import Due
from simulator.endings import Ending

NewId = Callable[[], int]
"""Gives an id that nothing has."""

FOREVER = 2**62
"""The end of what does not end by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """A task as the job's settings declare it."""

    key: str
    layer: int = 0
    """Tasks of one layer run side by side, after those of the layer before that they depend on."""
    depends_on: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    """What it runs and on which compute, as on the wire."""
    max_retries: int = 0
    retry_interval_ms: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A job definition. Changes when somebody edits it."""

    job_id: int
    created_ms: int
    creator: str
    settings: dict[str, Any]
    """As on the wire, without tasks and job clusters."""
    tasks: tuple[TaskSpec, ...]
    kind: str = "manual"
    """What starts it: manual, schedule, periodic, file_arrival, table, model, job_completion, run_job, continuous."""
    due: Due | None = None
    typical_ms: int = 0
    """Typical length of a run; 0 for a job that only control starts."""
    failure_rate: float = 0.0
    deleted: bool = False

    @property
    def name(self) -> str:
        """Not unique, and may change."""
        return str(self.settings["name"])

    @property
    def paused(self) -> bool:
        """True when neither schedule nor trigger starts it."""
        pausable = ("schedule", "trigger", "continuous")
        return any(self.settings.get(part, {}).get("pause_status") == "PAUSED" for part in pausable)

    @property
    def most_at_once(self) -> int:
        """How many of its runs may be active at a time."""
        return int(self.settings.get("max_concurrent_runs", 1))

    @property
    def queueing(self) -> bool:
        """True when a run beyond the most waits instead of being skipped."""
        return bool(self.settings.get("queue", {}).get("enabled"))

    @property
    def timeout_ms(self) -> int:
        """After which a run is timed out; 0 means never."""
        return int(self.settings.get("timeout_seconds", 0)) * 1000


class Phase(NamedTuple):
    """From `at_ms` on the run is in this state."""

    at_ms: int
    state: str
    queue_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One execution of one task."""

    spec: TaskSpec
    run_id: int
    number: int
    """`attempt_number`: how many runs of the same task in the same run came before."""
    visible_ms: int
    """From when the answers show it: a retry appears when it begins, everything else at once."""
    setup_ms: int
    """When setup begins, which is its `start_time` once it has begun."""
    running_ms: int
    cleanup_ms: int
    ended_ms: int
    ending: Ending

    def state(self, now_ms: int) -> str:
        """`status.state` at that time."""
        if now_ms >= self.ended_ms:
            return "TERMINATED"
        if now_ms >= self.cleanup_ms:
            return "TERMINATING"
        if now_ms >= self.running_ms:
            return "RUNNING"
        return "PENDING" if now_ms >= self.setup_ms else "BLOCKED"


@dataclass(slots=True, kw_only=True, eq=False)
class Attempt:
    """A run's original pass or one of its repairs."""

    started_ms: int
    ended_ms: int
    """When it ends or will end; FOREVER while only control ends it."""
    phases: tuple[Phase, ...]
    ending: Ending
    tasks: tuple[TaskRun, ...] = ()
    repair_id: int = 0
    """0 for the original pass."""

    @property
    def own_ms(self) -> int:
        """Its length, from its own start to its own end."""
        return self.ended_ms - self.started_ms

    @property
    def queue_ms(self) -> int:
        """Time spent in the queue."""
        ends = [phase.at_ms for phase in self.phases[1:]] + [self.ended_ms]
        spans = zip(self.phases, ends, strict=True)
        return sum(end - phase.at_ms for phase, end in spans if phase.state == "QUEUED")

    @property
    def retries(self) -> int:
        """Task runs beyond the first of their task."""
        return len(self.tasks) - len({task.spec.key for task in self.tasks})

    def phase_index(self, now_ms: int) -> int:
        """Which of the phases it is in at that time."""
        index = len(self.phases) - 1
        while index > 0 and self.phases[index].at_ms > now_ms:
            index -= 1
        return index


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """A run under one id, through all its attempts."""

    run_id: int
    job_id: int
    job: Job | None
    """None for a one-time run, which has a job id of its own."""
    run_type: str
    trigger: str
    triggered_by: int = 0
    """The run that started it, for RUN_JOB_TASK."""
    name: str
    creator: str
    """Empty when the user is gone."""
    started_ms: int
    tasks: tuple[TaskSpec, ...]
    attempts: list[Attempt] = field(default_factory=list)
    active: bool = True
    controlled: bool = False
    """True for a run that does nothing by itself."""
    rendered: tuple[tuple[int, int, bool], str] | None = None
    """The text of the list item and what it depends on; kept by `wire`."""

    @property
    def latest(self) -> Attempt:
        """The attempt under way, or the last."""
        return self.attempts[-1]

    @property
    def key(self) -> tuple[int, int]:
        """Its place among all runs: by start, then by id."""
        return self.started_ms, self.run_id

    def phase(self, now_ms: int) -> Phase:
        """The state it is in; TERMINATED when it is not active."""
        if not self.active:
            return Phase(self.latest.ended_ms, "TERMINATED")
        return self.latest.phases[self.latest.phase_index(now_ms)]

    def task_runs(self, key: str) -> int:
        """How many runs of this task there have been."""
        return sum(task.spec.key == key for attempt in self.attempts for task in attempt.tasks)

    def unsuccessful(self) -> tuple[TaskSpec, ...]:
        """The tasks whose last run did not succeed: what a repair runs again."""
        last = {task.spec.key: task for attempt in self.attempts for task in attempt.tasks}
        return tuple(task.spec for task in last.values() if task.ending.result != "SUCCESS")


def unstarted(spec: TaskSpec, at_ms: int, number: int, ending: Ending, run_id: int) -> TaskRun:
    """The run of a task that never begins: it ends when that is known."""
    return TaskRun(
        spec=spec,
        run_id=run_id,
        number=number,
        visible_ms=0,
        setup_ms=at_ms,
        running_ms=at_ms,
        cleanup_ms=at_ms,
        ended_ms=at_ms,
        ending=ending,
    )
