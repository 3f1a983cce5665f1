"""What a look at a single run shows for people: its tasks, parameters and repairs. Nothing is counted by it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from collector.core.records import RepairDetail, RunDetails, TaskDetail
from collector.sources.fields import Json, instant, integer, span, tables, text
from collector.sources.outcomes import end, result, state, termination
from collector.sources.parameters import SecretNames, cut, parameters

LONGEST_MESSAGE = 4000
"""Characters of a message that are kept."""
BODY = "_task"
"""How the field ends that says what a task runs."""


def details(item: Json, secret: SecretNames) -> RunDetails | None:
    """The details in an answer of `runs/get`; None when they cannot be read, which takes nothing from the run."""
    try:
        repairs = [entry for entry in tables(item, "repair_history") if text(entry, "type") == "REPAIR"]
        owners = {
            str(task_id): str(entry.get("id", ""))
            for entry in repairs
            for task_id in entry.get("task_run_ids") or ()
        }
        tasks = [_task(entry, owners) for entry in tables(item, "tasks")]
        return RunDetails(
            tasks=tuple(in_order(tasks)),
            parameters=parameters(item, secret),
            repairs=tuple(_repair(entry) for entry in sorted(repairs, key=_begin)),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None


def in_order(tasks: Sequence[TaskDetail]) -> Iterator[TaskDetail]:
    """Every task after those that it depends on, its executions in order; tasks in a circle come last, as given."""
    executions: dict[str, list[TaskDetail]] = defaultdict(list)
    for task in tasks:
        executions[task.task_key].append(task)
    for key in _by_dependency({key: found[-1].depends_on for key, found in executions.items()}):
        yield from sorted(executions[key], key=lambda task: task.attempt)


def _by_dependency(before: Mapping[str, Iterable[str]]) -> list[str]:
    """The keys, each after those that have to come before it."""
    waiting = {key: {other for other in others if other in before} for key, others in before.items()}
    followers: dict[str, list[str]] = defaultdict(list)
    for key, others in waiting.items():
        for other in others:
            followers[other].append(key)
    order = [key for key, others in waiting.items() if not others]
    for key in order:  # grows while it is walked
        for follower in followers[key]:
            waiting[follower].discard(key)
            if not waiting[follower]:
                order.append(follower)
    placed = set(order)
    return [*order, *(key for key in before if key not in placed)]


def _task(item: Json, owners: Mapping[str, str]) -> TaskDetail:
    run_id = str(item.get("run_id", ""))
    why = termination(item)
    return TaskDetail(
        run_id=run_id,
        task_key=text(item, "task_key"),
        depends_on=tuple(text(each, "task_key") for each in tables(item, "depends_on")),
        kind=next((key.removesuffix(BODY) for key in item if key.endswith(BODY)), ""),
        attempt=integer(item, "attempt_number"),
        repair_id=owners.get(run_id, ""),
        state=state(item),
        result=result(item),
        started=_begun(item),
        ended=end(item),
        queue=span(item, "queue_duration"),
        setup=span(item, "setup_duration"),
        execution=span(item, "execution_duration"),
        cleanup=span(item, "cleanup_duration"),
        termination_code=why.code,
        termination_type=why.kind,
        message=cut(why.message, LONGEST_MESSAGE),
        url=text(item, "run_page_url"),
    )


def _repair(item: Json) -> RepairDetail:
    why = termination(item)
    return RepairDetail(
        repair_id=str(item.get("id", "")),
        state=state(item),
        result=result(item),
        started=_begun(item),
        ended=end(item),
        termination_code=why.code,
        termination_type=why.kind,
        message=cut(why.message, LONGEST_MESSAGE),
    )


def _begin(item: Json) -> int:
    """When it began, as a key to sort by; what has not begun comes last."""
    return integer(item, "start_time") or 2**63


def _begun(item: Json) -> datetime | None:
    return instant(item, "start_time") if integer(item, "start_time") else None
