"""What the SDK's errors mean to us: one of our own, a label for the metrics, a line for people, and whether to try again."""

import re
from collections.abc import Mapping

import requests
from databricks.sdk import errors
from databricks.sdk.core import DatabricksError

from collector.sources.source import LONGEST_MESSAGE, Refused, SourceError, Throttled, Unreachable, Unreadable

ATTEMPTS = 3
"""Tries of one request that meets a passing failure; 429 is tried until the deadline."""


class Missing(Unreadable):
    """The thing that was asked for does not exist."""


class Forbidden(Refused):
    """The credentials are good, but not for what was asked for."""


OUR_ERROR: tuple[tuple[type[BaseException], type[SourceError]], ...] = (
    (errors.TooManyRequests, Throttled),
    (errors.NotFound, Missing),
    (errors.PermissionDenied, Forbidden),
    (errors.Unauthenticated, Refused),
    (errors.BadRequest, Unreadable),
    (requests.exceptions.JSONDecodeError, Unreadable),
    (OSError, Unreachable),
    (TypeError, Unreadable),
    (ValueError, Refused),
)
"""The first that fits. Connection errors and what remains of the SDK's errors are OSErrors; a ValueError is how the SDK
says that no token is to be had."""

STATUS_OF_ERROR: Mapping[type[DatabricksError], str] = {
    errors.TooManyRequests: "429",
    errors.TemporarilyUnavailable: "503",
    errors.DeadlineExceeded: "504",
    errors.NotImplemented: "501",
    errors.Unauthenticated: "401",
    errors.PermissionDenied: "403",
    errors.NotFound: "404",
    errors.BadRequest: "400",
    errors.InternalError: "500",
}


def ours(error: BaseException) -> SourceError:
    """The error that a poll understands; the caller raises it from the one that it translates."""
    text = one_line(error)
    if isinstance(error, errors.BadRequest) and "does not exist" in text:
        return Missing(text)
    return next((kind(text) for theirs, kind in OUR_ERROR if isinstance(error, theirs)), Unreadable(text))


def tries(error: SourceError, *, renewed: bool) -> int:
    """How often a request is sent at most that ends like this; what a second try cannot change is not tried again.

    `renewed` says that there is, or will be, another client, with what the files and variables hold now.
    """
    match error.__cause__:
        case errors.Unauthenticated() | errors.PermissionDenied() if renewed:
            return 2
        case errors.BadRequest() | errors.NotFound() | errors.PermissionDenied():
            return 1
    return 1 if isinstance(error, Refused) else ATTEMPTS


def status(error: BaseException) -> str:
    """The status for the label; `error` where there was no answer or no readable one."""
    for kind, code in STATUS_OF_ERROR.items():
        if isinstance(error, kind):
            return code
    return "5xx" if isinstance(error, DatabricksError) else "error"


def one_line(error: BaseException) -> str:
    """One line for people; the SDK's own may hold whole pages of HTML."""
    text = re.sub(r"<[^>]*>|\s+", " ", str(error))
    text = re.sub(r"HTTP\w*ConnectionPool\((.*?)\): ", r"\1: ", text)
    text = " ".join(text.split()) or type(error).__name__
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
