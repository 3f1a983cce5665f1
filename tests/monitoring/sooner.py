"""The shipped rules and settings for a world that goes faster: every length of time is divided by the same factor.

Nothing else changes: counts, shares, DBUs, days of the calendar and words stay as they are.
So a test can let an hour pass in a minute, and still tests the expressions that people load.
"""

import re
from typing import Any

from tests.monitoring.scrapes import TOKEN

UNITS_MS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
WORD = re.compile(r'"[^"]*"|#.*|[A-Za-z_:$][\w:.]*|\d[\w.]*')
"""Strings, comments and names, in which nothing is a number, and numbers and durations."""
SHORTEST_SECONDS = 600
"""A bare number from here on is a time in seconds; a smaller one is a count, a share or an amount."""
OF_TIME = re.compile(r"_seconds(?::\w+)?(?:$|\{)")
"""Series whose values are times."""


def sooner(content: Any, factor: int) -> Any:
    """Rules, tests of rules or settings, as they are loaded from YAML, with every length of time made shorter."""
    match content:
        case dict():
            return {key: sooner(item, factor) for key, item in content.items()} | _shorter(content, factor)
        case list():
            return [sooner(item, factor) for item in content]
        case str() if DURATION.fullmatch(content):
            return duration(content, factor)
    return content


def expression(expr: str, factor: int) -> str:
    """The same question about times that are shorter."""

    def shorter(found: re.Match[str]) -> str:
        word = found[0]
        if DURATION.fullmatch(word):
            return duration(word, factor)
        if word[0].isdigit() and float(word) >= SHORTEST_SECONDS:
            return f"{float(word) / factor:g}"
        return word

    return WORD.sub(shorter, expr)


def duration(text: str, factor: int) -> str:
    """The duration in milliseconds; one that does not come out even is a ValueError."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    long_ms = sum(int(number) * UNITS_MS[unit] for number, unit in parts)
    if long_ms % factor:
        raise ValueError(f"{text} cannot be divided by {factor}")
    return f"{long_ms // factor}ms"


def _shorter(entry: dict[str, Any], factor: int) -> dict[str, Any]:
    """What in a rule, or in a series of a test, means time without being written as a duration."""
    match entry:
        case {"record": str(record), "expr": str(expr)} if record.endswith("_seconds:threshold"):
            return {"expr": f"({expr}) / {factor}"}
        case {"expr": str(expr)}:
            return {"expr": expression(expr, factor)}
        case {"series": str(series), "values": str(values)} if OF_TIME.search(series):
            return {"values": _times(values, factor)}
        case {"labels": str(series), "value": int() | float() as value} if OF_TIME.search(series):
            return {"value": value / factor}
    return {}


def _times(values: str, factor: int) -> str:
    return " ".join(_time(token, factor) for token in values.split())


def _time(token: str, factor: int) -> str:
    found = TOKEN.fullmatch(token)
    if not found:
        return token
    step = f"{float(found['step']) / factor:+.9f}" if found["step"] else ""
    times = f"x{found['times']}" if found["times"] else ""
    return f"{float(found['start']) / factor:.9f}{step}{times}"
