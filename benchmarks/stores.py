"""Stores with a past: the jobs of a simulated workspace, with any number of finished runs behind them."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import CTE, Connection, Subquery, Text, case, cast, func, literal, select
from sqlalchemy.sql.elements import ColumnElement

from collector.config import load
from collector.core.model import Measure
from collector.definitions import definitions
from collector.live import live
from collector.poll import execute
from collector.store.engine import open_store
from collector.store.instants import to_ms
from collector.store.schema import attempts, counters, job_history, jobs, runs
from collector.wiring import collectors

FIRST_RUN = 10_000_000_000
"""Far below the ids of the simulated workspace; all of one length, so that they sort as they count."""
PAST = timedelta(days=50)
"""Shorter than the retention, so that nothing is pruned while something is measured."""
REST = timedelta(hours=2)
"""The past ends so long ago that no poll reads it again."""
PER_JOB: tuple[tuple[Measure, str], ...] = (
    *((Measure.RUNS_FINISHED, f'["{result}"]') for result in ("SUCCESS", "FAILED", "TIMEDOUT", "CANCELED")),
    (Measure.DURATION_SUM, "[]"),
    (Measure.DURATION_COUNT, "[]"),
    *((Measure.PHASE_TIME, f'["{phase}"]') for phase in ("queue", "setup", "execution", "cleanup")),
    (Measure.REPAIRS, "[]"),
    (Measure.TASK_RETRIES, "[]"),
    (Measure.SLA_BREACHES, "[]"),
)
"""Counters of a job with a past, with their labels as the store writes them."""


def begin(config: Path) -> None:
    """The store of the settings holds the workspace's jobs and active runs."""
    with collectors(load(config, {})) as built:
        for desk, ask in ((built.workspaces[0].definitions, definitions), (built.workspaces[0].live, live)):
            poll = execute(desk, ask)
            if poll is None or poll.error:
                raise RuntimeError(f"the first poll failed: {poll}")


def copy(store: Path, target: Path) -> None:
    """A closed store, again."""
    shutil.copyfile(store, target)


def fill(store: Path, *, finished: int) -> None:
    """So many finished runs of all jobs in turn, of one attempt each, and what the store remembers of their jobs."""
    engine = open_store(f"sqlite:///{store}")
    newest_ms = to_ms(datetime.now(UTC) - REST)
    try:
        with engine.begin() as connection:
            _fill(connection, finished, newest_ms)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            raw = connection.connection.driver_connection
            if raw is not None:
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()


def _fill(connection: Connection, finished: int, newest_ms: int) -> None:
    job = (
        select(
            jobs.c.workspace,
            jobs.c.job_id,
            jobs.c.name,
            (func.row_number().over(order_by=jobs.c.job_id) - 1).label("place"),
        )
        .where(jobs.c.deleted_ms.is_(None))
        .subquery()
    )
    number_of_jobs = connection.scalar(select(func.count()).select_from(job)) or 1
    step_ms = max(1, PAST // timedelta(milliseconds=1) // finished)
    run = _runs(_numbers(finished), job, number_of_jobs, newest_ms - finished * step_ms, step_ms)
    for table in (runs, attempts):
        names = [column.name for column in table.columns]
        connection.execute(table.insert().from_select(names, select(*(run.c[name] for name in names))))
    per_job = max(1, finished // number_of_jobs)
    for measure, labels in PER_JOB:
        values: dict[str, ColumnElement[Any]] = {
            "value": literal(per_job),
            "measure": literal(measure.value),
            "labels": literal(labels),
        }
        _into(connection, counters, job, values | {"revision": literal(1)})
    past: dict[str, int | str] = {
        "last_start_ms": newest_ms - 60_000,
        "last_end_ms": newest_ms,
        "last_duration_ms": 60_000,
        "last_success_ms": newest_ms,
        "last_result": "SUCCESS",
        "median_ms": 60_000,
        "p90_ms": 90_000,
        "observations": per_job,
        "statistics_due_ms": newest_ms + 86_400_000,
        "revision": 1,
    }
    _into(connection, job_history, job, {name: literal(value) for name, value in past.items()})


def _numbers(count: int) -> CTE:
    """The numbers from 0 to below `count`, in a column `n`."""
    numbers = select(literal(0).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n + 1 < count))


def _runs(numbers: CTE, job: Subquery, number_of_jobs: int, first_ms: int, step_ms: int) -> Subquery:
    """Finished runs, each with the columns of `runs` and those of its only attempt."""
    n = numbers.c.n
    failed = n % 10 == 3
    facts: dict[str, ColumnElement[Any]] = {
        "workspace": job.c.workspace,
        "run_id": cast(n + FIRST_RUN, Text),
        "job_id": job.c.job_id,
        "run_type": literal("JOB_RUN"),
        "trigger": literal("PERIODIC"),
        "name": job.c.name,
        "creator": literal("etl@example.com"),
        "url": literal("https://dbc-0a1b2c3d-4e5f.cloud.databricks.com/#job/1/run/") + cast(n, Text),
        "started_ms": n * step_ms + first_ms - 60_000,
        "ended_ms": n * step_ms + first_ms,
        "state": literal("TERMINATED"),
        "queue_reason": literal(""),
        "result": case((failed, "FAILED"), else_="SUCCESS"),
        "termination_code": case((failed, "RUN_EXECUTION_ERROR"), else_="SUCCESS"),
        "termination_type": case((failed, "CLIENT_ERROR"), else_="SUCCESS"),
        "message": case((failed, "Task main failed with message: Workload failed."), else_=""),
        "open": literal(value=False),
        "seen_ms": n * step_ms + first_ms,
        "duration_ms": n % 100 * 1000 + 10_000,
        "queue_ms": literal(0),
        "outcome": case((failed, "failure"), else_="success"),
        "retries": literal(0),
        "counted": literal(value=True),
        "measured": literal(value=True),
        "detailed": literal(value=True),
        "by_tables": literal(value=False),
    }
    return (
        select(*(value.label(name) for name, value in facts.items()))
        .select_from(numbers.join(job, n % number_of_jobs == job.c.place))
        .subquery()
    )


def _into(connection: Connection, table: Any, job: Subquery, given: dict[str, ColumnElement[Any]]) -> None:
    """One row per job in place of what was there; columns that are neither given nor the job's are empty."""
    empty = {
        column.name: literal("" if isinstance(column.type.python_type(), str) else 0)
        for column in table.columns
    }
    of_job = {"workspace": job.c.workspace, "job_id": job.c.job_id, "name": job.c.name}
    values = {name: (empty | of_job | given)[name] for name in empty}
    statement = table.insert().prefix_with("OR REPLACE")
    connection.execute(statement.from_select(list(values), select(*values.values())))
