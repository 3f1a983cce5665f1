"""Reads amounts of money and usage, exactly: 0.1 is a tenth, and not the float beside it. Each raises `Mistake`."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from collector.config.values import Mistake, written
from collector.core.agreement import LEAST_BUDGET, MOST_BUDGET

PRODUCT = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


def budget(value: object) -> Decimal:
    """DBUs per month."""
    dbus = _decimal(value)
    if dbus is None:
        raise Mistake(f"{written(value)} is not a number of DBUs; write one above 0")
    if not LEAST_BUDGET <= dbus <= MOST_BUDGET:
        raise Mistake(f"{written(value)} is out of range; write a number above 0, or leave it out")
    return dbus


def discounts(value: object) -> Mapping[str, Decimal]:
    """Fractions off the list price, by product."""
    if not isinstance(value, dict):
        raise Mistake(f"{written(value)} is not a table; write it like {{ JOBS = 0.2, SQL = 0.35 }}")
    return MappingProxyType({product: _discount(product, fraction) for product, fraction in value.items()})


def _discount(product: str, value: object) -> Decimal:
    if not PRODUCT.fullmatch(product):
        raise Mistake(
            f"{written(product)} is not a product; write it as billing_origin_product does, such as JOBS or SQL"
        )
    fraction = _decimal(value)
    if fraction is None or not 0 <= fraction < 1:
        raise Mistake(
            f"{product}: {written(value)} is no fraction; write a number from 0 to below 1, such as 0.2 for 20 %"
        )
    return fraction


def _decimal(value: object) -> Decimal | None:
    """The finite number that is written there; the shortest decimal that reads as a float is what was written."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    number = Decimal(repr(value))
    return number if number.is_finite() else None
