"""Instants and spans as the store keeps them: whole milliseconds, instants since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware instant, rounded down."""
    return (instant - EPOCH) // MILLISECOND


def from_ms(value: int) -> datetime:
    """The instant so many milliseconds after 1970."""
    return EPOCH + timedelta(milliseconds=value)


def maybe_from_ms(value: int | None) -> datetime | None:
    """The instant, or None for none."""
    return None if value is None else from_ms(value)


def span_ms(span: timedelta) -> int:
    """Milliseconds of a span, rounded down."""
    return span // MILLISECOND


def maybe_span(value: int | None) -> timedelta | None:
    """The span of so many milliseconds, or None for none."""
    return None if value is None else timedelta(milliseconds=value)
