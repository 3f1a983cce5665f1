"""Forgets runs, their details and polls that are older than the store keeps them. Counters and job history are not its business.

First the horizon is raised, so that a pruned run that comes back is history; then rows go in small batches.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, select

from collector.core.model import Collector
from collector.store.instants import to_ms
from collector.store.lock import lock, raise_revision
from collector.store.schema import attempts, bills, collectors, polls, run_details, runs, sources


def forget_runs(connection: Connection, workspace: str, before: datetime, most: int) -> int:
    """At most so many closed runs whose last attempt ended before are gone with their attempts; returns their number."""
    lock(connection, workspace)
    ended = _forget(connection, workspace, runs.c.ended_ms < to_ms(before), before, most)
    never_seen_to_end = and_(runs.c.ended_ms.is_(None), runs.c.seen_ms < to_ms(before))
    return ended or _forget(connection, workspace, never_seen_to_end, before, most)


def forget_polls(connection: Connection, workspace: str, before: datetime, most: int) -> int:
    """At most so many polls that started before are gone; returns their number."""
    oldest = (
        select(polls.c.id)
        .where(polls.c.workspace == workspace, polls.c.started_ms < to_ms(before))
        .limit(most)
    )
    ids = list(connection.scalars(oldest))
    if not ids:
        return 0
    connection.execute(polls.delete().where(polls.c.id.in_(ids)))
    return len(ids)


def forget_details(connection: Connection, workspace: str, before: datetime, most: int) -> int:
    """The details of at most so many runs, read before, are gone; returns their number."""
    oldest = (
        select(run_details.c.run_id)
        .where(run_details.c.workspace == workspace, run_details.c.seen_ms < to_ms(before))
        .limit(most)
    )
    run_ids = list(connection.scalars(oldest))
    if run_ids:
        connection.execute(
            run_details.delete().where(
                run_details.c.workspace == workspace,
                run_details.c.run_id.in_(run_ids),
                run_details.c.seen_ms < to_ms(before),
            )
        )
    return len(run_ids)


def _forget(
    connection: Connection, workspace: str, condition: ColumnElement[bool], before: datetime, most: int
) -> int:
    later_attempt = exists().where(
        attempts.c.workspace == runs.c.workspace,
        attempts.c.run_id == runs.c.run_id,
        attempts.c.ended_ms >= to_ms(before),
    )
    old = (
        select(runs.c.run_id)
        .where(runs.c.workspace == workspace, ~runs.c.open, condition, ~later_attempt)
        .limit(most)
    )
    run_ids = list(connection.scalars(old))
    if not run_ids:
        return 0
    for table in (run_details, attempts, runs):
        connection.execute(table.delete().where(table.c.workspace == workspace, table.c.run_id.in_(run_ids)))
    return len(run_ids)


def forget_collectors(connection: Connection, workspace: str, kept: Collection[Collector]) -> None:
    """No other collectors are on record; without the one of the billing tables there is no bill either."""
    others = (
        collectors.c.workspace == workspace,
        collectors.c.collector.not_in([each.value for each in kept]),
    )
    if connection.scalar(select(collectors.c.collector).where(*others).limit(1)) is None:
        return
    raise_revision(connection, workspace)
    connection.execute(collectors.delete().where(*others))
    if Collector.BILLING not in kept:
        connection.execute(sources.delete().where(sources.c.workspace == workspace))
        connection.execute(bills.delete().where(bills.c.workspace == workspace))
