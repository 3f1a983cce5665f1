"""Builders of values for tests: name only what matters, the rest is plausible."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from collector.core.model import Attempt, Job, Run, TaskRun, Usage

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""The literal time around which tests happen."""


def at(seconds: float) -> datetime:
    """The instant so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def make_attempt(**given: Any) -> Attempt:
    """A successful first attempt of one minute."""
    fields: dict[str, Any] = {"started": at(0), "ended": at(60), "result": "SUCCESS"} | given
    fields.setdefault("duration", fields["ended"] - fields["started"])
    fields.setdefault(
        "termination_code", "SUCCESS" if fields["result"] == "SUCCESS" else "RUN_EXECUTION_ERROR"
    )
    fields.setdefault("termination_type", "SUCCESS" if fields["result"] == "SUCCESS" else "CLIENT_ERROR")
    return Attempt(**fields)


def make_task(**given: Any) -> TaskRun:
    """A successful task run without durations."""
    fields: dict[str, Any] = {"run_id": "900", "task_key": "main", "result": "SUCCESS"} | given
    return TaskRun(**fields)


def make_run(*attempts: Attempt, history: bool = False, active: bool | None = None, **given: Any) -> Run:
    """A run as an answer shows it: active without attempts, else ended with the last one."""
    active = not attempts if active is None else active
    fields: dict[str, Any] = {
        "run_id": "1",
        "job_id": "7",
        "run_type": "JOB_RUN",
        "trigger": "PERIODIC",
        "name": "orders",
        "started": attempts[0].started if attempts else at(0),
        "state": "RUNNING" if active else "TERMINATED",
        "ended": None if active else attempts[-1].ended,
        "latest": None if active else attempts[-1],
        "history": attempts if history else None,
    }
    return Run(**(fields | given))


def make_job(**given: Any) -> Job:
    """A job named orders."""
    fields: dict[str, Any] = {"job_id": "7", "name": "orders"} | given
    return Job(**fields)


def make_usage(quantity: str = "1", cost: str | None = "0.15", **given: Any) -> Usage:
    """DBUs of job 7 on the first of March, priced in dollars unless the cost is None."""
    fields: dict[str, Any] = {
        "day": date(2026, 3, 1),
        "job_id": "7",
        "product": "JOBS",
        "sku": "JOBS_COMPUTE",
        "unit": "DBU",
        "currency": "" if cost is None else "USD",
        "quantity": Decimal(quantity),
        "cost": None if cost is None else Decimal(cost),
        "newest": at(0),
    }
    return Usage(**(fields | given))
