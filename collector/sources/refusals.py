"""What the SQL connector's errors mean to us: one of our own, with a line that says what to do.

The connector raises its own errors, those of urllib3, and what signing in raises. A refused statement is told by the
condition that the warehouse writes in brackets at the start of its message.
"""

import re
from collections.abc import Iterator, Mapping

from databricks.sdk.core import DatabricksError
from databricks.sql import exc

from collector.sources.source import Refused, SourceError, Throttled, Ungranted, Unreachable, Unreadable
from collector.sources.statements import Query
from collector.sources.translation import Missing, one_line, ours

BUSY = frozenset({429, 503})
"""Statuses after which the same request may be sent again: it was not worked on. A warehouse that starts may say 503."""
UNAUTHORIZED = frozenset({401, 403})
OF_STATUS: Mapping[int, tuple[type[SourceError], str]] = {
    400: (Unreadable, "it does not understand the request"),
    401: (Refused, "the credentials are not accepted"),
    403: (Refused, "the credentials may not use it; they need CAN USE"),
    404: (Missing, "it does not exist"),
    429: (Throttled, "it asks to slow down"),
}
"""What a status means, and what is said where the answer says nothing; the others are the fault of the server."""

CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]*)[.A-Z0-9_]*\]")
UNGRANTED = frozenset(
    {
        "CATALOG_NOT_FOUND",
        "INSUFFICIENT_PERMISSIONS",
        "INSUFFICIENT_PRIVILEGES",
        "NO_SUCH_CATALOG_EXCEPTION",
        "PERMISSION_DENIED",
        "SCHEMA_NOT_FOUND",
        "TABLE_OR_VIEW_NOT_FOUND",
    }
)
"""Conditions of a table that is missing, not enabled or not granted; from SQL the three look alike."""
LACKING = re.compile(r"does not have (USE|SELECT|BROWSE)\b")
COLUMN = re.compile(r"(?:with name|struct field) ((?:`[^`]+`\.?)+)")
ABSENT = frozenset({"FIELD_NOT_FOUND", "UNRESOLVED_COLUMN"})
SQLSTATE = re.compile(r"SQLSTATE: (\w\w)\w{3}")
STATEMENT_AT_FAULT = frozenset({"22", "42", "0A"})
"""Classes of SQLSTATE that blame the statement or its data; the others blame the warehouse."""
NO_SESSION = re.compile(r"Invalid (Session|Operation)Handle")


def of_request(error: BaseException, warehouse_id: str) -> SourceError:
    """Our error for a request to the warehouse that failed, as far as no statement is to blame."""
    for cause in _causes(error):
        if isinstance(cause, SourceError):
            return cause
        if isinstance(cause, DatabricksError):
            return ours(cause)
    code = status(error)
    kind, words = OF_STATUS.get(code, (Unreachable, ""))
    text = one_line(error)
    if code:
        text = f"status {code}: {_told(error) or words or 'no answer'}"
    elif NO_SESSION.search(text):
        text = "the session has expired"
    return kind(f"SQL warehouse {warehouse_id}: {text}")


def of_statement(error: BaseException, query: Query, warehouse_id: str, principal: str) -> SourceError:
    """Our error for a query that failed; names the grants, or the column, that are missing."""
    text = str(error)
    found = CONDITION.search(text)
    condition = found[1] if found else ""
    if condition in UNGRANTED or LACKING.search(text):
        return Ungranted(
            f"{', '.join(query.tables)}: missing, not enabled or not granted; an administrator runs "
            f"{query.grants_to(principal)}"
        )
    if condition in ABSENT and (column := COLUMN.search(text)):
        return Unreadable(f"{query.name}: {' or '.join(query.tables)} has no column {column[1]}")
    if not condition and not isinstance(error, exc.ServerOperationError):
        return of_request(error, warehouse_id)
    state = SQLSTATE.search(text)
    blame = Unreadable if state and state[1] in STATEMENT_AT_FAULT else Unreachable
    return blame(f"{query.name}: {one_line(error)}")


def status(error: BaseException) -> int:
    """The HTTP status of a failed request that was answered; 0 otherwise."""
    code = error.context.get("http-code") if isinstance(error, exc.RequestError) else None
    return code if isinstance(code, int) and code >= 400 else 0


def pause(error: BaseException) -> float:
    """Seconds that the warehouse asks to wait before the next try."""
    seconds = error.context.get("bounded-retry-delay") if isinstance(error, exc.RequestError) else None
    return float(seconds or 0)


def _told(error: BaseException) -> str:
    """What the answer to a failed request says, if it says anything."""
    text = error.context.get("error-message") if isinstance(error, exc.RequestError) else ""
    return one_line(ValueError(text.strip(": "))) if isinstance(text, str) and text.strip(": ") else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from; the connector hands that on as an argument."""
    found: list[BaseException] = [error]
    for made in found:
        yield made
        causes = (made.__cause__, made.__context__, *made.args)
        found += [cause for cause in causes if isinstance(cause, BaseException) and cause not in found]
