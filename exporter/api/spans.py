"""Spans and amounts as JSON has them: numbers."""

from datetime import timedelta
from decimal import Decimal


def seconds(span: timedelta) -> float:
    """The span in seconds."""
    return span.total_seconds()


def maybe_seconds(span: timedelta | None) -> float | None:
    """The span in seconds; null for none."""
    return span.total_seconds() if span is not None else None


def number(amount: Decimal | None) -> float | None:
    """The amount as a number of 15 significant digits and more; sums were made before, of exact decimals."""
    return None if amount is None else float(amount)
