"""The price list: what each SKU costs from when to when, with a change of price and a promotion."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from simulator.clock import DAY_MS
from simulator.warehouse.schema import ACCOUNT
from simulator.warehouse.timelines import Row

CLOUD, CURRENCY = "AWS", "USD"
OPENING_MS = 1_704_067_200_000
"""2024-01-01, when the list begins."""

CLASSIC = "PREMIUM_JOBS_COMPUTE"
PHOTON = "PREMIUM_JOBS_COMPUTE_(PHOTON)"
SERVERLESS = "PREMIUM_JOBS_SERVERLESS_COMPUTE_US_EAST_N_VIRGINIA"
SQL = "PREMIUM_SERVERLESS_SQL_COMPUTE_US_EAST_N_VIRGINIA"
ALL_PURPOSE = "PREMIUM_ALL_PURPOSE_COMPUTE"
STORAGE = "PREMIUM_DATABRICKS_STORAGE_US_EAST_N_VIRGINIA"
NETWORK = "PREMIUM_PUBLIC_CONNECTIVITY_DATA_PROCESSED_US_EAST_N_VIRGINIA"
NOT_PRICED = "PREMIUM_JOBS_COMPUTE_(ARM_PREVIEW)"
"""A SKU that the list does not have, as a new one is not for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit costs while the price is valid, from `start_ms` up to but without `end_ms`."""

    sku: str
    unit: str
    start_ms: int
    end_ms: int | None = None
    default: Decimal
    promotional: Decimal | None = None
    cloud: str = CLOUD

    @property
    def effective(self) -> Decimal:
        """The one that applies."""
        return self.default if self.promotional is None else self.promotional


def price_list(today_ms: int) -> tuple[Price, ...]:
    """Every price, also future ones; classic jobs become dearer today, serverless ones have a promotion around it."""
    steady = {
        PHOTON: ("DBU", "0.15"),
        SQL: ("DBU", "0.7"),
        ALL_PURPOSE: ("DBU", "0.55"),
        STORAGE: ("DSU", "0.023"),
        NETWORK: ("GB", "0.0085"),
    }
    before, after = today_ms - 2 * DAY_MS, today_ms + 2 * DAY_MS
    full, half = Decimal("0.35"), Decimal("0.175")
    return (
        *(
            Price(sku=sku, unit=unit, start_ms=OPENING_MS, default=Decimal(text))
            for sku, (unit, text) in steady.items()
        ),
        Price(sku=CLASSIC, unit="DBU", start_ms=OPENING_MS, end_ms=today_ms, default=Decimal("0.15")),
        Price(sku=CLASSIC, unit="DBU", start_ms=today_ms, default=Decimal("0.1623")),
        Price(sku=SERVERLESS, unit="DBU", start_ms=OPENING_MS, end_ms=before, default=full),
        Price(sku=SERVERLESS, unit="DBU", start_ms=before, end_ms=after, default=full, promotional=half),
        Price(sku=SERVERLESS, unit="DBU", start_ms=after, default=full),
        Price(sku=CLASSIC, unit="DBU", start_ms=OPENING_MS, default=Decimal("0.3"), cloud="AZURE"),
    )


def valid(prices: tuple[Price, ...], sku: str, unit: str, at_ms: int) -> Price | None:
    """The price on this cloud at that time."""
    for price in prices:
        if (price.sku, price.unit, price.cloud) != (sku, unit, CLOUD) or at_ms < price.start_ms:
            continue
        if price.end_ms is None or at_ms < price.end_ms:
            return price
    return None


def price_rows(prices: tuple[Price, ...], now_ms: int) -> Iterator[Row]:
    """The list as it stands now: a price ends when the next one is known."""
    for price in prices:
        if price.start_ms > now_ms:
            continue
        ended = price.end_ms is not None and price.end_ms <= now_ms
        promotion = None if price.promotional is None else {"default": price.promotional}
        yield {
            "account_id": ACCOUNT,
            "price_start_time": price.start_ms,
            "price_end_time": price.end_ms if ended else None,
            "sku_name": price.sku,
            "cloud": price.cloud,
            "currency_code": CURRENCY,
            "usage_unit": price.unit,
            "pricing": {
                "default": price.default,
                "promotional": promotion,
                "effective_list": {"default": price.effective},
            },
        }
