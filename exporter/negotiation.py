"""Which format and encoding a scraper wants, from its `Accept` and `Accept-Encoding`. Knows the two headers only."""

from collections.abc import Iterator
from typing import NamedTuple

from exporter.exposition import Format
from exporter.pages import Variant

TEXT = ("text/plain", ("", "0.0.4"))
OPENMETRICS = ("application/openmetrics-text", ("", "1.0.0"))
"""Media type and the versions of it that are offered; without a version any will do."""


class Choice(NamedTuple):
    """One alternative of a header: what, of which version, and how much it is wanted, from 0 to 1."""

    name: str
    version: str
    quality: float


def variant(accept: str, accept_encoding: str) -> Variant:
    """The best of what is offered. OpenMetrics only for those who name it; text for everybody else, never a 406."""
    choices = tuple(_choices(accept))
    exact = max((choice.quality for choice in choices if _is(choice, *OPENMETRICS)), default=0.0)
    form = Format.OPENMETRICS if exact > 0 and exact >= _text(choices) else Format.TEXT
    return Variant(form, _gzip(accept_encoding))


def _text(choices: tuple[Choice, ...]) -> float:
    """How much the text format is wanted: a more specific alternative counts before a wider one."""
    named = [choice.quality for choice in choices if _is(choice, *TEXT)]
    for wider in ("text/*", "*/*"):
        named = named or [choice.quality for choice in choices if choice.name == wider]
    return max(named, default=0.0)


def _gzip(accept_encoding: str) -> bool:
    wanted = {choice.name: choice.quality for choice in _choices(accept_encoding)}
    return wanted.get("gzip", wanted.get("*", 0.0)) > 0


def _is(choice: Choice, name: str, versions: tuple[str, ...]) -> bool:
    return choice.name == name and choice.version in versions


def _choices(header: str) -> Iterator[Choice]:
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name:
            values = {
                key.strip(): value.strip(' "')
                for key, _, value in (item.partition("=") for item in parameters)
            }
            yield Choice(name, values.get("version", ""), _quality(values.get("q", "1")))


def _quality(text: str) -> float:
    """The weight; what is no number between 0 and 1 wants nothing."""
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
