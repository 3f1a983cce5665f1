"""Turns what somebody wrote in a file or a variable into a value, one function per kind of setting.

Each raises `Mistake`.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

from collector.logs import MASK, redact

T = TypeVar("T")

UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+", re.ASCII)
DURATION_PART = re.compile(r"([\d.]+)(ms|[wdhms])", re.ASCII)
ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/]*):(?P<port>\d{1,9})", re.ASCII)
HOST = re.compile(r"(?:https?://)?[A-Za-z0-9.-]+(?::\d{1,5})?/?", re.ASCII)
LAKEBASE = "lakebase"
STORE_URL = re.compile(rf"sqlite:///.+|postgresql\+psycopg://.+|{LAKEBASE}")
URL_PASSWORD = re.compile(r"(?<=://)([^:@/]*):(.*)@", re.DOTALL)
"""Up to the last `@`: what is not encoded as it should be is still a password."""
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 – a scrape comes from another machine


class Mistake(ValueError):
    """A value that cannot be meant: what is wrong; what to change."""


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    """A name or an IP address, without brackets."""
    port: int
    """0 lets the system choose."""


def written(value: object) -> str:
    """The value as one writes it in the file."""
    return redact(json.dumps(value, ensure_ascii=False, default=str))


def suggestion(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """What somebody may have meant by an unknown word."""
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else otherwise


def duration_written(value: timedelta) -> str:
    """The shortest way to write a duration: `90s`, `10m`, `60d`."""
    unit = next((unit for unit, length in UNITS.items() if unit != "w" and not value % length), "ms")
    return f"{value // UNITS[unit]}{unit}"


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise Mistake(f"{written(value)} is not text; put it in quotes")
    return value.strip()


def optional_text(value: object) -> str | None:
    """Text, or None for the empty one."""
    return text(value) or None


def optional(parse: Callable[[object], T]) -> Callable[[object], T | None]:
    """The same, or None for the empty text."""
    return lambda value: None if value == "" else parse(value)


def file(value: object) -> Path | None:
    """A path as written, or None for the empty one."""
    name = text(value)
    return Path(name) if name else None


def boolean(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Mistake(f"{written(value)} is neither true nor false; write true or false without quotes")
    return value


def whole_number(*, at_least: int) -> Callable[[object], int]:
    """A number that counts something."""

    def parse(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Mistake(f"{written(value)} is not a whole number; write one of at least {at_least}")
        if value < at_least:
            raise Mistake(f"{value} is too small; write at least {at_least}")
        return value

    return parse


def positive_number(value: object) -> float:
    """A finite number above zero."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Mistake(f"{written(value)} is not a number; write one above 0")
    if not 0 < value < float("inf"):
        raise Mistake(f"{value} is out of range; write a number above 0")
    return float(value)


def duration(*, at_least: str, at_most: str = "3650d") -> Callable[[object], timedelta]:
    """A length of time such as `5s`, `1h30m` or `60d`, within bounds."""
    least, most = _length(at_least), _length(at_most)

    def parse(value: object) -> timedelta:
        if not isinstance(value, str) or not DURATION.fullmatch(value.strip()):
            raise Mistake(
                f'{written(value)} is not a duration; write a number with a unit, such as "5s", "10m" or "1h"'
            )
        try:
            length = _length(value)
        except OverflowError:
            length = timedelta.max
        if length < least:
            raise Mistake(f'{written(value)} is too short; write at least "{at_least}"')
        if length > most:
            raise Mistake(f'{written(value)} is too long; write at most "{at_most}"')
        return length

    return parse


def choice(*words: str) -> Callable[[object], str]:
    """One of a few words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value.strip().lower() not in words:
            raise Mistake(f"{written(value)} is not known; write one of {', '.join(map(written, words))}")
        return value.strip().lower()

    return parse


def name(*, most: int, marks: str) -> Callable[[object], str]:
    """A short identifier of letters, digits and a few marks."""
    pattern = re.compile(rf"[A-Za-z0-9{re.escape(marks)}]{{1,{most}}}")

    def parse(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Mistake(
                f"{written(value)} is not a name; "
                f'write 1 to {most} letters, digits or characters of "{marks}"'
            )
        return value

    return parse


def texts(value: object) -> tuple[str, ...]:
    """A list of different texts, none of them empty."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise Mistake(f'{written(value)} is not a list of texts; write it like ["one", "two"]')
    items = tuple(item.strip() for item in value)
    if repeated := [item for item in dict.fromkeys(items) if items.count(item) > 1]:
        raise Mistake(f"{written(repeated[0])} stands there more than once; write it once")
    return items


def selectors(value: object) -> tuple[str, ...]:
    """What picks jobs: regular expressions for the whole name, `tag:key=value` or `tag:key`."""
    items = texts(value)
    for item in items:
        if item.startswith("tag:"):
            if not item.removeprefix("tag:").partition("=")[0].strip():
                raise Mistake(f'{written(item)} names no tag; write "tag:key=value" or "tag:key"')
            continue
        try:
            re.compile(item)
        except re.error as error:
            raise Mistake(
                f"{written(item)} is not a regular expression ({error}); "
                'correct it, or write "tag:key=value" or "tag:key"'
            ) from None
    return items


def patterns(value: object) -> tuple[str, ...]:
    """Regular expressions."""
    items = texts(value)
    for item in items:
        try:
            re.compile(item)
        except re.error as error:
            raise Mistake(f"{written(item)} is not a regular expression ({error}); correct it") from None
    return items


def address(value: object) -> Address:
    """Host and port; without a host every address of the machine."""
    match = ADDRESS.fullmatch(text(value))
    if not match:
        raise Mistake(
            f"{written(value)} is not an address; "
            'write HOST:PORT such as "0.0.0.0:10977", ":10977" or "[::1]:10977"'
        )
    port = int(match["port"])
    if port > 65535:
        raise Mistake(f"{port} is not a port; write one from 0 to 65535")
    return Address(match["host"].strip("[]") or EVERY_ADDRESS, port)


def workspace_host(value: object) -> str | None:
    """Address of a workspace without path, or None for the empty text."""
    host = text(value)
    if host and not HOST.fullmatch(host):
        raise Mistake(
            f'{written(host)} is not the address of a workspace; write it without path, like "https://HOST"'
        )
    return host.rstrip("/") or None


def store_url(value: object) -> str:
    """Where the store is; a password may stand in it."""
    url = text(value)
    if not STORE_URL.fullmatch(url) or ":memory:" in url:
        masked = redact(URL_PASSWORD.sub(rf"\1:{MASK}@", url))
        raise Mistake(
            f'"{masked}" is not a store that is supported; '
            'write "sqlite:///FILE" or "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"'
        )
    return url


def password_in(url: str) -> str:
    """The password in a URL, decoded, or nothing."""
    match = URL_PASSWORD.search(url)
    return unquote(match[2]) if match else ""


def _length(value: str) -> timedelta:
    parts = DURATION_PART.findall(value)
    return sum((float(number) * UNITS[unit] for number, unit in parts), timedelta())
