"""Usage, bills and the standing of sources are held as they were given, on both databases."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event

from collector.core.bill import WINDOWS, bill, complete_until, first_day
from collector.core.model import Agreement, Spending, Usage
from collector.core.snapshot import Bill, SourceState
from collector.store.writer import Writer
from tests.make import at, make_job, make_run, make_usage
from tests.store.conftest import WORKSPACE, Stores, observe, watch

NOW = datetime(2026, 3, 20, 15, 0, tzinfo=UTC)
LAST = date(2026, 3, 19)
BIG = "12345678901234567890.123456789012345678"
"""All 38 digits of a quantity."""


def save(writer: Writer, *rows: Usage, workspace: str = WORKSPACE) -> None:
    """One batch."""
    with writer.transaction(workspace) as transaction:
        transaction.save_usage(rows)


def held(
    writer: Writer, *names: str, workspace: str = WORKSPACE, since: date = date.min
) -> set[tuple[Any, ...]]:
    """These fields of all usage that is held."""
    return {
        tuple(getattr(row, name) for name in names or ("quantity",)) for row in writer.usage(workspace, since)
    }


def made(rows: Iterable[Usage], now: datetime = NOW, **given: Any) -> Bill:
    """A bill with discounts."""
    return bill(rows, {"JOBS": Decimal("0.25")}, now, **given)


def save_bill(writer: Writer, made: Bill, workspace: str = WORKSPACE) -> None:
    """One bill."""
    with writer.transaction(workspace) as transaction:
        transaction.save_bill(made)


def test_usage_is_held_to_the_last_digit(writer: Writer) -> None:
    """A quantity of 38 digits at a price of 38 digits comes back as it was."""
    row = make_usage(BIG, BIG + "123456789012345678")

    save(writer, row)

    (found,) = writer.usage(WORKSPACE, row.day)
    assert row.quantity == found.quantity
    assert row.cost == found.cost
    assert (row.day, "7", "JOBS", "JOBS_COMPUTE", "DBU", "USD") == (
        found.day,
        found.job_id,
        found.product,
        found.sku,
        found.unit,
        found.currency,
    )


def test_a_group_is_replaced_as_a_whole(writer: Writer) -> None:
    """When what had no price has got one, its part without a price is gone; its neighbours stay."""
    save(
        writer,
        make_usage("5"),
        make_usage("2", None),
        make_usage("9", None, sku="OTHER"),
        make_usage("9", None, day=date(2026, 3, 2)),
        make_usage("9", None, job_id="8"),
        make_usage("9", None, job_id=""),
        make_usage("9", None, unit="GB"),
        make_usage("9", None, product="SQL"),
    )

    save(writer, make_usage("7"))

    assert {("USD", Decimal(7)), ("", Decimal(9))} == held(writer, "currency", "quantity")
    assert 7 == len(list(writer.usage(WORKSPACE, date.min)))


def test_what_is_down_to_nothing_is_not_kept(writer: Writer) -> None:
    """A retraction removes the row; one that leaves a cost, because the price has changed, does not."""
    save(writer, make_usage("5"), make_usage("5", sku="OTHER"))

    save(writer, make_usage("0", "0.00"), make_usage("0.0", "0.01", sku="OTHER"))
    save(writer, make_usage("0", None, sku="THIRD"))
    save(writer)

    assert {("OTHER", Decimal(0), Decimal("0.01"))} == held(writer, "sku", "quantity", "cost")


def test_usage_since_a_day(writer: Writer) -> None:
    """Only the days that are asked for are read."""
    save(writer, *(make_usage(str(day), day=date(2026, 3, day)) for day in (1, 2, 3)))

    assert {(Decimal(2),), (Decimal(3),)} == held(writer, since=date(2026, 3, 2))


def test_old_usage_is_forgotten(writer: Writer) -> None:
    """Days before go, however many; the day itself stays, and so does the other workspace."""
    watch(writer, "other", since=0)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(5)]
    for workspace in (WORKSPACE, "other"):
        save(writer, *(make_usage(day=day, sku=sku) for day in days for sku in "AB"), workspace=workspace)

    assert 8 == writer.prune_usage(WORKSPACE, before=days[-1])
    assert 0 == writer.prune_usage(WORKSPACE, before=days[-1])

    assert {(days[-1],)} == held(writer, "day")
    assert 10 == len(list(writer.usage("other", date.min)))


def test_no_bill(stores: Stores, writer: Writer) -> None:
    """Before the first there is none, which is not the same as nothing used."""
    assert stores.reader().snapshot().workspaces[0].bill is None
    assert writer.spending(WORKSPACE) is None


@pytest.mark.parametrize("discounts", [{}, {"JOBS": Decimal("0.25")}])
def test_a_bill_is_held_as_it_was_made(stores: Stores, writer: Writer, discounts: dict[str, Decimal]) -> None:
    """Every number of it is read as it was written, and the last digit too."""
    save(
        writer,
        *(make_usage(BIG, BIG, day=LAST - timedelta(days=days)) for days in range(31)),
        make_usage("-1", None),
        make_usage("3", "0.3", currency="EUR", product="SQL", job_id="8", day=LAST),
        make_usage("4", None, job_id="9", sku="NEW", day=LAST),
        make_usage("5", "0.5", job_id="", unit="GB", product="STORAGE", day=LAST),
    )
    rows = writer.usage(WORKSPACE, first_day(NOW))
    spending = [
        Spending(job_id="10", dbus=Decimal("0.1"), success=at(-1)),
        Spending(job_id="7", dbus=Decimal(2), success=None),
    ]
    one = bill(rows, discounts, NOW, spending=spending)

    save_bill(writer, one)

    assert {"7", "8", "9", "10"} == one.jobs.keys()
    assert one == stores.reader().snapshot().workspaces[0].bill


def test_nothing_is_left_of_the_bill_before(stores: Stores, writer: Writer) -> None:
    """Another bill takes its place, in the eyes of a reader that had seen the first and of one that had not."""
    reader = stores.reader()
    save_bill(writer, made([make_usage(day=LAST), make_usage(day=LAST, job_id="8")], spending=[]))
    first = reader.snapshot().workspaces[0].bill
    later = NOW + timedelta(hours=1)

    save_bill(writer, made([make_usage("2", day=LAST)], later))

    assert first != reader.snapshot().workspaces[0].bill
    for snapshot in (reader.snapshot(), stores.reader().snapshot()):
        assert made([make_usage("2", day=LAST)], later) == snapshot.workspaces[0].bill
    save_bill(writer, made([], later + timedelta(hours=1)))
    found = reader.snapshot().workspaces[0].bill
    assert found
    assert ({}, ()) == (found.jobs, found.products)


def test_bills_do_not_mix(stores: Stores, writer: Writer) -> None:
    """Each workspace has its own."""
    watch(writer, "other", since=0)
    save_bill(writer, made([make_usage(day=LAST)]))
    save_bill(writer, made([make_usage("2", day=LAST)]), workspace="other")

    other, production = stores.reader().snapshot().workspaces

    assert (made([make_usage("2", day=LAST)]), made([make_usage(day=LAST)])) == (other.bill, production.bill)


def test_a_bill_is_read_once(stores: Stores, writer: Writer) -> None:
    """Polls come every few seconds and bills every hour: what was read stays in memory."""
    save_bill(writer, made([make_usage(day=LAST)]))
    engine = stores.engine(read_only=True)
    reader = type(stores.reader())(engine)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    first = reader.snapshot().workspaces[0].bill
    observe(writer, make_run())

    second = reader.snapshot().workspaces[0].bill

    assert first is second
    assert 1 == sum("FROM job_usage" in statement and "count" not in statement for statement in asked)


def test_spending_of_the_latest_bill(writer: Writer) -> None:
    """What jobs used since their last success can be carried into the next bill when nobody can say it anew."""
    spending = (
        Spending(job_id="7", dbus=Decimal(2), success=at(0)),
        Spending(job_id="8", dbus=Decimal(3), success=None),
    )
    save_bill(writer, made([make_usage(day=LAST)], spending=spending))

    carried = writer.spending(WORKSPACE)

    assert carried
    assert spending == tuple(sorted(carried, key=lambda one: one.job_id))
    save_bill(writer, made([make_usage(day=LAST)]))
    assert writer.spending(WORKSPACE) is None


def test_known_jobs(writer: Writer) -> None:
    """Jobs are known by their definition or a run of theirs, and one-time runs have none."""
    observe(writer, make_run(job_id="8"), make_run(run_id="2", job_id="900001", run_type="SUBMIT_RUN"))
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({"7": (make_job(), Agreement())}, now=at(0))

    assert {"7", "8"} == writer.known_jobs(WORKSPACE)


def test_sources(stores: Stores, writer: Writer) -> None:
    """A success moves the watermark, the newest record never gets older, and a failure leaves both as they were."""

    def read(**given: Any) -> tuple[SourceState, ...]:
        with writer.transaction(WORKSPACE) as transaction:
            transaction.save_source("usage", **given)
        return stores.reader().snapshot().workspaces[0].sources

    def state(**given: Any) -> tuple[SourceState, ...]:
        return (SourceState(**({"source": "usage", "newest": None, "error": "", "message": ""} | given)),)

    assert state(error="refused", message="GRANT") == read(error="refused", message="GRANT")
    assert {} == writer.source_watermarks(WORKSPACE)
    assert state() == read(watermark=at(10))
    assert state(newest=at(5)) == read(watermark=at(20), newest=at(5))
    assert state(newest=at(5)) == read(watermark=at(30), newest=at(3))
    assert state(newest=at(5)) == read(watermark=at(40))
    failed = read(watermark=at(50), newest=at(50), error="unreachable", message="no route")
    assert state(newest=at(5), error="unreachable", message="no route") == failed
    assert {"usage": at(40)} == writer.source_watermarks(WORKSPACE)
    assert state(newest=at(60)) == read(watermark=at(15), newest=at(60))


def test_sources_by_name(stores: Stores, writer: Writer) -> None:
    """They come in one order on every database, and those of another workspace not at all."""
    watch(writer, "other", since=0)
    for source in ("usage", "Jobs", "run_timeline", "jobs"):
        with writer.transaction("other") as transaction:
            transaction.save_source(source, watermark=at(0))

    other, production = stores.reader().snapshot().workspaces

    assert ["Jobs", "jobs", "run_timeline", "usage"] == [state.source for state in other.sources]
    assert () == production.sources
    assert {} == writer.source_watermarks(WORKSPACE)


def test_many_rows(writer: Writer) -> None:
    """A large workspace is read in several batches, and its bill has every window of every job."""
    save(writer, *(make_usage(day=LAST, job_id=str(number)) for number in range(6000)))

    one = made(writer.usage(WORKSPACE, first_day(NOW)))

    assert 6000 == len(one.jobs)
    assert {Decimal(6000)} == {product.quantity for product in one.products}
    assert set(WINDOWS) == {product.window for product in one.products}
    assert complete_until(NOW) == one.complete_until
