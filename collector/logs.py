"""Log lines for machines and people, logfmt or JSON, one line per event and without secrets.

What is logged goes through the standard `logging`; facts travel beside the message and are never formatted into it.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import TextIO
from urllib.parse import quote

MASK = "***"
SHORTEST_SECRET = 4
"""A configured value shorter than this is not masked: it would tear up every line and hides nothing."""

NOISY_LOGGERS = ("alembic", "apscheduler", "databricks", "fastapi", "sqlalchemy", "urllib3", "uvicorn")
"""Libraries that are heard from WARNING on, also at level debug: the SDK prints whole answers there."""

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer …, {"Authorization": "Basic …"}: up to the quote or the end of the line
    (re.compile(r"(?i)(\b(?:proxy-)?authorization\b[\"']?\s*[:=]\s*[\"']?)[^\"'\r\n]+"), rf"\1{MASK}"),
    # Bearer …, but not “bearer token is missing”
    (re.compile(r"(?i)\b(bearer)\s+(?!tokens?(?:[\s.,:;]|$))[\w.~+/=-]+"), rf"\1 {MASK}"),
    # scheme://user:password@host; the password may hold an @ that somebody forgot to encode
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s/:@\"']*:)[^\s/\"']*@"), rf"\1{MASK}@"),
    # password=…, "client_secret": "…", …&access_token=…
    (
        re.compile(
            r"(?i)\b(password|passwd|pwd|client_secret|access_token|refresh_token|id_token)"
            r"([\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s\"'&,;)}\]]+)"
        ),
        rf"\1\2{MASK}",
    ),
    # personal access tokens and OAuth secrets of Databricks, JSON web tokens
    (re.compile(r"\b(?:dapi|dose)[0-9a-f]{32}(?:-\d+)?\b"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), MASK),
)

RESERVED = ("ts", "level", "logger", "msg", "exc", "stack")


class _Secrets:
    """Every value that a configured secret has had. A rotated one stays: somebody may still use it."""

    def __init__(self, readers: Iterable[Callable[[], str]] = ()) -> None:
        self._readers = tuple(readers)
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def values(self) -> list[str]:
        """All values known so far, the longest first, so that none is left over inside another."""
        with self._lock:
            for read in self._readers:
                try:
                    value = read()
                except (OSError, ValueError):  # unreadable now; what it was is known
                    continue
                if len(value) >= SHORTEST_SECRET:
                    self._seen |= {value, quote(value, safe="")}
            return sorted(self._seen, key=len, reverse=True)


_secrets = _Secrets()


def redact(text: str) -> str:
    """The text without configured secrets, bearer tokens, authorization headers and passwords."""
    for value in _secrets.values():
        text = text.replace(value, MASK)
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def event(logger: logging.Logger, level: int, msg: str, /, **fields: object) -> None:
    """Log a message with facts beside it."""
    logger.log(level, msg, extra={"fields": fields}, stacklevel=2)


def configure(
    format: str,  # noqa: A002 – the name of the setting
    level: str,
    secrets: Iterable[Callable[[], str]] = (),
    *,
    stream: TextIO | None = None,
) -> None:
    """Send all logging of the process to one stream (stderr) as `logfmt` or `json`, and mask these secrets from now on.

    Each secret is read again for every line, because files are rotated while the process runs.
    """
    global _secrets  # noqa: PLW0603 – logging is global, and so is what it must not say
    _secrets = _Secrets(secrets)
    handler = logging.StreamHandler(stream) if stream else _Stderr()
    handler.setFormatter(_Formatter(json_line if format == "json" else logfmt_line))
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    # the SDK's pool for plain http, as the simulated workspace speaks it, cannot be widened and warns at each request
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    # the SQL connector logs what it raises besides, and warns that it was told not to try again by itself
    logging.getLogger("databricks.sql").setLevel(logging.CRITICAL)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at that moment, so that a progress bar can put lines above itself."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        self.setStream(sys.stderr)
        super().emit(record)


class _Formatter(logging.Formatter):
    """One line for each record, made by a function of its facts."""

    def __init__(self, line: Callable[[Mapping[str, object]], str]) -> None:
        super().__init__()
        self._line = line

    def format(self, record: logging.LogRecord) -> str:
        """The finished line."""
        return self._line({key: _shown(value) for key, value in self._facts(record).items()})

    def _facts(self, record: logging.LogRecord) -> dict[str, object]:
        moment = datetime.fromtimestamp(record.created, UTC)
        facts: dict[str, object] = {
            "ts": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": _message(record),
        }
        fields: Mapping[str, object] = getattr(record, "fields", {})
        facts |= {f"{key}_" if key in RESERVED else key: value for key, value in fields.items()}
        if record.exc_info:
            facts["exc"] = self.formatException(record.exc_info)
        if record.stack_info:
            facts["stack"] = record.stack_info
        return facts


def json_line(facts: Mapping[str, object]) -> str:
    """The facts as one JSON object."""
    return _printable(json.dumps(facts, ensure_ascii=False))


def logfmt_line(facts: Mapping[str, object]) -> str:
    """The facts as `key=value`, quoted where a reader needs it."""
    return " ".join(f"{key}={_logfmt_value(key, value)}" for key, value in facts.items())


def _logfmt_value(key: str, value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    plain = key != "msg" and text and text.isprintable() and not set(text) & set(' ="\\')
    return text if plain else _printable(json.dumps(text, ensure_ascii=False))


def _printable(quoted: str) -> str:
    """Inside a JSON text, everything that could break or repaint a line as an escape."""
    if quoted.isprintable():
        return quoted
    return "".join(char if char.isprintable() else _escaped(char) for char in quoted)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a library's wrong format must not lead past the masking
        return f"{record.msg} {record.args}"


def _shown(value: object) -> object:
    """A fact as the line holds it: numbers as they are, everything else as masked text."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    return redact(str(value))
