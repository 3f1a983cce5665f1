"""Usage page by page and in total, as a reader answers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from collector.core.records import UsageRecord
from collector.store.reader import Reader
from collector.store.writer import Writer
from tests.make import make_usage
from tests.store.conftest import WORKSPACE, Stores, watch

FIRST = date(2026, 3, 1)
LARGE = "123456789012345678901234567890.000000000000000001"


@pytest.fixture
def reader(stores: Stores, writer: Writer) -> Reader:
    """A reader of the usage of a few jobs on three days, in two workspaces."""
    watch(writer, "lab")
    for workspace in (WORKSPACE, "lab"):
        rows = [
            make_usage(LARGE, cost, day=date(2026, 3, day), job_id=job_id, sku=sku, unit=unit)
            for day in (1, 2, 3)
            for job_id in ("", "7", "80")
            for sku, unit, cost in (("JOBS", "DBU", "0.10"), ("JOBS", "DSU", "1"), ("STORE", "GB", None))
        ]
        with writer.transaction(workspace) as transaction:
            transaction.save_usage(rows)
    return stores.reader()


def walk(reader: Reader, limit: int, since: date, **wanted: Any) -> list[UsageRecord]:
    """All pages."""
    page = reader.usage_page((WORKSPACE, "lab"), since, limit=limit, **wanted)
    found = list(page.usage)
    while page.next:
        assert limit == len(page.usage)
        page = reader.usage_page((WORKSPACE, "lab"), since, limit=limit, after=page.next, **wanted)
        found += page.usage
    return found


@pytest.mark.parametrize(
    ("job_ids", "number"), [(None, 36), (["7", "404"], 12), ({"lab": ["7", "80"]}, 12), ([], 0)]
)
def test_pages(reader: Reader, job_ids: Any, number: int) -> None:
    """Pages of any size make up the same list, the newest day of each workspace first."""
    whole = walk(reader, 1000, date(2026, 3, 2), job_ids=job_ids)

    assert number == len(whole)
    assert [WORKSPACE, "lab"] == list(dict.fromkeys(row.workspace for row in whole)) or number < 36
    for workspace in (WORKSPACE, "lab"):
        days = [row.day for row in whole if row.workspace == workspace]
        assert sorted(days, reverse=True) == days
    for limit in (1, 5, number or 1):
        assert whole == walk(reader, limit, date(2026, 3, 2), job_ids=job_ids)


def test_totals(reader: Reader) -> None:
    """Totals are exact sums of what belongs to jobs, by SKU and unit, with the days on which there was something."""
    totals = {(total.job_id, total.sku, total.unit): total for total in reader.usage_totals(WORKSPACE, FIRST)}

    assert {"7", "80"} == {job_id for job_id, _, _ in totals}
    one = totals["7", "JOBS", "DBU"]
    expected = Decimal("370370367037037036703703703670.000000000000000003")
    assert (expected, Decimal("0.30"), 3) == (one.quantity, one.cost, one.days)
    assert totals["7", "STORE", "GB"].cost is None
    assert 6 == len(totals)


def test_totals_of_some(reader: Reader) -> None:
    """Totals of some jobs since some day."""
    totals = reader.usage_totals(WORKSPACE, date(2026, 3, 3), job_ids=["80"])

    assert {("80", 1)} == {(total.job_id, total.days) for total in totals}
