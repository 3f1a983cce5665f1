"""Reads query strings as strictly as the workspace does: an unknown, repeated or malformed parameter is an error."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

INT64 = 2**63
INTEGER = re.compile(r"-?[0-9]{1,19}")

Value = int | bool | str
Kind = Callable[[str, str], Value]
"""Reads the value of a parameter, given its name and its text."""


class ApiError(Exception):
    """The workspace refuses: an HTTP status, an error code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(message: str) -> ApiError:
    """The error for a parameter that cannot be accepted."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def missing(what: str, ident: int) -> ApiError:
    """The error for an id that nothing has; 400 rather than 404, as on the real thing."""
    return invalid(f"{what} {ident} does not exist.")


def integer(name: str, text: str) -> int:
    """A 64-bit whole number."""
    if not INTEGER.fullmatch(text) or not -INT64 <= int(text) < INT64:
        raise invalid(f"Could not parse {name}: '{text}' is not a 64-bit integer.")
    return int(text)


def flag(name: str, text: str) -> bool:
    """`true` or `false`."""
    if text not in {"true", "false"}:
        raise invalid(f"Could not parse {name}: '{text}' is neither true nor false.")
    return text == "true"


def text(_name: str, value: str) -> str:
    """Any text."""
    return value


def word(*words: str) -> Kind:
    """One of these words."""

    def read(name: str, value: str) -> str:
        if value not in words:
            raise invalid(f"Invalid {name} '{value}': one of {', '.join(words)}.")
        return value

    return read


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request."""

    values: Mapping[str, Value]

    def integer(self, name: str) -> int | None:
        """The number, or None when it was not given."""
        value = self.values.get(name)
        return int(value) if value is not None else None

    def flag(self, name: str) -> bool:
        """True only when `true` was given."""
        return self.values.get(name) is True

    def text(self, name: str) -> str:
        """The text, empty when it was not given."""
        return str(self.values.get(name, ""))

    def needed(self, name: str) -> int:
        """The number, which must be given."""
        value = self.integer(name)
        if value is None:
            raise invalid(f"Missing required field: {name}")
        return value

    def within(self, name: str, least: int, most: int, default: int) -> int:
        """The number, which must lie in these bounds."""
        value = self.integer(name)
        if value is None:
            return default
        if not least <= value <= most:
            raise invalid(f"Invalid {name} {value}: it must be at least {least} and no more than {most}.")
        return value


def parameters(query: str, kinds: Mapping[str, Kind]) -> Parameters:
    """The parameters of a query string; anything that is not declared is an error."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError:
        raise invalid("The query string is malformed.") from None
    values: dict[str, Value] = {}
    for name, value in pairs:
        if name not in kinds:
            raise invalid(f"Unknown parameter '{name}'.")
        if name in values:
            raise invalid(f"Parameter '{name}' is given twice.")
        values[name] = kinds[name](name, value)
    return Parameters(values)
