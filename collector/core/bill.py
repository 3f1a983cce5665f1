"""What usage comes to: DBUs and cost by job and by product, in windows of complete days. Decimals are never rounded."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation, Overflow, localcontext
from typing import NamedTuple

from collector.core.model import Spending, Usage
from collector.core.snapshot import Amount, Bill, JobBill, ProductAmount

WINDOWS = ("1d", "7d", "30d", "mtd")
"""The last complete day, the last 7 and 30 of them, and those of the calendar month."""
COMPLETE_AFTER = timedelta(hours=12)
"""How long after its end a day counts as complete: usage mostly arrives within this time."""
DAY = timedelta(days=1)
KEPT = timedelta(days=62)
"""Usage is kept so long at least: Databricks corrects past days."""
DBU = "DBU"
NOTHING = Decimal(0)
FEWEST_DAYS = 5
"""From so many days with usage on a job's 90th percentile says something."""
ONE_TIME = ""
"""Stands for the jobs that exist for one run only; their ids have no end."""
EXACT = Context(prec=1000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation, Overflow])
"""Digits for any sum of products of what the billing tables hold; beyond, it fails rather than round."""


class Part(NamedTuple):
    """What was used at prices of one currency, or, with an empty one, without a price."""

    currency: str
    dbus: Decimal
    cost: Decimal | None
    net_cost: Decimal | None


def exact() -> AbstractContextManager[Context]:
    """Within it, arithmetic on decimals is exact."""
    return localcontext(EXACT)


def complete_until(now: datetime) -> datetime:
    """The end of the last day, in UTC, that is complete."""
    return datetime.combine((now - COMPLETE_AFTER).date(), time(), UTC)


def first_day(now: datetime) -> date:
    """The earliest day that matters for a bill made now."""
    return (complete_until(now) - 31 * DAY).date()


def kept_since(now: datetime, retention: timedelta) -> date:
    """The earliest day whose usage is kept."""
    return (now - max(retention, KEPT)).date()


def bill(
    usage: Iterable[Usage],
    discounts: Mapping[str, Decimal],
    now: datetime,
    *,
    spending: Iterable[Spending] | None = None,
    jobs: Container[str] | None = None,
) -> Bill:
    """The bill as of now. Each row of usage comes once, in any order; days that do not matter are passed over.

    `discounts` are fractions off the list price by product; with none there is no net cost.
    `spending` of None says that it is not known what jobs used since their last success; a job that is missing in it
    used nothing. With `jobs`, all ids that are not in it are one-time runs and are billed together.
    """
    with exact():
        ledger = _Ledger(discounts, now, jobs)
        for used in usage:
            ledger.enter(used)
        since = (
            None
            if spending is None
            else {each.job_id: each for each in spending if ledger.knows(each.job_id)}
        )
        return Bill(
            made=now,
            complete_until=complete_until(now),
            jobs=dict(ledger.job_bills(since)),
            products=in_order(ledger.product_amounts()),
        )


def nothing_used(of: Bill) -> JobBill:
    """What the bill says of a job that is not in it."""
    nothing = Amount(dbus=NOTHING, unpriced=NOTHING)
    known = any(job.since_success is not None for job in of.jobs.values())
    return JobBill(
        amounts=dict.fromkeys(WINDOWS, nothing),
        daily_p90=None,
        since_success=NOTHING if known else None,
        success=None,
    )


def amount(parts: Iterable[Part]) -> Amount:
    """The parts of one window, at most one of each currency, taken together. Arithmetic has to be exact."""
    ordered = sorted(parts, key=lambda part: part.currency)
    return Amount(
        dbus=sum((part.dbus for part in ordered), NOTHING),
        unpriced=next((part.dbus for part in ordered if not part.currency), NOTHING),
        costs=tuple((part.currency, part.cost) for part in ordered if part.cost is not None),
        net_costs=tuple((part.currency, part.net_cost) for part in ordered if part.net_cost is not None),
    )


def parts(of: Amount) -> Iterator[Part]:
    """Parts that make the amount. DBUs of several currencies all stand with the first. Arithmetic has to be exact."""
    if of.unpriced or not of.costs:
        yield Part("", of.unpriced, None, None)
    net, priced = dict(of.net_costs), of.dbus - of.unpriced
    for currency, cost in of.costs:
        yield Part(currency, priced, cost, net.get(currency))
        priced = NOTHING


def in_order(products: Iterable[ProductAmount]) -> tuple[ProductAmount, ...]:
    """By product, SKU, unit, currency, attribution and window."""
    return tuple(sorted(products, key=_place))


def _place(of: ProductAmount) -> tuple[str, str, str, str, bool, int]:
    return (of.product, of.sku, of.unit, of.currency, of.attributed, WINDOWS.index(of.window))


@dataclass(slots=True)
class _Total:
    """A running sum."""

    quantity: Decimal = NOTHING
    cost: Decimal = NOTHING
    net_cost: Decimal = NOTHING

    def add(self, quantity: Decimal, cost: Decimal, net_cost: Decimal) -> None:
        self.quantity += quantity
        self.cost += cost
        self.net_cost += net_cost


_Windows = Mapping[str, _Total]


def _windows() -> _Windows:
    return {window: _Total() for window in WINDOWS}


def _days(now: datetime) -> dict[date, tuple[str, ...]]:
    """The days that matter, with the windows in which each lies; the first of them is in none."""
    last = (complete_until(now) - DAY).date()
    first = {"1d": last, "7d": last - 6 * DAY, "30d": last - 29 * DAY, "mtd": now.date().replace(day=1)}
    days = (last - number * DAY for number in range(31))
    return {day: tuple(window for window in WINDOWS if first[window] <= day) for day in days}


class _Ledger:
    """Adds up usage. Every window of whatever was used in one of them is there, so that no number ever vanishes."""

    def __init__(self, discounts: Mapping[str, Decimal], now: datetime, jobs: Container[str] | None) -> None:
        self._shares = {product: 1 - discount for product, discount in discounts.items()}
        self._days = _days(now)
        self._last = max(self._days)
        self._known = jobs
        self._jobs: defaultdict[str, defaultdict[str, _Windows]] = defaultdict(lambda: defaultdict(_windows))
        """By job id and currency."""
        self._products: defaultdict[tuple[str, str, str, str, bool], _Windows] = defaultdict(_windows)
        """By product, SKU, unit, currency and whether it belongs to a job."""
        self._daily: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        """DBUs by job and day, before the last complete day."""

    def knows(self, job_id: str) -> bool:
        """True for a job that may run more than once."""
        return self._known is None or job_id in self._known

    def enter(self, used: Usage) -> None:
        """The usage is in the sums."""
        windows = self._days.get(used.day)
        if windows is None:
            return
        cost = NOTHING if used.cost is None else used.cost
        net_cost = cost * self._shares.get(used.product, 1)
        if windows:
            key = (used.product, used.sku, used.unit, used.currency, bool(used.job_id))
            of_product = self._products[key]
            for window in windows:
                of_product[window].add(used.quantity, cost, net_cost)
        if not used.job_id:
            return
        job_id = used.job_id if self.knows(used.job_id) else ONE_TIME
        dbus = used.quantity if used.unit == DBU else NOTHING
        if windows:
            of_job = self._jobs[job_id][used.currency]
            for window in windows:
                of_job[window].add(dbus, cost, net_cost)
        if job_id and dbus and used.day != self._last:
            self._daily[job_id][used.day] += dbus

    def job_bills(self, since: Mapping[str, Spending] | None) -> Iterator[tuple[str, JobBill]]:
        """By job id: every job with usage in a window or since its last success."""
        for job_id in dict.fromkeys((*self._jobs, *(since or ()))):
            spent = since.get(job_id) if since else None
            nothing_spent = None if since is None or job_id == ONE_TIME else NOTHING
            own = JobBill(
                amounts={window: amount(self._job_parts(job_id, window)) for window in WINDOWS},
                daily_p90=_p90(self._daily.get(job_id, {}).values()),
                since_success=spent.dbus if spent else nothing_spent,
                success=spent.success if spent else None,
            )
            yield job_id, own

    def product_amounts(self) -> Iterator[ProductAmount]:
        """Every product in every window."""
        for (product, sku, unit, currency, attributed), windows in self._products.items():
            for window, total in windows.items():
                yield ProductAmount(
                    product=product,
                    sku=sku,
                    unit=unit,
                    window=window,
                    currency=currency,
                    attributed=attributed,
                    quantity=total.quantity,
                    cost=total.cost if currency else None,
                    net_cost=total.net_cost if currency and self._shares else None,
                )

    def _job_parts(self, job_id: str, window: str) -> Iterator[Part]:
        if job_id not in self._jobs:
            return
        for currency, windows in self._jobs[job_id].items():
            total = windows[window]
            cost = total.cost if currency else None
            yield Part(currency, total.quantity, cost, total.net_cost if currency and self._shares else None)


def _p90(days: Iterable[Decimal]) -> Decimal | None:
    """The smallest that nine in ten of the days with usage do not exceed."""
    ordered = sorted(dbus for dbus in days if dbus > 0)
    return ordered[-(-len(ordered) * 90 // 100) - 1] if len(ordered) >= FEWEST_DAYS else None
