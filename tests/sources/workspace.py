"""A quiet simulated workspace, and the unmodified SDK that asks it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.sources.budget import Budget
from collector.sources.client import Client
from collector.sources.connection import Connection
from collector.sources.jobs_api import JobsApi
from simulator import Options

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUIET: Mapping[str, Any] = {
    "manual": True,
    "start": START,
    "jobs": 0,
    "active_runs": 0,
    "history": timedelta(0),
    "job_changes_per_hour": 0,
}


def quiet(**given: Any) -> Options:
    """Nothing happens by itself and time stands still."""
    return Options(**(QUIET | given))


def connection_to(url: str, budget: Budget | None = None, **credentials: str) -> Connection:
    """A connection with the simulated token unless other credentials are given."""
    given = {"host": url} | (credentials or {"auth_type": "pat", "token": "simulated-token"})
    return Connection(lambda: given, budget or Budget(1000))


def token_in(url: str, file: Path) -> Callable[[], Mapping[str, str]]:
    """Settings with a token that is read from a file each time."""
    return lambda: {"host": url, "auth_type": "pat", "token": file.read_text(encoding="utf-8")}


def source_over(connection: Connection, deadline: float = 30) -> JobsApi:
    """The questions of a poll that has begun; its pauses are short."""
    source = JobsApi(Client(connection, first_pause=0.001))
    source.start_deadline(deadline)
    return source
