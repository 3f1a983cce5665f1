"""Usage as people and scripts ask for it: page by page, and in total by job. Decimals are added up exactly."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, or_, select, tuple_

from collector.core.bill import NOTHING, exact
from collector.core.records import JobIds, UsagePage, UsageRecord, UsageTotal, ids_in
from collector.store.schema import usage
from collector.store.statements import Found, chunks

ORDER = ("day", "job_id", "product", "sku", "unit", "currency")
"""The key of a row within its workspace, by which pages are ordered: the newest day first."""
KEY = tuple(usage.c[name] for name in ORDER)
TOTAL = ("job_id", "product", "sku", "unit", "currency")
AT_ONCE = 5000
"""Rows in memory while many are read."""


def usage_page(
    connection: Connection,
    workspaces: Sequence[str],
    since: date,
    *,
    job_ids: JobIds | None,
    limit: int,
    after: UsageRecord | None,
) -> UsagePage:
    """At most `limit` rows of usage from that day on, workspace by workspace, that come after that one."""
    found: list[UsageRecord] = []
    for workspace in workspaces[workspaces.index(after.workspace) :] if after else workspaces:
        query = (
            select(usage)
            .where(usage.c.workspace == workspace, usage.c.day >= since, *_of_jobs(workspace, job_ids))
            .order_by(*(column.desc() for column in KEY))
            .limit(limit + 1 - len(found))
        )
        if after and workspace == after.workspace:
            query = query.where(tuple_(*KEY) < tuple_(*(getattr(after, name) for name in ORDER)))
        found += [_record(row) for row in connection.execute(query)]
        if len(found) > limit:
            break
    shown = tuple(found[:limit])
    return UsagePage(usage=shown, next=shown[-1] if len(found) > limit else None)


def usage_totals(
    connection: Connection, workspace: str, since: date, *, job_ids: JobIds | None
) -> Iterator[UsageTotal]:
    """What jobs used from that day on, in no order; usage that belongs to no job is left out."""
    columns = (*(usage.c[name] for name in TOTAL), usage.c.day, usage.c.quantity, usage.c.cost)
    query = select(*columns).where(
        usage.c.workspace == workspace,
        usage.c.day >= since,
        usage.c.job_id != "",
        *_of_jobs(workspace, job_ids),
    )
    sums: dict[tuple[str, ...], tuple[Decimal, Decimal | None, set[date]]] = {}
    with exact():
        for *key, day, quantity, cost in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
            place = tuple(key)
            held, held_cost, days = sums.get(place, (NOTHING, None, set()))
            days.add(day)
            sums[place] = held + quantity, held_cost if cost is None else (held_cost or NOTHING) + cost, days
    for (job_id, product, sku, unit, currency), (quantity, cost, days) in sums.items():
        yield UsageTotal(
            workspace=workspace,
            job_id=job_id,
            product=product,
            sku=sku,
            unit=unit,
            currency=currency,
            quantity=quantity,
            cost=cost,
            days=len(days),
        )


def _of_jobs(workspace: str, job_ids: JobIds | None) -> Iterator[ColumnElement[bool]]:
    if job_ids is not None:
        some = [usage.c.job_id.in_(chunk) for chunk in chunks(ids_in(workspace, job_ids))]
        yield or_(*some) if some else usage.c.job_id.in_([])


def _record(row: Found) -> UsageRecord:
    return UsageRecord(
        workspace=row.workspace,
        day=row.day,
        job_id=row.job_id,
        product=row.product,
        sku=row.sku,
        unit=row.unit,
        currency=row.currency,
        quantity=row.quantity,
        cost=row.cost,
    )
