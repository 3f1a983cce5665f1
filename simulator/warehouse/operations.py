"""Keeps the sessions and runs their statements, each in a thread of its own; any can be cancelled or time out."""

import threading
import time
from collections import deque
from typing import Any

import duckdb

from simulator.warehouse.dialect import translated
from simulator.warehouse.engine import Engine
from simulator.warehouse.refusal import Refused, of_engine, timed_out
from simulator.warehouse.results import settled
from simulator.warehouse.session import Operation, Session, interrupt

Json = dict[str, Any]
MOST_REMEMBERED = 1000


class Operations:
    """All sessions and operations of the warehouse."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.session_idle_s = 900.0
        """Real seconds without a call after which a session is gone."""
        self.statement_seconds = 0.0
        """Real seconds that every statement takes besides its work."""
        self.failing: dict[str, str] = {}
        """Part of a statement → message: such statements fail."""
        self.opened = 0
        self.executed = 0
        self.rows_read = 0
        self.rows_returned = 0
        self._sessions: dict[bytes, Session] = {}
        self._operations: dict[bytes, Operation] = {}
        self._recent: deque[Operation] = deque(maxlen=MOST_REMEMBERED)
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def open(self, session: Session) -> None:
        """The session exists from now on."""
        with self._lock:
            self._sessions[session.guid] = session
            self.opened += 1

    def session(self, guid: bytes, principal: str) -> Session | None:
        """The session of the principal, unless it is gone."""
        with self._lock:
            session = self._sessions.get(guid)
            if session is None or session.principal != principal:
                return None
            if time.monotonic() - session.used > self.session_idle_s:
                del self._sessions[guid]
                return None
            session.used = time.monotonic()
            return session

    def operation(self, guid: bytes) -> Operation | None:
        """The operation, unless it is closed or its session is gone."""
        with self._lock:
            operation = self._operations.get(guid)
            if operation is None or operation.session.guid not in self._sessions:
                return None
            operation.session.used = time.monotonic()
            return operation

    def start(self, operation: Operation) -> None:
        """Run it in a thread."""
        thread = threading.Thread(target=self._run, args=(operation,), name="statement", daemon=True)
        with self._lock:
            self._operations[operation.guid] = operation
            self._recent.append(operation)
            self._threads = {other for other in self._threads if other.is_alive()} | {thread}
            self.executed += 1
            operation.session.statements += 1
            thread.start()

    def returned(self, session: Session, rows: int) -> None:
        """So many rows have been sent."""
        with self._lock:
            self.rows_returned += rows
            session.rows_returned += rows

    def close_operation(self, guid: bytes) -> None:
        """Forget the operation."""
        with self._lock:
            operation = self._operations.pop(guid, None)
        if operation:
            operation.cancel()
            operation.table = None

    def close_session(self, guid: bytes) -> None:
        """Forget the session and what runs in it."""
        with self._lock:
            self._sessions.pop(guid, None)
            gone = [
                operation.guid for operation in self._operations.values() if operation.session.guid == guid
            ]
        for operation in gone:
            self.close_operation(operation)

    def expire_all(self) -> None:
        """Every session is gone."""
        with self._lock:
            guids = list(self._sessions)
        for guid in guids:
            self.close_session(guid)

    def close(self) -> None:
        """End everything and wait for it."""
        self.expire_all()
        for thread in list(self._threads):
            thread.join(timeout=5)

    def told(self) -> Json:
        """Sessions and recent statements as an administrator would see them."""
        with self._lock:
            statements = [operation.told() for operation in self._recent]
            return {
                "sessions_opened": self.opened,
                "sessions_open": len(self._sessions),
                "statements": self.executed,
                "rows_read": self.rows_read,
                "rows_returned": self.rows_returned,
                "recent": statements,
            }

    def forget(self) -> None:
        """Begin the list of recent statements anew."""
        with self._lock:
            self._recent.clear()

    def _run(self, operation: Operation) -> None:
        try:
            self._carry_out(operation)
        except Refused as refused:
            operation.refused = refused
            operation.state = "CANCELED" if operation.stop.is_set() else "ERROR"
        except Exception as error:  # noqa: BLE001  (whatever it is, the client must not wait for ever)
            operation.refused = Refused("INTERNAL_ERROR", repr(error), "XX000")
            operation.state = "ERROR"
        finally:
            with self._lock:
                self.rows_read += operation.rows_read
                operation.session.rows_read += operation.rows_read
            operation.done.set()

    def _carry_out(self, operation: Operation) -> None:
        engine = self.engine
        while (seconds := engine.power.wake(engine.now_ms())) > 0:
            if operation.stop.wait(seconds):
                break
        operation.state = "RUNNING"
        with engine.power.in_use(engine.now_ms()):
            self._take_time(operation)
            for part, message in list(self.failing.items()):
                if part in operation.statement:
                    raise Refused("JOB_ABORTED", message, "XXKDA")
            if operation.stop.is_set():
                operation.state = "CANCELED"
                return
            self._execute(operation)
        operation.state = "FINISHED"

    def _take_time(self, operation: Operation) -> None:
        """Be as slow as control wants, within the time that the session allows."""
        limit = operation.session.timeout_s
        if limit and self.statement_seconds > limit:
            operation.stop.wait(limit)
            raise timed_out(limit)
        operation.stop.wait(self.statement_seconds)

    def _execute(self, operation: Operation) -> None:
        session, engine = operation.session, self.engine
        context = engine.context(session.principal, session.catalog, session.schema)
        asked = translated(operation.statement, operation.named, operation.positional, context)
        operation.cursor = engine.tables.cursor()
        limit = threading.Timer(session.timeout_s, interrupt, (operation.cursor,))
        if session.timeout_s:
            limit.start()
        try:
            found = engine.run(operation.cursor, asked)
        except duckdb.InterruptException:
            raise timed_out(session.timeout_s) from None
        except duckdb.Error as error:
            raise of_engine(error) from None
        finally:
            limit.cancel()
            operation.cursor.close()
            operation.cursor = None
        table = settled(found.table, found.types)
        operation.table = table.rename_columns(asked.names) if asked.names else table
        operation.rows_read, operation.rows_produced = found.rows_read, table.num_rows
