"""What really happened, from the world's own log: what counters and gauges are compared with."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from simulator.runs import Attempt, Run
from simulator.world import World

Json = dict[str, Any]
Log = list[tuple[Run, Attempt]]
SUCCESSES = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})
FAILURES = frozenset({"FAILED", "TIMEDOUT", "INTERNAL_ERROR"})


def truth(world: World, since_ms: int, until_ms: int) -> Json:
    """Counts over the attempts that ended, and the runs that started, from `since_ms` to `until_ms`, both inclusive.

    `jobs` and `active` are of now and of all time. Words are as on the wire; one-time runs stand under job id "".
    """
    log = [entry for entry in world.finished if since_ms <= entry[1].ended_ms <= until_ms]
    started = [run for run in world.runs.values() if since_ms <= run.started_ms <= until_ms]
    active = [world.runs[run_id] for _, run_id in world.active.keys]
    return {
        "now_ms": world.now_ms,
        "runs_finished": _nested((job_of(run), attempt.ending.word) for run, attempt in log),
        "terminations": _counted(f"{attempt.ending.code}/{attempt.ending.kind}" for _, attempt in log),
        "runs_started": _counted(f"{run.trigger}/{run.run_type}" for run in started),
        "durations_ms": _durations(log, lambda run, _: job_of(run)),
        "durations_by_result_ms": _durations(log, lambda _, attempt: attempt.ending.word),
        "phases_ms": _phases(log),
        "repairs": _counted(job_of(run) for run, attempt in log if attempt.repair_id),
        "task_retries": _retries(log),
        "jobs": _jobs(world),
        "active": _counted(run.phase(world.now_ms).state for run in active),
        "queued": _counted(
            phase.queue_code
            for phase in (run.phase(world.now_ms) for run in active)
            if phase.state == "QUEUED"
        ),
        "totals": {
            "attempts_finished": len(log),
            "runs_started": len(started),
            "runs": len(world.runs),
            "active": len(active),
            "jobs": len(world.listed),
        },
    }


def job_of(run: Run) -> str:
    """The job id that a run counts for; empty for a one-time run."""
    return str(run.job_id) if run.job else ""


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for outer, inner in pairs:
        nested[outer][inner] += 1
    return {outer: dict(sorted(inner.items())) for outer, inner in sorted(nested.items())}


def _durations(log: Log, key: Callable[[Run, Attempt], str]) -> dict[str, Json]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for run, attempt in log:
        groups[key(run, attempt)].append(attempt.own_ms)
    return {name: {"sum": sum(spans), "count": len(spans)} for name, spans in sorted(groups.items())}


def _phases(log: Log) -> dict[str, Json]:
    """Setup, execution and cleanup over the task runs; queueing of the run, with its first attempt."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for run, attempt in log:
        phases = sums[job_of(run)]
        phases["queue"] += attempt.queue_ms if attempt is run.attempts[0] else 0
        for task in attempt.tasks:
            phases["setup"] += task.running_ms - task.setup_ms
            phases["execution"] += task.cleanup_ms - task.running_ms
            phases["cleanup"] += task.ended_ms - task.cleanup_ms
    names = ("queue", "setup", "execution", "cleanup")
    return {job: {name: phases[name] for name in names} for job, phases in sorted(sums.items())}


def _retries(log: Log) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for run, attempt in log:
        sums[job_of(run)] += attempt.retries
    return {job: retries for job, retries in sorted(sums.items()) if retries}


def _jobs(world: World) -> dict[str, Json]:
    """The latest of each job over the whole log, which is in the order of the ends."""
    jobs: defaultdict[str, Json] = defaultdict(
        lambda: {
            "last_result": "",
            "last_end_ms": None,
            "last_success_ms": None,
            "last_start_ms": None,
            "consecutive_failures": 0,
        }
    )
    for run in world.runs.values():
        if run.job:
            known = jobs[str(run.job_id)]
            known["last_start_ms"] = max(known["last_start_ms"] or 0, run.started_ms)
    for run, attempt in world.finished:
        if run.job:
            job, word = jobs[str(run.job_id)], attempt.ending.word
            job["last_result"], job["last_end_ms"] = word, attempt.ended_ms
            if word in SUCCESSES:
                job["last_success_ms"], job["consecutive_failures"] = attempt.ended_ms, 0
            elif word in FAILURES:
                job["consecutive_failures"] += 1
    return dict(sorted(jobs.items()))
