"""Turns the JSON of the Jobs API into runs, attempts and jobs, or says that an item is unreadable.

Reads raw JSON because the SDK's own classes replace every enumeration value that they do not know by None.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from collector.core.model import ZERO, Attempt, Job, Run, TaskRun
from collector.core.vocabulary import TERMINATED
from collector.sources.details import details
from collector.sources.fields import (
    SECOND,
    Json,
    border,
    cleaned,
    identifier,
    instant,
    integer,
    span,
    table,
    tables,
    text,
)
from collector.sources.outcomes import active_state, end, result, termination
from collector.sources.parameters import EVERY_NAME, SecretNames

TRIGGER_KINDS = (
    "file_arrival",
    "table_update",
    "table",
    "periodic",
    "model",
    "job_completion",
    "sql_condition",
)


@border()
def run(item: Json, *, with_history: bool = False, secret: SecretNames = EVERY_NAME) -> Run:
    """The run that an element of `runs/list` or an answer of `runs/get` describes.

    Values of parameters with `secret` names do not come through.
    """
    run_id = identifier(item, "run_id")
    started = instant(item, "start_time")
    ended = end(item)
    latest = _attempt(item, started, ended, _own_duration(item, started, ended)) if ended else None
    status = table(item, "status")
    history = _history(item, latest) if with_history else None
    return Run(
        run_id=run_id,
        job_id=identifier(item, "job_id"),
        run_type=text(item, "run_type"),
        trigger=text(item, "trigger"),
        name=text(item, "run_name"),
        creator=text(item, "creator_user_name"),
        url=text(item, "run_page_url"),
        started=started,
        ended=ended,
        state=TERMINATED if ended else active_state(item),
        queue_reason="" if ended else text(table(status, "queue_details"), "code"),
        queue=span(item, "queue_duration"),
        message=termination(item).message if ended else "",
        latest=latest,
        history=history,
        details=details(item, secret) if with_history else None,
    )


@border()
def job(item: Json) -> Job:
    """The job that an element of `jobs/list` describes."""
    settings = table(item, "settings")
    schedule, continuous = table(settings, "schedule"), table(settings, "continuous")
    trigger = table(settings, "trigger")
    periodic = table(trigger, "periodic")
    pausable = schedule or continuous or trigger
    return Job(
        job_id=identifier(item, "job_id"),
        name=text(settings, "name"),
        creator=text(item, "creator_user_name"),
        run_as=text(item, "run_as_user_name"),
        created=instant(item, "created_time") if item.get("created_time") else None,
        tags={cleaned(str(key)): cleaned(str(value)) for key, value in table(settings, "tags").items()},
        format=text(settings, "format"),
        trigger_type=_trigger_type(schedule, continuous, trigger),
        quartz_cron_expression=text(schedule, "quartz_cron_expression"),
        timezone_id=text(schedule, "timezone_id"),
        periodic_interval=integer(periodic, "interval"),
        periodic_unit=text(periodic, "unit"),
        paused=text(pausable, "pause_status") == "PAUSED",
        continuous=bool(continuous),
        queueing=bool(table(settings, "queue").get("enabled")),
        max_concurrent_runs=integer(settings, "max_concurrent_runs", 1),
        timeout=span(settings, "timeout_seconds", SECOND),
        expected_duration=_expected_duration(tables(table(settings, "health"), "rules")),
    )


def _attempt(
    item: Json,
    started: datetime,
    ended: datetime,
    duration: timedelta,
    tasks: tuple[TaskRun, ...] = (),
) -> Attempt:
    why = termination(item)
    return Attempt(
        started=started,
        ended=ended,
        result=result(item),
        termination_code=why.code,
        termination_type=why.kind,
        tasks=tasks,
        duration=duration,
    )


def _history(item: Json, latest: Attempt | None) -> tuple[Attempt, ...]:
    """The finished attempts in order of their end; the run itself where it was never repaired."""
    entries = tables(item, "repair_history")
    tasks = {task.run_id: task for task in map(_task, tables(item, "tasks"))}
    if not entries:
        return (replace(latest, tasks=tuple(tasks.values())),) if latest else ()
    owned = {task_id for entry in entries for task_id in _task_ids(entry)}
    attempts = []
    for entry in entries:
        own = _task_ids(entry)
        if text(entry, "type") != "REPAIR":
            own += [task_id for task_id in tasks if task_id not in owned]
        if ended := end(entry):  # only then it must have started: a repair may still be queued
            started = instant(entry, "start_time")
            attempts.append(
                _attempt(
                    entry,
                    started,
                    ended,
                    max(ZERO, ended - started),
                    tuple(tasks[task_id] for task_id in own if task_id in tasks),
                )
            )
    return tuple(sorted(attempts, key=lambda attempt: attempt.ended))


def _own_duration(item: Json, started: datetime, ended: datetime) -> timedelta:
    """`run_duration`, else the sum of the phases, else the time between start and end: run level fields may be 0."""
    phases = sum((span(item, f"{phase}_duration") for phase in ("setup", "execution", "cleanup")), ZERO)
    return span(item, "run_duration") or phases or max(ZERO, ended - started)


def _task_ids(entry: Json) -> list[str]:
    value = entry.get("task_run_ids")
    return [str(task_id) for task_id in value] if isinstance(value, list) else []


def _task(item: Json) -> TaskRun:
    return TaskRun(
        run_id=identifier(item, "run_id"),
        task_key=text(item, "task_key"),
        result=result(item),
        queue=span(item, "queue_duration"),
        setup=span(item, "setup_duration"),
        execution=span(item, "execution_duration"),
        cleanup=span(item, "cleanup_duration"),
    )


def _trigger_type(schedule: Json, continuous: Json, trigger: Json) -> str:
    if schedule:
        return "SCHEDULE"
    if continuous:
        return "CONTINUOUS"
    return next((kind.upper() for kind in TRIGGER_KINDS if kind in trigger), "")


def _expected_duration(rules: Iterable[Json]) -> timedelta:
    values = (span(rule, "value", SECOND) for rule in rules if rule.get("metric") == "RUN_DURATION_SECONDS")
    return min((value for value in values if value), default=ZERO)
