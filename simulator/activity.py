"""What happens by itself: schedules come due, people start and repair runs, jobs come and go."""

from functools import partial
from random import Random

from simulator.clock import HOUR_MS, MINUTE_MS, SECOND_MS, milliseconds
from simulator.content import Author
from simulator.endings import FUTURE_TRIGGER
from simulator.launch import Launcher
from simulator.options import Options
from simulator.runs import Job
from simulator.world import World

BY_SCHEDULE_ONLY = 0.7
"""How often a scheduled job is passed over when somebody starts a job by hand."""
TRIGGERS = {
    "schedule": "PERIODIC",
    "periodic": "PERIODIC",
    "file_arrival": "FILE_ARRIVAL",
    "table": "TABLE",
    "model": FUTURE_TRIGGER,
    "job_completion": "JOB_COMPLETION",
    "run_job": "RUN_JOB_TASK",
    "continuous": "CONTINUOUS",
}
"""What the runs of a job of this kind give as trigger; ONE_TIME for every other."""


class Activity:
    """Keeps a world busy; draws everything from one generator, in the order of the events."""

    def __init__(self, world: World, options: Options, rng: Random) -> None:
        self._world = world
        self._options = options
        self._rng = rng
        self._author = Author(rng, world.new_id, options)
        self._mean_ms = max(1, milliseconds(options.mean_duration))
        self._launcher = Launcher(world, options, rng)

    def pause(self, *, paused: bool) -> None:
        """Nothing new starts while paused; what runs goes on."""
        self._launcher.paused = paused

    # ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────

    def populate(self, now_ms: int) -> None:
        """Jobs, their history until now, and the runs that are active now."""
        world, options, rng = self._world, self._options, self._rng
        for _ in range(options.jobs):
            world.add_job(self._author.job(world.now_ms - rng.randrange(HOUR_MS, 700 * 24 * HOUR_MS)))
        if options.active_runs and options.jobs and now_ms > world.now_ms:
            self._remember(now_ms)
        world.advance(now_ms)
        self._launcher.live = True
        if not options.active_runs:
            return
        for job in [world.jobs[job_id] for _, job_id in world.listed.keys]:
            self._await_due(job)
        for _ in range(options.active_runs - len(world.active)):
            self._seed_run()
        world.at(now_ms, self._tick)
        if options.job_changes_per_hour > 0:
            self._await_change()

    def _remember(self, now_ms: int) -> None:
        """Lay finished runs into the history: scheduled ones when they were due, the others anywhere."""
        world, options, since = self._world, self._options, self._world.now_ms
        room = min((now_ms - since) * options.active_runs // self._mean_ms, options.history_runs)
        each = max(1, room // options.jobs)
        for job in world.jobs.values():
            if job.due and not job.paused:
                for when in job.due.latest(each, since, now_ms):
                    world.at(when, partial(self._launcher.launch, job, "PERIODIC"))
                    room -= 1
        for _ in range(max(room, 0)):
            world.at(self._rng.randrange(since, now_ms), self._start_something)

    def _seed_run(self) -> None:
        """A run that is under way already."""
        length = self._rng.randrange(HOUR_MS, 12 * HOUR_MS) if self._rng.random() < 0.1 else 2 * self._mean_ms
        if job := self._some_job():
            self._launcher.launch(
                job, TRIGGERS.get(job.kind, "ONE_TIME"), began=self._rng.random(), length_ms=length
            )

    # ── starting ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        world, target = self._world, self._options.active_runs
        missing = target - len(world.active)
        if missing > 0:
            wanted = 1 + missing * 10 // target
        else:
            wanted = int(-missing < target // 8 and self._rng.random() < 0.4)
        for _ in range(wanted):
            self._start_something()
        gap = self._rng.expovariate(1.0) * self._mean_ms / target
        world.at(world.now_ms + 1 + int(gap), self._tick)

    def _start_something(self) -> None:
        if self._rng.random() < self._options.one_time_rate:
            self._launcher.launch(None, "ONE_TIME")
        elif job := self._some_job():
            self._launcher.launch(job, "ONE_TIME" if job.due else TRIGGERS.get(job.kind, "ONE_TIME"))

    def _some_job(self) -> Job | None:
        """A job that may start now, preferably one that has room for another run."""
        keys = self._world.listed.keys
        for _ in range(12 if keys else 0):
            job = self._world.jobs[self._rng.choice(keys)[1]]
            if not job.typical_ms or job.paused or job.kind == "continuous":
                continue
            if job.due and self._rng.random() < BY_SCHEDULE_ONLY:
                continue
            if self._launcher.has_room(job) or self._rng.random() < 0.1:
                return job
        return None

    def _await_due(self, job: Job) -> None:
        if job.kind == "continuous":
            wait = self._rng.randrange(SECOND_MS, MINUTE_MS)
            self._world.at(self._world.now_ms + wait, partial(self._restart, job))
        elif job.due:
            self._world.at(job.due.after(self._world.now_ms), partial(self._come_due, job))

    def _come_due(self, job: Job) -> None:
        if job.deleted:
            return
        if not job.paused:
            self._launcher.launch(job, "PERIODIC")
        self._await_due(job)

    def _restart(self, job: Job) -> None:
        """Keep a continuous job running."""
        if job.deleted:
            return
        if not job.paused and not self._world.active_of[job.job_id]:
            runs = self._world.by_job[job.job_id].keys
            failed = bool(runs) and self._world.runs[runs[-1][1]].latest.ending.failed
            self._launcher.launch(job, "CONTINUOUS_RESTART" if failed else "CONTINUOUS")
        self._await_due(job)

    # ── editing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _await_change(self) -> None:
        gap = self._rng.expovariate(self._options.job_changes_per_hour) * HOUR_MS
        self._world.at(self._world.now_ms + 1 + int(gap), self._change_a_job)

    def _change_a_job(self) -> None:
        self._await_change()
        rng, world = self._rng, self._world
        edited = [job_id for _, job_id in world.listed.keys if world.jobs[job_id].typical_ms]
        if self._launcher.paused or not edited:
            return
        job = world.jobs[rng.choice(edited)]
        change = rng.random()
        if change < 0.4:
            world.edit_job(job, job.settings | {"name": self._author.name()})
        elif change < 0.6 and len(edited) > self._options.jobs * 0.8:
            world.delete_job(job)
        elif change < 0.8:
            new = self._author.job(world.now_ms)
            world.add_job(new)
            self._await_due(new)
        elif "schedule" in job.settings:
            pause = "UNPAUSED" if job.paused else "PAUSED"
            schedule = job.settings["schedule"] | {"pause_status": pause}
            world.edit_job(job, job.settings | {"schedule": schedule})
