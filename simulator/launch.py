"""Starts and repairs runs as people, schedules and bad luck do: how long, how it ends, what it waits for."""

from functools import partial
from random import Random

from simulator.clock import HOUR_MS, MINUTE_MS, SECOND_MS, milliseconds
from simulator.content import tasks
from simulator.endings import (
    CONCURRENCY,
    FAILURES,
    FUTURE,
    MAX_CONCURRENT,
    PARTIAL,
    SKIPS,
    SUCCESS,
    SUCCESSES,
    WORKSPACE_QUEUE_CODES,
    Ending,
    draw,
)
from simulator.options import Options
from simulator.plan import Wish, attempt, skipped
from simulator.runs import Job, Run
from simulator.world import World

SHORTEST_MS, SHORT_MS = 300, 2_900
LONGEST_QUEUE_MS = HOUR_MS
MOST_REPAIRS = 4


class Launcher:
    """Puts runs into a world; draws everything from one generator, in the order of the events."""

    def __init__(self, world: World, options: Options, rng: Random) -> None:
        self._world = world
        self._options = options
        self._rng = rng
        self._mean_ms = max(1, milliseconds(options.mean_duration))
        self._started = 0
        self.live = False
        """False while the history is made, which no limit applies to."""
        self.paused = False
        """True while nothing new starts."""
        world.on_finish = self._follow_up

    def launch(self, job: Job | None, trigger: str, *, began: float = 0.0, length_ms: int = 0) -> None:
        """Start a run, unless nothing may start; `began` is the part of it that lies in the past."""
        options, rng, world = self._options, self._rng, self._world
        if self.live and (self.paused or self._started == options.max_runs):
            return
        self._started += self.live
        length_ms = length_ms or self._length(job)
        started_ms = world.now_ms - int(began * length_ms)
        run = self._run(job, trigger, started_ms)
        room = job is None or self.has_room(job)
        waits = job is not None and job.queueing and job.most_at_once > 0
        if not began and (rng.random() < options.skip_rate or not (room or waits)):
            ending = draw(rng, SKIPS) if room else CONCURRENCY
            world.start(run, skipped(started_ms, run.tasks, ending, world.new_id))
            return
        brief = bool(began) or length_ms <= SHORT_MS
        queue_ms, code = (0, "") if brief and room else self._queue(job, room=room)
        wish = Wish(
            started_ms=started_ms,
            length_ms=length_ms,
            ending=SUCCESS if began else self._ending(job, len(run.tasks)),
            queue_ms=queue_ms,
            queue_code=code,
            blocked_ms=rng.randrange(SECOND_MS, MINUTE_MS) if rng.random() < 0.03 and not brief else 0,
            timeout_ms=job.timeout_ms if job and not began else 0,
            retry_rate=0 if brief else options.retry_rate,
            future_state=rng.random() < options.future_rate,
        )
        world.start(run, attempt(wish, run.tasks, rng, world.new_id))

    def _run(self, job: Job | None, trigger: str, started_ms: int) -> Run:
        rng, new_id = self._rng, self._world.new_id
        if job is None:
            return Run(
                run_id=new_id(),
                job_id=new_id(),
                job=None,
                run_type=rng.choice(("SUBMIT_RUN", "SUBMIT_RUN", "WORKFLOW_RUN")),
                trigger=trigger,
                name=rng.choice(("Untitled", f"ad hoc {rng.randrange(10**6)}", "ADF_pipeline_7")),
                creator="ana@example.com",
                started_ms=started_ms,
                tasks=tasks(rng, rng.choice((1, 1, 2))),
            )
        if trigger == "ONE_TIME" and rng.random() < 0.05:
            trigger = "RETRY"
        others = self._world.active.keys
        return Run(
            run_id=new_id(),
            job_id=job.job_id,
            job=job,
            run_type="JOB_RUN",
            trigger=trigger,
            triggered_by=rng.choice(others)[1] if trigger == "RUN_JOB_TASK" and others else 0,
            name=job.name,
            creator="" if rng.random() < 0.02 else job.creator,
            started_ms=started_ms,
            tasks=job.tasks,
        )

    def _length(self, job: Job | None) -> int:
        rng = self._rng
        if rng.random() < self._options.short_rate:
            return rng.randrange(SHORTEST_MS, SHORT_MS)
        if rng.random() < self._options.long_rate:
            return rng.randrange(3 * HOUR_MS, 20 * HOUR_MS)
        return max(
            SHORTEST_MS, int((job.typical_ms if job else self._mean_ms) * rng.lognormvariate(-0.05, 0.3))
        )

    def _queue(self, job: Job | None, *, room: bool) -> tuple[int, str]:
        """How long the run waits, and for what."""
        if job and not room:
            ends = [run.latest.ended_ms for run in self._world.active_of[job.job_id].values()]
            wait = min(ends, default=0) - self._world.now_ms
            return min(LONGEST_QUEUE_MS, max(SECOND_MS, wait + SECOND_MS)), MAX_CONCURRENT
        if self._rng.random() < self._options.queue_rate:
            return self._rng.randrange(SECOND_MS, 90 * SECOND_MS), self._rng.choice(WORKSPACE_QUEUE_CODES)
        return 0, ""

    def _ending(self, job: Job | None, task_count: int) -> Ending:
        rng = self._rng
        if rng.random() < self._options.future_rate / 2:
            return draw(rng, FUTURE)
        if rng.random() < (job.failure_rate if job else self._options.failure_rate):
            return draw(rng, FAILURES)
        ending = draw(rng, SUCCESSES)
        return SUCCESS if ending is PARTIAL and task_count == 1 else ending

    def _follow_up(self, run: Run) -> None:
        """Somebody may repair what failed: seconds later, or after lunch."""
        rng, options = self._rng, self._options
        if run.controlled or run.job is None or not run.latest.ending.failed:
            return
        if len(run.attempts) > MOST_REPAIRS or rng.random() >= options.repair_rate:
            return
        delay = (
            milliseconds(options.repair_delay) * rng.choice((0.005, 0.5, 1, 1, 2, 20)) * rng.uniform(0.5, 1.5)
        )
        self._world.at(self._world.now_ms + SECOND_MS + int(delay), partial(self._repair, run))

    def _repair(self, run: Run) -> None:
        rng, options, world = self._rng, self._options, self._world
        specs = run.unsuccessful()
        if self.paused or run.active or run.job is None or run.job.deleted or not specs:
            return
        short = rng.random() < 3 * options.short_rate
        length_ms = rng.randrange(SHORTEST_MS, SHORT_MS) if short else self._length(run.job)
        wish = Wish(
            started_ms=world.now_ms,
            length_ms=length_ms,
            ending=SUCCESS if rng.random() < 0.7 else draw(rng, FAILURES),
            retry_rate=0 if short else options.retry_rate,
            repair_id=world.new_id(),
            numbers={spec.key: run.task_runs(spec.key) for spec in specs},
        )
        world.repair(run, attempt(wish, specs, rng, world.new_id))

    def has_room(self, job: Job) -> bool:
        """True while the job may have another active run."""
        return len(self._world.active_of[job.job_id]) < job.most_at_once
