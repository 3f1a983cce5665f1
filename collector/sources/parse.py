"""Turns the JSON of the Jobs API into runs, attempts and jobs, or says that an item is unreadable.

Reads raw JSON because the SDK's own classes replace every enumeration value that they do not know by None.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.core.model import ZERO, Attempt, Job, Run, TaskRun
from collector.core.vocabulary import ACTIVE_STATES, STATE_OF_LIFE_CYCLE, TERMINAL_LIFE_CYCLES, TERMINATED

RESULT_OF_CODE = {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS_WITH_FAILURES",
    "CANCELED": "CANCELED",
    "USER_CANCELED": "CANCELED",
    "CLUSTER_TERMINATED_BY_USER": "CANCELED",
    "SKIPPED": "SKIPPED",
    "MAX_JOB_QUEUE_SIZE_EXCEEDED": "SKIPPED",
    "MAX_CONCURRENT_RUNS_EXCEEDED": "MAXIMUM_CONCURRENT_RUNS_REACHED",
    "DISABLED": "DISABLED",
    "INTERNAL_ERROR": "INTERNAL_ERROR",
}
"""The result where only the new `status` is sent; every other termination code is a failure."""

TRIGGER_KINDS = (
    "file_arrival",
    "table_update",
    "table",
    "periodic",
    "model",
    "job_completion",
    "sql_condition",
)

NEVER_BEGUN = frozenset({"SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED"})
"""Results of runs that ended when they began, and may be shown without an end."""
UNDER_WAY_TO_ITS_END = "TERMINATING"
"""The state of a run that is over by its words, as long as no end tells which attempt that was."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=36_525)
"""A century: no instant plus spans that pass here leaves the calendar, and millions of them fit into one counter."""
LARGEST = 2**63 - 1
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and lone halves of surrogate pairs are valid JSON, and neither UTF-8 nor a database can hold them."""

Json = Mapping[str, Any]


class UnreadableItemError(ValueError):
    """An item lacks something without which it cannot be counted."""


@contextmanager
def _border() -> Iterator[None]:
    """Whatever an item holds that nobody thought of costs this item, not the poll."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, UnreadableItemError):
            raise
        raise UnreadableItemError(f"{type(error).__name__}: {error}") from error


@_border()
def run(item: Json, *, with_history: bool = False) -> Run:
    """The run that an element of `runs/list` or an answer of `runs/get` describes."""
    run_id = _id(item, "run_id")
    started = instant(item, "start_time")
    ended = _end(item)
    latest = _attempt(item, started, ended, _own_duration(item, started, ended)) if ended else None
    status = _object(item, "status")
    history = _history(item, latest) if with_history else None
    return Run(
        run_id=run_id,
        job_id=_id(item, "job_id"),
        run_type=_text(item, "run_type"),
        trigger=_text(item, "trigger"),
        name=_text(item, "run_name"),
        creator=_text(item, "creator_user_name"),
        url=_text(item, "run_page_url"),
        started=started,
        ended=ended,
        state=TERMINATED if ended else _active_state(item),
        queue_reason="" if ended else _text(_object(status, "queue_details"), "code"),
        queue=_span(item, "queue_duration"),
        message=(
            _text(_object(status, "termination_details"), "message")
            or _text(_object(item, "state"), "state_message")
        )
        if ended
        else "",
        latest=latest,
        history=history,
    )


@_border()
def job(item: Json) -> Job:
    """The job that an element of `jobs/list` describes."""
    settings = _object(item, "settings")
    schedule, continuous = _object(settings, "schedule"), _object(settings, "continuous")
    trigger = _object(settings, "trigger")
    periodic = _object(trigger, "periodic")
    pausable = schedule or continuous or trigger
    return Job(
        job_id=_id(item, "job_id"),
        name=_text(settings, "name"),
        creator=_text(item, "creator_user_name"),
        run_as=_text(item, "run_as_user_name"),
        created=instant(item, "created_time") if item.get("created_time") else None,
        tags={_clean(str(key)): _clean(str(value)) for key, value in _object(settings, "tags").items()},
        format=_text(settings, "format"),
        trigger_type=_trigger_type(schedule, continuous, trigger),
        quartz_cron_expression=_text(schedule, "quartz_cron_expression"),
        timezone_id=_text(schedule, "timezone_id"),
        periodic_interval=_integer(periodic, "interval"),
        periodic_unit=_text(periodic, "unit"),
        paused=_text(pausable, "pause_status") == "PAUSED",
        continuous=bool(continuous),
        queueing=bool(_object(settings, "queue").get("enabled")),
        max_concurrent_runs=_integer(settings, "max_concurrent_runs", 1),
        timeout=_span(settings, "timeout_seconds", SECOND),
        expected_duration=_expected_duration(_items(_object(settings, "health"), "rules")),
    )


def _state(item: Json) -> str:
    """The state in the words of `status.state`."""
    life_cycle = _text(_object(item, "state"), "life_cycle_state")
    state = _text(_object(item, "status"), "state") or STATE_OF_LIFE_CYCLE.get(life_cycle, life_cycle)
    if not state:
        raise UnreadableItemError("neither status.state nor state.life_cycle_state")
    return state


def _terminal(item: Json) -> bool:
    """Whether the words say that it is over; words that nobody knows leave it to the end time."""
    state = _state(item)
    if state == TERMINATED or _text(_object(item, "state"), "life_cycle_state") in TERMINAL_LIFE_CYCLES:
        return True
    return state not in ACTIVE_STATES and _integer(item, "end_time") > 0


def _active_state(item: Json) -> str:
    return UNDER_WAY_TO_ITS_END if _terminal(item) else _state(item)


def _end(item: Json) -> datetime | None:
    """When it ended; None while it is active, and while its words say that it is over but nothing says since when."""
    if not _terminal(item):
        return None
    if _integer(item, "end_time") > 0:
        return instant(item, "end_time")
    skipped = _text(_object(item, "state"), "life_cycle_state") == "SKIPPED" or _result(item) in NEVER_BEGUN
    return instant(item, "start_time") if skipped else None


def _attempt(
    item: Json,
    started: datetime,
    ended: datetime,
    duration: timedelta,
    *,
    repair: bool = False,
    tasks: tuple[TaskRun, ...] = (),
) -> Attempt:
    details = _object(_object(item, "status"), "termination_details")
    return Attempt(
        started=started,
        ended=ended,
        result=_result(item),
        termination_code=_text(details, "code"),
        termination_type=_text(details, "type"),
        repair=repair,
        tasks=tasks,
        duration=duration,
    )


def _result(item: Json) -> str:
    """`result_state`, else the terminal life cycle, else what the termination code amounts to; empty while active."""
    state, status = _object(item, "state"), _object(item, "status")
    if result := _text(state, "result_state"):
        return result
    life_cycle = _text(state, "life_cycle_state")
    if life_cycle in TERMINAL_LIFE_CYCLES and life_cycle != TERMINATED:
        return life_cycle
    if code := _text(_object(status, "termination_details"), "code"):
        return RESULT_OF_CODE.get(code, "FAILED")
    return life_cycle if life_cycle and life_cycle not in ACTIVE_STATES else ""


def _history(item: Json, latest: Attempt | None) -> tuple[Attempt, ...]:
    """The finished attempts in order of their end; the run itself where it was never repaired."""
    entries = _items(item, "repair_history")
    tasks = {task.run_id: task for task in map(_task, _items(item, "tasks"))}
    if not entries:
        return (replace(latest, tasks=tuple(tasks.values())),) if latest else ()
    owned = {task_id for entry in entries for task_id in _task_ids(entry)}
    attempts = []
    for entry in entries:
        own = _task_ids(entry)
        repair = _text(entry, "type") == "REPAIR"
        if not repair:
            own += [task_id for task_id in tasks if task_id not in owned]
        if ended := _end(entry):  # only then it must have started: a repair may still be queued
            started = instant(entry, "start_time")
            attempts.append(
                _attempt(
                    entry,
                    started,
                    ended,
                    max(ZERO, ended - started),
                    repair=repair,
                    tasks=tuple(tasks[task_id] for task_id in own if task_id in tasks),
                )
            )
    return tuple(sorted(attempts, key=lambda attempt: attempt.ended))


def _own_duration(item: Json, started: datetime, ended: datetime) -> timedelta:
    """`run_duration`, else the sum of the phases, else the time between start and end: run level fields may be 0."""
    phases = sum((_span(item, f"{phase}_duration") for phase in ("setup", "execution", "cleanup")), ZERO)
    return _span(item, "run_duration") or phases or max(ZERO, ended - started)


def _task_ids(entry: Json) -> list[str]:
    value = entry.get("task_run_ids")
    return [str(task_id) for task_id in value] if isinstance(value, list) else []


def _task(item: Json) -> TaskRun:
    return TaskRun(
        run_id=_id(item, "run_id"),
        task_key=_text(item, "task_key"),
        result=_result(item),
        queue=_span(item, "queue_duration"),
        setup=_span(item, "setup_duration"),
        execution=_span(item, "execution_duration"),
        cleanup=_span(item, "cleanup_duration"),
    )


def _trigger_type(schedule: Json, continuous: Json, trigger: Json) -> str:
    if schedule:
        return "SCHEDULE"
    if continuous:
        return "CONTINUOUS"
    return next((kind.upper() for kind in TRIGGER_KINDS if kind in trigger), "")


def _expected_duration(rules: Iterable[Json]) -> timedelta:
    values = (_span(rule, "value", SECOND) for rule in rules if rule.get("metric") == "RUN_DURATION_SECONDS")
    return min((value for value in values if value), default=ZERO)


def _id(item: Json, key: str) -> str:
    """An id as text; the API sends numbers, and more digits than a float can hold."""
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise UnreadableItemError(f"{key} is {value!r}, not an id")
    return str(value)


def _integer(item: Json, key: str, absent: int = 0) -> int:
    value = item.get(key)
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UnreadableItemError(f"{key} is {value!r}, not a whole number")
    try:
        number = int(value)
    except ValueError:
        raise UnreadableItemError(f"{key} is {value!r}, not a whole number") from None
    if abs(number) > LARGEST:
        raise UnreadableItemError(f"{key} is {value!r}, larger than any integer of a database")
    return number


def instant(item: Json, key: str) -> datetime:
    """The instant behind a field of epoch milliseconds."""
    value = _integer(item, key)
    if not 0 < value < (LATEST - EPOCH) // MILLISECOND:
        raise UnreadableItemError(f"{key} is {value!r}, not an instant")
    return EPOCH + value * MILLISECOND


def _span(item: Json, key: str, unit: timedelta = MILLISECOND) -> timedelta:
    value = max(0, _integer(item, key))
    if value > LONGEST // unit:
        raise UnreadableItemError(f"{key} is {value!r}, not a duration")
    return value * unit


def _text(item: Json, key: str) -> str:
    value = item.get(key)
    return _clean(value) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    return UNSTORABLE.sub("\ufffd", text)


def _object(item: Json, key: str) -> Json:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _items(item: Json, key: str) -> list[Json]:
    value = item.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
