"""What a plan needs to know of one workspace, each part by an index that stays small."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from collector.core.model import Collector, KnownRun, Standing
from collector.core.vocabulary import Outcome
from collector.store.horizon import horizon
from collector.store.instants import from_ms, to_ms
from collector.store.runs import known, open_runs
from collector.store.schema import attempts, collectors, job_history, runs
from collector.store.statements import chunks

HOUR_MS = 3_600_000


def standing(connection: Connection, workspace: str, *, recent_since: datetime, undetailed: int) -> Standing:
    """See `Standing`; at most `undetailed` runs wait for details. StoreError for a workspace that is not registered."""
    return Standing(
        horizon=horizon(connection, workspace),
        open_runs=open_runs(connection, workspace),
        recent=_recent(connection, workspace, recent_since),
        undetailed=_undetailed(connection, workspace, undetailed),
        watermarks=_watermarks(connection, workspace),
    )


def hours_by_tables_alone(connection: Connection, workspace: str, since: datetime) -> frozenset[datetime]:
    """The clock hours from then on in which counted attempts ended that only the system tables have shown."""
    query = (
        select(attempts.c.ended_ms - attempts.c.ended_ms % HOUR_MS)
        .where(
            attempts.c.workspace == workspace,
            attempts.c.outcome.in_(list(Outcome)),  # all there are, for the sake of the index
            attempts.c.ended_ms >= to_ms(since),
            attempts.c.counted,
            ~attempts.c.detailed,
            attempts.c.by_tables,
        )
        .distinct()
    )
    return frozenset(from_ms(hour_ms) for hour_ms in connection.scalars(query))


def _recent(connection: Connection, workspace: str, since: datetime) -> dict[str, datetime]:
    query = select(runs.c.run_id, runs.c.ended_ms).where(
        runs.c.workspace == workspace,
        runs.c.started_ms >= to_ms(since),
        ~runs.c.open,
        runs.c.ended_ms.is_not(None),
    )
    return {row.run_id: from_ms(row.ended_ms) for row in connection.execute(query)}


def _undetailed(connection: Connection, workspace: str, most: int) -> tuple[KnownRun, ...]:
    failed = _newest_undetailed(connection, workspace, Outcome.FAILURE, most)
    others = sorted(
        (
            *_newest_undetailed(connection, workspace, Outcome.SUCCESS, most),
            *_newest_undetailed(connection, workspace, Outcome.NEITHER, most),
        ),
        reverse=True,
    )
    wanted = dict.fromkeys(run_id for _, run_id in (*failed, *others))
    if len(wanted) < most:
        wanted |= dict.fromkeys(_unexplained(connection, workspace))
    run_ids = list(wanted)[:most]
    found = known(connection, workspace, run_ids)
    return tuple(found[run_id] for run_id in run_ids if run_id in found)


def _newest_undetailed(
    connection: Connection, workspace: str, of: Outcome, most: int
) -> list[tuple[int, str]]:
    query = (
        select(attempts.c.ended_ms, attempts.c.run_id)
        .where(
            attempts.c.workspace == workspace,
            attempts.c.outcome == of.value,
            attempts.c.counted,
            ~attempts.c.detailed,
        )
        .order_by(attempts.c.ended_ms.desc(), attempts.c.run_id.desc())
        .limit(most)
    )
    return [(row.ended_ms, row.run_id) for row in connection.execute(query)]


def _unexplained(connection: Connection, workspace: str) -> Iterator[str]:
    """The latest runs of jobs that fail now, where they are history: nothing counts by them, and people ask why."""
    failing = select(job_history.c.last_run_id).where(
        job_history.c.workspace == workspace, job_history.c.consecutive_failures > 0
    )
    for chunk in chunks(connection.scalars(failing).all()):
        query = select(attempts.c.run_id).where(
            attempts.c.workspace == workspace,
            attempts.c.run_id.in_(chunk),
            attempts.c.outcome == Outcome.FAILURE.value,
            ~attempts.c.counted,
            ~attempts.c.detailed,
        )
        yield from connection.scalars(query)


def _watermarks(connection: Connection, workspace: str) -> dict[Collector, datetime]:
    query = select(collectors.c.collector, collectors.c.watermark_ms).where(
        collectors.c.workspace == workspace, collectors.c.watermark_ms.is_not(None)
    )
    names = {collector.value: collector for collector in Collector}
    return {
        names[row.collector]: from_ms(row.watermark_ms)
        for row in connection.execute(query)
        if row.collector in names
    }
