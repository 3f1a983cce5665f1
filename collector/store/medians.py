"""How long a job usually takes: median and 90th percentile of its successful attempts, by nearest rank."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from collector.core.vocabulary import Outcome
from collector.store.instants import to_ms
from collector.store.lock import lock, raise_revision
from collector.store.schema import attempts, job_history

WINDOW = timedelta(days=30)
"""Attempts that ended longer ago say nothing about today."""
AT_LEAST_EVERY = timedelta(days=1)
"""A job that rests is looked at again after this time, because its attempts leave the window."""
STATISTICS = (job_history.c.median_ms, job_history.c.p90_ms, job_history.c.observations)


def refresh(connection: Connection, workspace: str, *, now: datetime, most: int) -> int:
    """The statistics of at most so many jobs that need it are those of the window before now; returns their number.

    Only jobs whose numbers moved are marked as changed.
    """
    lock(connection, workspace)
    job_ids = _due(connection, workspace, now, most)
    if not job_ids:
        return 0
    these = (job_history.c.workspace == workspace, job_history.c.job_id.in_(job_ids))
    held = {
        row.job_id: row[1:]
        for row in connection.execute(select(job_history.c.job_id, *STATISTICS).where(*these))
    }
    durations = _durations(connection, workspace, job_ids, now)
    rows = [_row(job_id, sorted(durations[job_id])) for job_id in job_ids]
    moved = [row for row in rows if tuple(held[row["of_job"]]) != (row["median"], row["p90"], row["number"])]
    if moved:
        statement = job_history.update().where(
            job_history.c.workspace == workspace, job_history.c.job_id == bindparam("of_job")
        )
        connection.execute(
            statement.values(
                median_ms=bindparam("median"),
                p90_ms=bindparam("p90"),
                observations=bindparam("number"),
                revision=raise_revision(connection, workspace),
            ),
            moved,
        )
    connection.execute(
        job_history.update().where(*these).values(statistics_due_ms=to_ms(now + AT_LEAST_EVERY))
    )
    return len(job_ids)


def nearest_rank(ordered: list[int], percent: int) -> int | None:
    """The smallest of the ascending values that so many percent of them do not exceed; None of nothing."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None


def _due(connection: Connection, workspace: str, now: datetime, most: int) -> list[str]:
    query = (
        select(job_history.c.job_id)
        .where(job_history.c.workspace == workspace, job_history.c.statistics_due_ms <= to_ms(now))
        .order_by(job_history.c.statistics_due_ms)
        .limit(most)
    )
    return list(connection.scalars(query))


def _durations(
    connection: Connection, workspace: str, job_ids: list[str], now: datetime
) -> dict[str, list[int]]:
    query = select(attempts.c.job_id, attempts.c.duration_ms).where(
        attempts.c.workspace == workspace,
        attempts.c.job_id.in_(job_ids),
        attempts.c.outcome == Outcome.SUCCESS.value,
        attempts.c.ended_ms >= to_ms(now - WINDOW),
    )
    durations: dict[str, list[int]] = defaultdict(list)
    for job_id, duration_ms in connection.execute(query):
        durations[job_id].append(duration_ms)
    return durations


def _row(job_id: str, ordered: list[int]) -> dict[str, Any]:
    return {
        "of_job": job_id,
        "median": nearest_rank(ordered, 50),
        "p90": nearest_rank(ordered, 90),
        "number": len(ordered),
    }
