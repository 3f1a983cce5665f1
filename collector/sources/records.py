"""Turns the rows of the queries on the system tables into values in the words of the Jobs API, or says that one is
unreadable. Knows the names of the columns, and nothing of how they were asked for.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation

from collector.core.model import MILLISECOND, Attempt, Job, Run, Spending, Usage
from collector.core.vocabulary import (
    CODE_OF_RECORD,
    TERMINATED,
    TRIGGER_OF_RECORD,
    TRIGGER_OF_RECORDED_JOB,
    recorded_result,
)
from collector.sources.fields import (
    EPOCH,
    SECOND,
    UnreadableItemError,
    border,
    bounded_instant,
    bounded_span,
    cleaned,
)
from collector.sources.source import RecordedJob, RecordedTaskRun

Row = Mapping[str, object]
"""Column → value."""

HOUR = timedelta(hours=1)
EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
"""A quantity times a price has at most 38 + 38 digits, and the sum over the prices of a day few more."""


@border()
def hour(row: Row) -> tuple[datetime, int]:
    """The clock hour of this row, and how many attempts ended in it."""
    return EPOCH + _integer(row, "ended_hour") * HOUR, _integer(row, "attempts")


@border()
def run(rows: Sequence[Row]) -> Run:
    """The run of which these are the finished attempts, ended as the last of them."""
    by_end = sorted(rows, key=lambda row: (_instant(row, "end_ms"), _instant(row, "start_ms")))
    history = tuple(_attempt(row) for row in by_end)
    first, latest = rows[0], history[-1]
    trigger = _text(first, "trigger_type")
    return Run(
        run_id=_id(first, "run_id"),
        job_id=_id(first, "job_id"),
        run_type=_text(first, "run_type"),
        trigger=TRIGGER_OF_RECORD.get(trigger, trigger),
        name=_text(first, "run_name"),
        started=_instant(first, "run_start_ms"),
        ended=latest.ended,
        state=TERMINATED,
        latest=latest,
        history=history,
    )


@border()
def task_run(row: Row) -> RecordedTaskRun:
    """The task run of this row."""
    return RecordedTaskRun(
        job_run_id=_id(row, "job_run_id"),
        run_id=_id(row, "run_id"),
        task_key=_text(row, "task_key"),
        result=recorded_result(_text(row, "result_state"), _text(row, "termination_code")),
        ended=_instant(row, "end_ms"),
    )


@border()
def job(row: Row) -> RecordedJob:
    """The definition of this row; what was written before there were the newer columns has their defaults."""
    trigger_type = _trigger_type(row)
    found = Job(
        job_id=_id(row, "job_id"),
        name=_text(row, "name"),
        creator=_text(row, "creator_user_name"),
        run_as=_text(row, "run_as_user_name"),
        created=_instant_or_none(row, "create_ms"),
        tags=_tags(row),
        trigger_type=trigger_type,
        quartz_cron_expression=_text(row, "quartz_cron_expression"),
        timezone_id=_text(row, "timezone_id"),
        periodic_interval=_integer(row, "periodic_interval"),
        periodic_unit=_text(row, "periodic_units"),
        paused=row["paused"] is True,
        continuous=trigger_type == "CONTINUOUS",
        timeout=_span(row, "timeout_seconds", SECOND),
        expected_duration=_span(row, "expected_duration_seconds", SECOND),
    )
    return RecordedJob(
        job=found, changed=_instant(row, "change_ms"), deleted=_instant_or_none(row, "delete_ms")
    )


@border()
def usage(rows: Iterable[Row]) -> tuple[Usage, ...]:
    """What the rows of one day, job, product, SKU and unit amount to, by currency: they differ in price."""
    by_currency: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_currency[_text(row, "currency_code") if row["price"] is not None else ""].append(row)
    return tuple(_usage(currency, variants) for currency, variants in by_currency.items())


@border()
def spending(row: Row) -> Spending:
    """What the job of this row used."""
    return Spending(
        job_id=_id(row, "job_id"),
        dbus=_decimal(row, "dbus"),
        success=_instant_or_none(row, "success_ms"),
    )


def _attempt(row: Row) -> Attempt:
    state, code = _text(row, "result_state"), _text(row, "termination_code")
    return Attempt(
        started=_instant(row, "start_ms"),
        ended=_instant(row, "end_ms"),
        result=recorded_result(state, code),
        termination_code=CODE_OF_RECORD.get(code, code),
        termination_type=_text(row, "termination_type"),
        duration=_span(row, "duration_ms", MILLISECOND),
    )


def _trigger_type(row: Row) -> str:
    """The kind in the words of a job's settings; from what is set where the column is empty."""
    if kind := _text(row, "trigger_type"):
        return TRIGGER_OF_RECORDED_JOB.get(kind, kind)
    members = {
        "quartz_cron_expression": "SCHEDULE",
        "continuous_enabled": "CONTINUOUS",
        "file_arrival_url": "FILE_ARRIVAL",
        "table_update_condition": "TABLE_UPDATE",
        "periodic_units": "PERIODIC",
    }
    return next((kind for member, kind in members.items() if row[member] is not None), "")


def _tags(row: Row) -> dict[str, str]:
    """The map, which comes as JSON."""
    tags = json.loads(_text(row, "tags") or "{}")
    return {cleaned(str(key)): cleaned(str(value)) for key, value in tags.items()}


def _usage(currency: str, rows: Sequence[Row]) -> Usage:
    first, day = rows[0], rows[0]["usage_date"]
    if not isinstance(day, date):
        raise UnreadableItemError(f"usage_date is {day!r}, not a day")
    quantity, cost = Decimal(0), Decimal(0)
    for row in rows:
        quantity = EXACT.add(quantity, _decimal(row, "quantity"))
        if row["price"] is not None:
            cost = EXACT.add(cost, EXACT.multiply(_decimal(row, "quantity"), _decimal(row, "price")))
    return Usage(
        day=day,
        job_id=_text(first, "job_id"),
        product=_text(first, "product"),
        sku=_text(first, "sku_name"),
        unit=_text(first, "usage_unit"),
        currency=currency,
        quantity=quantity,
        cost=None if first["price"] is None else cost,
        newest=max(_instant(row, "newest_ms") for row in rows),
    )


def _id(row: Row, column: str) -> str:
    value = row[column]
    if not isinstance(value, str) or not value.isdecimal():
        raise UnreadableItemError(f"{column} is {value!r}, not an id")
    return value


def _integer(row: Row, column: str) -> int:
    """The whole number; 0 for NULL."""
    value = row[column]
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnreadableItemError(f"{column} is {value!r}, not a whole number")
    return value


def _decimal(row: Row, column: str) -> Decimal:
    value = row[column]
    if not isinstance(value, Decimal) or not value.is_finite():
        raise UnreadableItemError(f"{column} is {value!r}, not a decimal number")
    return value


def _instant(row: Row, column: str) -> datetime:
    return bounded_instant(column, _integer(row, column))


def _instant_or_none(row: Row, column: str) -> datetime | None:
    return None if row[column] is None else _instant(row, column)


def _span(row: Row, column: str, unit: timedelta) -> timedelta:
    return bounded_span(column, _integer(row, column), unit)


def _text(row: Row, column: str) -> str:
    """The text; empty for NULL."""
    value = row[column]
    return cleaned(value) if isinstance(value, str) else ""
