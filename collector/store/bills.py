"""The latest bill of each workspace: replaced as a whole by whoever makes it, and read again only when it is another."""

import sys
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, select

from collector.core.bill import WINDOWS, Part, amount, exact, in_order, parts
from collector.core.model import Spending
from collector.core.snapshot import Amount, Bill, JobBill, ProductAmount
from collector.store.instants import from_ms, maybe_from_ms, to_ms
from collector.store.schema import bills, job_history, job_spending, job_usage, jobs, product_usage
from collector.store.statements import Found, Values


def save_bill(connection: Connection, workspace: str, bill: Bill) -> None:
    """The bill is the workspace's, and nothing is left of the one before."""
    made = {"made_ms": to_ms(bill.made), "complete_until_ms": to_ms(bill.complete_until)}
    with exact():
        contents = (
            (job_usage, list(_job_usage(bill))),
            (product_usage, list(_product_usage(bill))),
            (job_spending, list(_job_spending(bill))),
            (bills, [made]),
        )
    for table, rows in contents:
        connection.execute(table.delete().where(table.c.workspace == workspace))
        if rows:
            connection.execute(table.insert().values(workspace=workspace), rows)


def latest_bill(connection: Connection, workspace: str, held: Bill | None) -> Bill | None:
    """The workspace's bill: the one that is held, as long as the store has no other. None before the first."""
    row = connection.execute(select(bills).where(bills.c.workspace == workspace)).one_or_none()
    if row is None:
        return None
    if held and to_ms(held.made) == row.made_ms:
        return held
    return Bill(
        made=from_ms(row.made_ms),
        complete_until=from_ms(row.complete_until_ms),
        jobs=_jobs(connection, workspace),
        products=_products(connection, workspace),
    )


def latest_spending(connection: Connection, workspace: str) -> tuple[Spending, ...] | None:
    """What the latest bill says of usage since the last success; None when it does not say."""
    query = select(job_spending).where(
        job_spending.c.workspace == workspace, job_spending.c.since_success_dbus.is_not(None)
    )
    found = tuple(
        Spending(job_id=row.job_id, dbus=row.since_success_dbus, success=maybe_from_ms(row.success_ms))
        for row in connection.execute(query)
    )
    return found or None


def known_jobs(connection: Connection, workspace: str) -> frozenset[str]:
    """Ids of the jobs that the store knows by definition or by a run; one-time runs have ids that are not among them."""
    return frozenset(
        job_id
        for table in (jobs, job_history)
        for job_id in connection.scalars(select(table.c.job_id).where(table.c.workspace == workspace))
    )


def _job_usage(bill: Bill) -> Iterator[Values]:
    for job_id, job in bill.jobs.items():
        for window, used in job.amounts.items():
            for part in parts(used):
                yield {"job_id": job_id, "window": window, **part._asdict()}


def _product_usage(bill: Bill) -> Iterator[Values]:
    for one in bill.products:
        yield {
            "product": one.product,
            "sku": one.sku,
            "unit": one.unit,
            "window": one.window,
            "currency": one.currency,
            "attributed": one.attributed,
            "quantity": one.quantity,
            "cost": one.cost,
            "net_cost": one.net_cost,
        }


def _job_spending(bill: Bill) -> Iterator[Values]:
    for job_id, job in bill.jobs.items():
        yield {
            "job_id": job_id,
            "daily_p90_dbus": job.daily_p90,
            "since_success_dbus": job.since_success,
            "success_ms": to_ms(job.success) if job.success else None,
        }


def _jobs(connection: Connection, workspace: str) -> dict[str, JobBill]:
    amounts = _amounts(connection, workspace)
    query = select(job_spending).where(job_spending.c.workspace == workspace)
    return {
        row.job_id: JobBill(
            amounts=amounts[row.job_id],
            daily_p90=row.daily_p90_dbus,
            since_success=row.since_success_dbus,
            success=maybe_from_ms(row.success_ms),
        )
        for row in connection.execute(query)
    }


def _amounts(connection: Connection, workspace: str) -> dict[str, dict[str, Amount]]:
    """By job id and window."""
    columns = (job_usage.c.job_id, job_usage.c.window, *(job_usage.c[name] for name in Part._fields))
    query = select(*columns).where(job_usage.c.workspace == workspace)
    found: defaultdict[tuple[str, str], list[Part]] = defaultdict(list)
    for job_id, window, currency, *numbers in connection.execute(query):
        found[job_id, window].append(Part(sys.intern(currency), *numbers))
    job_ids = dict.fromkeys(job_id for job_id, _ in found)
    with exact():
        return {
            job_id: {window: amount(found.get((job_id, window), ())) for window in WINDOWS}
            for job_id in job_ids
        }


def _products(connection: Connection, workspace: str) -> tuple[ProductAmount, ...]:
    query = select(product_usage).where(product_usage.c.workspace == workspace)
    return in_order(_product(row) for row in connection.execute(query))


def _product(row: Found) -> ProductAmount:
    return ProductAmount(
        product=row.product,
        sku=row.sku,
        unit=row.unit,
        window=row.window,
        currency=row.currency,
        attributed=row.attributed,
        quantity=row.quantity,
        cost=row.cost,
        net_cost=row.net_cost,
    )
