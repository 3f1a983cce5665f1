"""Usage by day, job, product and SKU, as the billing tables last gave it. What it comes to is not its business."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, bindparam, func, select

from collector.core.model import Usage
from collector.store.lock import lock
from collector.store.schema import usage

GROUP = ("day", "job_id", "product", "sku", "unit")
"""What is always read and replaced together, whatever the currencies of it."""
AT_ONCE = 5000
"""Rows in memory while many are read."""
DAY = timedelta(days=1)


def save_usage(connection: Connection, workspace: str, rows: Iterable[Usage]) -> None:
    """Each day, job, product, SKU and unit among the rows is as they say, and nothing else is held of it.

    All currencies of it have to come in one call. What is down to nothing is not kept.
    """
    given = tuple(rows)
    groups = dict.fromkeys(tuple(getattr(row, name) for name in GROUP) for row in given)
    if not groups:
        return
    held = (usage.c[name] == bindparam(f"of_{name}") for name in GROUP)
    connection.execute(
        usage.delete().where(usage.c.workspace == workspace, *held),
        [{f"of_{name}": value for name, value in zip(GROUP, group, strict=True)} for group in groups],
    )
    kept = [row for row in given if row.quantity or row.cost]
    if kept:
        connection.execute(
            usage.insert(),
            [
                {
                    "workspace": workspace,
                    "day": row.day,
                    "job_id": row.job_id,
                    "product": row.product,
                    "sku": row.sku,
                    "unit": row.unit,
                    "currency": row.currency,
                    "quantity": row.quantity,
                    "cost": row.cost,
                }
                for row in kept
            ],
        )


def usage_since(connection: Connection, workspace: str, since: date) -> Iterator[Usage]:
    """What was used from that day on, in no order. The store does not keep `newest`; it is the end of the day."""
    query = select(*(usage.c[name] for name in (*GROUP, "currency", "quantity", "cost"))).where(
        usage.c.workspace == workspace, usage.c.day >= since
    )
    found = connection.execute(query, execution_options={"yield_per": AT_ONCE})
    for day, job_id, product, sku, unit, currency, quantity, cost in found:
        yield Usage(
            day=day,
            job_id=job_id,
            product=product,
            sku=sku,
            unit=unit,
            currency=currency,
            quantity=quantity,
            cost=cost,
            newest=datetime.combine(day + DAY, time(), UTC),
        )


def forget_usage(connection: Connection, workspace: str, before: date) -> int:
    """The usage of the oldest day before that one is gone; returns how many rows that were."""
    lock(connection, workspace)
    oldest = connection.scalar(
        select(func.min(usage.c.day)).where(usage.c.workspace == workspace, usage.c.day < before)
    )
    if oldest is None:
        return 0
    return connection.execute(
        usage.delete().where(usage.c.workspace == workspace, usage.c.day == oldest)
    ).rowcount
