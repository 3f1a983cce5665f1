"""Reads the single fields of an item of the Jobs API: what is there is taken, what is absent is its default, and what
cannot be meant makes the item unreadable.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=36_525)
"""A century: no instant plus spans that pass here leaves the calendar, and millions of them fit into one counter."""
LARGEST = 2**63 - 1
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and lone halves of surrogate pairs are valid JSON, and neither UTF-8 nor a database can hold them."""

Json = Mapping[str, Any]


class UnreadableItemError(ValueError):
    """An item lacks something without which it cannot be counted."""


@contextmanager
def border() -> Iterator[None]:
    """Whatever an item holds that nobody thought of costs this item, not the poll."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, UnreadableItemError):
            raise
        raise UnreadableItemError(f"{type(error).__name__}: {error}") from error


def identifier(item: Json, key: str) -> str:
    """An id as text; the API sends numbers, and more digits than a float can hold."""
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise UnreadableItemError(f"{key} is {value!r}, not an id")
    return str(value)


def integer(item: Json, key: str, absent: int = 0) -> int:
    """A whole number; the API sends long ones as text."""
    value = item.get(key)
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UnreadableItemError(f"{key} is {value!r}, not a whole number")
    try:
        number = int(value)
    except ValueError:
        raise UnreadableItemError(f"{key} is {value!r}, not a whole number") from None
    if abs(number) > LARGEST:
        raise UnreadableItemError(f"{key} is {value!r}, larger than any integer of a database")
    return number


def instant(item: Json, key: str) -> datetime:
    """The instant behind a field of epoch milliseconds."""
    return bounded_instant(key, integer(item, key))


def span(item: Json, key: str, unit: timedelta = MILLISECOND) -> timedelta:
    """A duration in that unit; a negative one is none."""
    return bounded_span(key, integer(item, key), unit)


def bounded_instant(key: str, value: int) -> datetime:
    """The instant so many milliseconds after 1970, if it is one that can be meant."""
    if not 0 < value < (LATEST - EPOCH) // MILLISECOND:
        raise UnreadableItemError(f"{key} is {value!r}, not an instant")
    return EPOCH + value * MILLISECOND


def bounded_span(key: str, value: int, unit: timedelta) -> timedelta:
    """So many of the unit, if it is a duration that can be meant; a negative one is none."""
    if value > LONGEST // unit:
        raise UnreadableItemError(f"{key} is {value!r}, not a duration")
    return max(0, value) * unit


def text(item: Json, key: str) -> str:
    """A text that can be stored; empty for anything else."""
    value = item.get(key)
    return cleaned(value) if isinstance(value, str) else ""


def cleaned(value: str) -> str:
    """The text with a mark in place of what cannot be stored."""
    return UNSTORABLE.sub("\ufffd", value)


def table(item: Json, key: str) -> Json:
    """An object; an empty one for anything else."""
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def tables(item: Json, key: str) -> list[Json]:
    """The objects of an array."""
    value = item.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
