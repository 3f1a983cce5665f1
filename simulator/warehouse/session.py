"""One client's session, and one statement in it."""

import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from simulator.warehouse.dialect import Given
from simulator.warehouse.refusal import Refused
from simulator.warehouse.results import Form

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One connection of a client."""

    guid: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    principal: str
    user_agent: str
    catalog: str = ""
    schema: str = ""
    configuration: Mapping[str, str] = field(default_factory=dict)
    used: float = field(default_factory=time.monotonic)
    """Monotonic time of the last call."""
    statements: int = 0
    rows_read: int = 0
    rows_returned: int = 0

    @property
    def timeout_s(self) -> int:
        """STATEMENT_TIMEOUT in real seconds; 0 means none."""
        by_name = {name.upper(): value for name, value in self.configuration.items()}
        return int(by_name.get("STATEMENT_TIMEOUT", "0"))


@dataclass(slots=True, kw_only=True, eq=False)
class Operation:
    """One statement."""

    session: Session
    statement: str
    named: Mapping[str, Given]
    positional: tuple[Given, ...]
    form: Form
    tags: str = ""
    """`query_tags` as they came."""
    guid: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    state: str = "PENDING"
    """PENDING, RUNNING, FINISHED, ERROR or CANCELED."""
    refused: Refused | None = None
    table: pa.Table | None = None
    offset: int = 0
    """How many rows the client has fetched."""
    rows_read: int = 0
    rows_produced: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    cursor: duckdb.DuckDBPyConnection | None = None

    def cancel(self) -> None:
        """Have it end as soon as possible; nothing when it has ended."""
        self.stop.set()
        if cursor := self.cursor:
            interrupt(cursor)

    def told(self) -> Json:
        """What an administrator would see of it."""
        return {
            "statement_id": str(uuid.UUID(bytes=self.guid)),
            "session_id": str(uuid.UUID(bytes=self.session.guid)),
            "principal": self.session.principal,
            "user_agent": self.session.user_agent,
            "query_tags": self.tags,
            "statement": self.statement,
            "parameters": {name: given.value for name, given in self.named.items()},
            "state": self.state,
            "error": str(self.refused) if self.refused else "",
            "rows_read": self.rows_read,
            "rows_produced": self.rows_produced,
            "rows_returned": self.offset,
        }


def interrupt(cursor: duckdb.DuckDBPyConnection) -> None:
    """Stop its work; a cursor that has been closed meanwhile has none."""
    with suppress(duckdb.Error):
        cursor.interrupt()
