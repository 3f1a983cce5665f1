"""What usage comes to, to the last digit."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.bill import (
    WINDOWS,
    amount,
    bill,
    complete_until,
    exact,
    first_day,
    kept_since,
    parts,
)
from collector.core.model import Spending, Usage
from collector.core.snapshot import Amount, Bill
from tests.make import at, make_usage

NOW = datetime(2026, 3, 20, 15, 0, tzinfo=UTC)
LAST = date(2026, 3, 19)
"""The last complete day then."""
PRODUCTS = ("JOBS", "SQL", "STORAGE")


def used(quantity: str = "1", cost: str | None = "0.15", **given: Any) -> Usage:
    """Usage of the last complete day."""
    return make_usage(quantity, cost, **({"day": LAST} | given))


def ago(days: int) -> date:
    """So many days before the last complete one."""
    return LAST - timedelta(days=days)


def dbus(found: Bill, job_id: str = "7") -> dict[str, Decimal]:
    """By window."""
    return {window: one.dbus for window, one in found.jobs[job_id].amounts.items()}


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 3, 20, 11, 59, 59, tzinfo=UTC), date(2026, 3, 19)),
        (datetime(2026, 3, 20, 12, 0, tzinfo=UTC), date(2026, 3, 20)),
        (datetime(2026, 1, 1, 11, 0, tzinfo=UTC), date(2025, 12, 31)),
    ],
)
def test_a_day_is_complete_twelve_hours_after_its_end(now: datetime, until: date) -> None:
    """Usage mostly arrives within this time."""
    assert datetime.combine(until, datetime.min.time(), UTC) == complete_until(now)
    assert until - timedelta(days=31) == first_day(now)


def test_windows_end_with_the_last_complete_day() -> None:
    """Each day counts in the windows that reach back to it, and days to come in none."""
    days = (ago(-1), ago(0), ago(1), ago(6), ago(7), ago(18), ago(19), ago(29), ago(30))

    found = bill((used(str(10**place), day=day) for place, day in enumerate(days)), {}, NOW)

    assert {
        "1d": Decimal(10),
        "7d": Decimal(1110),
        "30d": Decimal(11_111_110),
        "mtd": Decimal(111_110),
    } == dbus(found)


@pytest.mark.parametrize(
    ("now", "mtd"),
    [
        (datetime(2026, 3, 31, 23, 0, tzinfo=UTC), 30),
        (datetime(2026, 4, 1, 0, 0, tzinfo=UTC), 0),
        (datetime(2026, 4, 1, 23, 0, tzinfo=UTC), 0),
        (datetime(2026, 4, 2, 11, 0, tzinfo=UTC), 0),
        (datetime(2026, 4, 2, 12, 0, tzinfo=UTC), 1),
    ],
)
def test_the_month_is_that_of_now(now: datetime, mtd: int) -> None:
    """It begins with nothing, and never reaches back into the month before."""
    days = (now.date() - timedelta(days=number) for number in range(40))

    found = bill((used(day=day) for day in days), {}, now)

    assert (mtd, 30) == (dbus(found)["mtd"], dbus(found)["30d"])


def test_every_window_and_currency_is_there() -> None:
    """What was used a month ago is 0 yesterday, so that no number vanishes between two bills."""
    found = bill([used(day=ago(29)), used("2", None, day=ago(10))], {}, NOW)

    amounts = found.jobs["7"].amounts
    assert WINDOWS == tuple(amounts)
    assert Amount(dbus=Decimal(0), unpriced=Decimal(0), costs=(("USD", Decimal(0)),)) == amounts["1d"]
    assert Amount(dbus=Decimal(3), unpriced=Decimal(2), costs=(("USD", Decimal("0.15")),)) == amounts["30d"]
    assert 2 * len(WINDOWS) == len(found.products)


def test_only_dbus_are_dbus() -> None:
    """Usage in other units has its cost and its quantity, and adds to no DBUs."""
    found = bill([used(), used("500", "0.02", unit="GB", sku="STORAGE")], {}, NOW)

    assert Decimal(1) == found.jobs["7"].amounts["1d"].dbus
    assert (("USD", Decimal("0.17")),) == found.jobs["7"].amounts["1d"].costs
    assert {"GB": Decimal(500), "DBU": Decimal(1)} == {
        one.unit: one.quantity for one in found.products if one.window == "1d"
    }


def test_corrections_may_go_below_zero() -> None:
    """A retraction that comes alone is not hidden."""
    assert Decimal("-2.5") == dbus(bill([used("-2.5", "-0.375")], {}, NOW))["1d"]


def test_net_cost_is_list_cost_less_the_discount_of_the_product() -> None:
    """A product without discount costs its list price; without any discount there is no net cost."""
    rows = [used(cost="0.15"), used(cost="0.7", product="SQL"), used(cost=None, product="SQL")]

    discounted = bill(rows, {"JOBS": Decimal("0.2")}, NOW)

    assert (("USD", Decimal("0.82")),) == discounted.jobs["7"].amounts["1d"].net_costs
    assert {Decimal("0.12"), Decimal("0.7"), None} == {
        one.net_cost for one in discounted.products if one.window == "1d"
    }
    assert () == bill(rows, {}, NOW).jobs["7"].amounts["1d"].net_costs
    assert {None} == {one.net_cost for one in bill(rows, {}, NOW).products}


def test_one_time_runs_are_billed_together() -> None:
    """Their job ids have no end, so they share the empty one; they remain attributed."""
    rows = [used(), used("2", job_id="900001"), used("3", job_id="900002"), used("4", job_id="")]
    spending = [Spending(job_id="900001", dbus=Decimal(2), success=None)]

    found = bill(rows, {}, NOW, jobs={"7"}, spending=spending)

    assert {"7": Decimal(1), "": Decimal(5)} == {job_id: dbus(found, job_id)["1d"] for job_id in found.jobs}
    assert (None, None) == (found.jobs[""].daily_p90, found.jobs[""].since_success)
    assert Decimal(4) == sum(
        one.quantity for one in found.products if one.window == "1d" and not one.attributed
    )


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ((), None),
        ((1, 2, 3, 4), None),
        ((1, 2, 3, 4, 5), 5),
        ((1, 2, 3, 4, 0, -5), None),
        (range(10, 0, -1), 9),
        (range(1, 31), 27),
    ],
)
def test_daily_p90(quantities: Iterable[int], expected: int | None) -> None:
    """By nearest rank over the days with usage before the last complete one, of which it takes five."""
    before = [used(str(quantity), day=ago(1 + place)) for place, quantity in enumerate(quantities)]

    found = bill([used("1000"), used("1000", day=ago(-1)), used("1000", day=ago(31)), *before], {}, NOW)

    assert expected == found.jobs["7"].daily_p90


def test_a_day_of_the_p90_is_all_that_was_used_on_it() -> None:
    """SKUs and prices do not make days of their own."""
    halves = [used("2", sku=sku, day=ago(1 + place)) for place in range(5) for sku in ("A", "B")]

    assert Decimal(4) == bill(halves, {}, NOW).jobs["7"].daily_p90


def test_spending_since_the_last_success() -> None:
    """A job that the answer leaves out used nothing, one without usage in any window has a bill of its own."""
    spending = [Spending(job_id="8", dbus=Decimal("12.5"), success=at(-86400))]

    found = bill([used()], {}, NOW, spending=spending).jobs

    assert (Decimal(0), None) == (found["7"].since_success, found["7"].success)
    assert (Decimal("12.5"), at(-86400)) == (found["8"].since_success, found["8"].success)
    assert {Amount(dbus=Decimal(0), unpriced=Decimal(0))} == set(found["8"].amounts.values())


def test_unknown_spending_is_not_zero() -> None:
    """Nobody is said to have used nothing when nobody could say."""
    assert bill([used()], {}, NOW).jobs["7"].since_success is None


def test_nothing_used() -> None:
    """A workspace without usage has an empty bill."""
    found = bill([], {"JOBS": Decimal("0.2")}, NOW, spending=[])

    assert ({}, ()) == (found.jobs, found.products)


def test_what_cannot_be_exact_fails() -> None:
    """A sum that would have to be rounded is no bill."""
    with pytest.raises(ArithmeticError):
        bill([used("1e2000"), used("1", sku="OTHER")], {}, NOW)


def test_usage_is_kept_for_corrections() -> None:
    """A short retention keeps as much usage as Databricks corrects, a longer one more."""
    assert date(2026, 1, 17) == kept_since(NOW, timedelta(days=1))
    assert date(2025, 12, 10) == kept_since(NOW, timedelta(days=100))


@pytest.mark.parametrize(
    "one",
    [
        Amount(dbus=Decimal(0), unpriced=Decimal(0)),
        Amount(dbus=Decimal(2), unpriced=Decimal(2)),
        Amount(dbus=Decimal(3), unpriced=Decimal(0), costs=(("USD", Decimal(0)),)),
        Amount(
            dbus=Decimal(3),
            unpriced=Decimal("-1e-18"),
            costs=(("EUR", Decimal("0.1")), ("USD", Decimal("0.2"))),
            net_costs=(("EUR", Decimal("0.05")), ("USD", Decimal("0.1"))),
        ),
    ],
)
def test_parts_make_the_amount(one: Amount) -> None:
    """An amount can be taken apart by currency and put together again."""
    with exact():
        assert one == amount(parts(one))


PLACE = st.integers(-1, 33)
ATTOS = st.integers(-(10**37), 10**37).map(lambda attos: Decimal(attos).scaleb(-18))


@st.composite
def rows_of_usage(draw: st.DrawFn) -> Usage:
    """A row as the tables may hold it: 38 digits of quantity at 38 digits of price."""
    quantity = draw(ATTOS)
    currency = draw(st.sampled_from(("", "EUR", "USD")))
    with exact():
        cost = quantity * draw(ATTOS) if currency else None
    return Usage(
        day=ago(draw(PLACE)),
        job_id=draw(st.sampled_from(("", "7", "8", "900001"))),
        product=draw(st.sampled_from(PRODUCTS)),
        sku=draw(st.sampled_from(("A", "B"))),
        unit=draw(st.sampled_from(("DBU", "GB"))),
        currency=currency,
        quantity=quantity,
        cost=cost,
        newest=at(0),
    )


@given(
    rows=st.lists(rows_of_usage(), max_size=40),
    random=st.randoms(use_true_random=False),
    discount=st.decimals(0, Decimal("0.999"), places=3),
)
def test_everything_adds_up(rows: list[Usage], random: Random, discount: Decimal) -> None:
    """In every window jobs and the rest make the total, priced and unpriced too, in any order and to the last digit."""
    found = bill(rows, {"JOBS": discount}, NOW, jobs={"7", "8"})

    shuffled = random.sample(rows, len(rows))
    assert found == bill(shuffled, {"JOBS": discount}, NOW, jobs={"7", "8"})
    starts = {"1d": ago(0), "7d": ago(6), "30d": ago(29), "mtd": date(2026, 3, 1)}
    with exact():
        for window, start in starts.items():
            inside = [row for row in rows if start <= row.day <= LAST]
            _check_window(found, window, inside, discount)


def _check_window(found: Bill, window: str, inside: list[Usage], discount: Decimal) -> None:
    amounts = [job.amounts[window] for job in found.jobs.values()]
    products = [one for one in found.products if one.window == window]
    in_dbu = [one for one in products if one.unit == "DBU"]
    total = sum(row.quantity for row in inside if row.unit == "DBU")
    unattributed = sum(one.quantity for one in in_dbu if not one.attributed)
    assert total == sum(one.quantity for one in in_dbu)
    assert total == sum(one.dbus for one in amounts) + unattributed
    unpriced = sum(row.quantity for row in inside if row.unit == "DBU" and row.cost is None)
    assert unpriced == sum(one.quantity for one in in_dbu if not one.currency)
    assert unpriced == sum(one.unpriced for one in amounts) + sum(
        one.quantity for one in in_dbu if not one.currency and not one.attributed
    )
    for currency in ("EUR", "USD"):
        priced = [row for row in inside if row.currency == currency]
        cost = sum(row.cost or 0 for row in priced)
        net = sum((row.cost or 0) * (1 - discount if row.product == "JOBS" else 1) for row in priced)
        of_currency = [one for one in products if one.currency == currency]
        rest = [one for one in of_currency if not one.attributed]
        assert cost == sum(one.cost or 0 for one in of_currency)
        assert net == sum(one.net_cost or 0 for one in of_currency)
        assert cost == sum(dict(one.costs).get(currency, 0) for one in amounts) + sum(
            one.cost or 0 for one in rest
        )
        assert net == sum(dict(one.net_costs).get(currency, 0) for one in amounts) + sum(
            one.net_cost or 0 for one in rest
        )
