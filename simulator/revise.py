"""Attempts that do not go by a plan of their own: held until control moves them on, or interrupted on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulator.endings import FAILED, SUCCESS, UPSTREAM_CANCELED, Ending
from simulator.runs import FOREVER, Attempt, NewId, Phase, TaskRun, TaskSpec, unstarted


def held(
    phase: Phase, specs: Sequence[TaskSpec], new_id: NewId, numbers: Mapping[str, int], *, repair_id: int = 0
) -> Attempt:
    """An attempt that stays in its state until control moves it on."""
    tasks = tuple(
        TaskRun(
            spec=spec,
            run_id=new_id(),
            number=numbers.get(spec.key, 0),
            visible_ms=phase.at_ms,
            setup_ms=phase.at_ms,
            running_ms=FOREVER,
            cleanup_ms=FOREVER,
            ended_ms=FOREVER,
            ending=SUCCESS,
        )
        for spec in specs
    )
    return Attempt(
        started_ms=phase.at_ms,
        ended_ms=FOREVER,
        phases=(phase,),
        ending=SUCCESS,
        tasks=tasks,
        repair_id=repair_id,
    )


def settled(attempt: Attempt, now_ms: int, ending: Ending, retries: int, new_id: NewId) -> Attempt:
    """The held attempt, ended now; what followed the queue is a tenth setup and a twentieth cleanup."""
    ended = replace(attempt, ended_ms=now_ms, ending=ending)
    begin = attempt.started_ms + ended.queue_ms
    length = now_ms - begin
    tasks = [
        replace(
            task,
            setup_ms=begin,
            running_ms=begin + length // 10,
            cleanup_ms=now_ms - length // 20,
            ended_ms=now_ms,
            ending=ending if ending.result else FAILED,
        )
        for task in attempt.tasks
    ]
    if tasks:
        first = tasks[0]
        lost = [
            replace(first, run_id=new_id(), number=first.number + n, ending=FAILED) for n in range(retries)
        ]
        tasks = [*lost, replace(first, number=first.number + retries), *tasks[1:]]
    return replace(ended, tasks=tuple(tasks))


def cut(attempt: Attempt, at_ms: int, ending: Ending) -> Attempt:
    """The attempt interrupted at that time: what runs is stopped, what has not begun never begins."""
    return replace(
        attempt,
        ended_ms=at_ms,
        phases=tuple(phase for phase in attempt.phases if phase.at_ms < at_ms) or attempt.phases[:1],
        ending=ending,
        tasks=tuple(_cut(task, at_ms, ending) for task in attempt.tasks if task.visible_ms <= at_ms),
    )


def _cut(task: TaskRun, at_ms: int, ending: Ending) -> TaskRun:
    if task.ended_ms <= at_ms:
        return task
    if task.setup_ms >= at_ms:
        return unstarted(task.spec, at_ms, task.number, UPSTREAM_CANCELED, task.run_id)
    return replace(
        task,
        running_ms=min(task.running_ms, at_ms),
        cleanup_ms=min(task.cleanup_ms, at_ms),
        ended_ms=at_ms,
        ending=ending,
    )
