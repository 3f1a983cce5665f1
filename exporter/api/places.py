"""Cursors: where a list was left, as a text that only this program reads. The place is that of an item, not a number, so
that what comes and goes meanwhile neither repeats nor hides others.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TypeVar

from exporter.api.refusals import wrong

Place = list[str | int]
T = TypeVar("T")
LARGEST = 2**53


def written(place: Place) -> str:
    """The place as a cursor."""
    text = json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str | None, *kinds: type) -> Place | None:
    """The place of a cursor, which has parts of these kinds; None without one. Refuses what is no such cursor."""
    if cursor is None:
        return None
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != [*kinds] or not _bounded(place):
        raise bad_cursor()
    return place


def bad_cursor() -> Exception:
    """For a cursor that was not given out, or for another question."""
    return wrong(
        "cursor",
        "no cursor of this list",
        "`next_cursor` of an answer to the same question; nothing to begin at the start",
    )


def page_of(items: Sequence[T], start: int, limit: int) -> tuple[Sequence[T], T | None]:
    """At most so many items from there on, and the last of them when more follow."""
    shown = items[start : start + limit]
    return shown, shown[-1] if start + limit < len(items) and shown else None


def _bounded(place: Place) -> bool:
    """Whether a database can take it."""
    return all(
        0 <= part < LARGEST if isinstance(part, int) else part.isprintable() or part == "" for part in place
    )
