"""Turns what stands in a field of the web config file into a value, one function per kind. Each raises `Mistake`."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from collector.config import values
from collector.config.values import Mistake, suggestion, written
from exporter.access.ciphers import ALWAYS_ON, CIPHERS, CURVES

HASH = re.compile(r"\$2[aby]\$(?P<cost>\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII)
LOWEST_COST, HIGHEST_COST = 4, 18
"""Of bcrypt. The highest takes a processor about 15 s for each comparison."""


def one_of(words: Iterable[str], refused: Mapping[str, str] | None = None) -> Callable[[object], str]:
    """One of these words, spelled like this; those refused are known to the format, and not honoured for a reason."""
    offered = tuple(words)
    remedy = f"write one of {', '.join(offered)}"

    def parse(value: object) -> str:
        word = values.text(value)
        if reason := (refused or {}).get(word):
            raise Mistake(f"{written(word)} {reason}; {remedy}")
        if word not in offered:
            raise Mistake(f"{written(word)} is not known; {suggestion(word, offered, otherwise=remedy)}")
        return word

    return parse


def cipher_suites(value: object) -> tuple[str, ...]:
    """Names of cipher suites of TLS 1.2 in the server's order; those of TLS 1.3 may stand among them."""
    names = values.texts(value)
    for name in names:
        if name not in CIPHERS and name not in ALWAYS_ON:
            hint = suggestion(name, CIPHERS, otherwise="remove it")
            raise Mistake(f"{written(name)} is not a cipher suite that is offered; {hint}")
    return names


def curves(value: object) -> tuple[str, ...]:
    """At most one curve: Python's TLS takes one, or leaves the order to OpenSSL."""
    names = tuple(one_of(CURVES)(name) for name in values.texts(value))
    if len(names) > 1:
        raise Mistake(
            f"{len(names)} curves cannot be put in order; keep one, or remove the field for OpenSSL's own order"
        )
    return names


def interval(value: object) -> timedelta:
    """A duration; 0 needs no unit."""
    if value in (0, "0"):
        return timedelta(0)
    return values.duration(at_least="0s", at_most="1d")(value)


def header(name: str, offered: tuple[str, ...]) -> Callable[[object], str]:
    """The value of a header: one of those offered, or any when none are; the empty text leaves the header as it is."""

    def parse(value: object) -> str:
        text = values.text(value)
        if text and offered and text not in offered:
            raise Mistake(f"{written(text)} is not a value of {name}; write one of {', '.join(offered)}")
        if not (text.isascii() and text.isprintable()):
            raise Mistake("has characters that no header can carry; write it in ASCII on one line")
        return text

    return parse


def bcrypt_hash(value: object) -> str:
    """A hash of a password. What stands there is never quoted: it may be the password."""
    match = HASH.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise Mistake(
            "is not a bcrypt hash; make one with `htpasswd -nBC 10 NAME` and write what follows the colon"
        )
    if not LOWEST_COST <= int(match["cost"]) <= HIGHEST_COST:
        raise Mistake(
            f"has a cost of {int(match['cost'])}; hash the password with one from {LOWEST_COST} to "
            f"{HIGHEST_COST}, such as 10"
        )
    return match[0]
