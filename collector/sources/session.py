"""One session on a SQL warehouse through the unmodified connector, which gives up at its deadline.

A connection of the connector belongs to one thread, and a request of it may hang for longer than anybody waits. So a
thread of its own asks, and is left to itself when it hangs. Knows nothing of what is asked.
"""

import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sql.backend.types import CommandState

from collector.sources.connection import RENEWAL_INTERVAL, Connection
from collector.sources.deadline import Deadline
from collector.sources.refusals import BUSY, UNAUTHORIZED, pause, status
from collector.sources.source import Unreachable

if TYPE_CHECKING:  # it brings pandas, which only those need who have a warehouse
    from databricks.sql.client import Connection as Wire
    from databricks.sql.client import Cursor

BATCH = 5_000
"""Rows that are fetched at a time; a result is never held as a whole."""
BATCH_BYTES = 16 * 1024 * 1024
FIRST_LOOK, LONGEST_LOOK = 0.02, 1.0
"""Seconds between two looks whether a statement is done; the warehouse holds each of them for a while as well."""
LOOK = 0.2
"""Seconds between two looks of whoever waits for the thread whether it is over."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries of what a busy or starting warehouse refused."""
GRACE = 2.0
"""Seconds after the deadline in which the thread may notice it by itself, cancel the statement and say goodbye."""

UNDER_WAY = frozenset({CommandState.PENDING, CommandState.RUNNING})

T = TypeVar("T")
Batch = list[dict[str, Any]]


class Session:
    """From `open` to `close`; batches of several statements may be taken in turn."""

    def __init__(
        self,
        connection: Connection,
        warehouse_id: str,
        deadline: Deadline,
        closing: threading.Event,
        *,
        entry: str,
        first_pause: float,
        batch: int,
    ) -> None:
        self._connection = connection
        self._warehouse_id = warehouse_id
        self._deadline = deadline
        self._closing = closing
        self._entry = entry
        self._first_pause = first_pause
        self._batch = batch
        self._worker = Worker("warehouse")
        self._client: WorkspaceClient | None = None
        self._wire: Wire | None = None
        self._left = False

    @property
    def principal(self) -> str:
        """The application id that is signed in; empty for a user, whose name nobody has told us."""
        config = self._client.config if self._client else None
        return str(config.client_id or config.azure_client_id or "") if config else ""

    def open(self) -> None:
        """Sign in. The errors of the connector, and ours."""
        self._ask(self._open)

    def batches(
        self, text: str, parameters: Mapping[str, object], tags: Mapping[str, str]
    ) -> Generator[Batch, None, None]:
        """The rows of a statement as they come in, none of the batches empty. The errors of the connector, and ours."""
        cursor = self._ask(self._executed, text, parameters, tags)
        try:
            names = [column[0] for column in cursor.description or ()]
            while rows := self._ask(self._fetched, cursor):
                yield [dict(zip(names, row, strict=True)) for row in rows]
        finally:
            self._worker.submit(_closed, cursor)

    def close(self) -> None:
        """End the session and what runs in it, and wait a moment for that."""
        ended = self._worker.submit(self._end)
        self._worker.stop()
        if not self._left:
            self._left = True
            wait([ended], timeout=GRACE)

    def _ask(self, function: Callable[..., T], *arguments: object) -> T:
        """The answer of a function that runs in the thread, or Unreachable when it does not come in time."""
        if self._left:
            raise Unreachable("the session on the SQL warehouse is over")
        future = self._worker.submit(function, *arguments)
        while not wait([future], timeout=LOOK).done and not self._over:
            pass
        if not wait([future], timeout=GRACE).done:
            self._left = True
            self._connection.give_up()
            raise Unreachable("no answer of the SQL warehouse before the deadline")
        return future.result()

    @property
    def _over(self) -> bool:
        """True when the thread should end by itself."""
        return self._closing.is_set() or self._deadline.passed

    # ── in the thread ────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        """Once more with what the files and variables hold now when the credentials are refused."""
        failures = 0
        renewed = False
        while True:
            client = self._client = self._connection.client(self._deadline.remaining())
            try:
                self._wire = _connected(client.config, self._warehouse_id, self._deadline, self._entry)
            except Exception as error:
                if not renewed and self._renew(client, error):
                    renewed = True
                    continue
                failures += 1
                if not self._may_try_again(error, failures):
                    raise
            else:
                return

    def _executed(self, text: str, parameters: Mapping[str, object], tags: Mapping[str, str]) -> "Cursor":
        """The cursor of a statement that is done; one that takes too long is cancelled."""
        if self._wire is None:
            raise Unreachable("the session is not open")
        self._check_time()
        cursor = self._wire.cursor(arraysize=self._batch, buffer_size_bytes=BATCH_BYTES)
        failures = 0
        while True:
            try:
                cursor.execute_async(text, dict(parameters), query_tags=dict(tags))
                break
            except Exception as error:
                failures += 1
                self._renew(self._client, error)
                if not self._may_try_again(error, failures):
                    raise
        look = FIRST_LOOK
        while cursor.get_query_state() in UNDER_WAY:
            self._closing.wait(min(look, max(0.0, self._deadline.remaining())))
            look = min(LONGEST_LOOK, 2 * look)
            try:
                self._check_time()
            except Unreachable:
                with suppress(Exception):  # it also ends with its session
                    cursor.cancel()
                raise
        cursor.get_async_execution_result()  # type: ignore[no-untyped-call]  # the connector has no types there
        return cursor

    def _fetched(self, cursor: "Cursor") -> list[Any]:
        self._check_time()
        return cursor.fetchmany(self._batch)

    def _check_time(self) -> None:
        if self._closing.is_set():
            raise Unreachable("the exporter is about to end")
        if self._deadline.passed:
            raise Unreachable("the SQL warehouse did not finish before the deadline")

    def _renew(self, client: WorkspaceClient | None, error: Exception) -> bool:
        """Whether another try would use other credentials; an expired token may be 401 or 403."""
        code = status(error)
        if client is None or code not in UNAUTHORIZED:
            return False
        return self._connection.renew(client, after=0.0 if code == 401 else RENEWAL_INTERVAL)

    def _may_try_again(self, error: Exception, failures: int) -> bool:
        """Wait until the next try, if the request was refused for being busy and the deadline allows it."""
        seconds = min(LONGEST_PAUSE, max(pause(error), self._first_pause * 2.0**failures))
        if status(error) not in BUSY or seconds >= self._deadline.remaining():
            return False
        return not self._closing.wait(seconds)

    def _end(self) -> None:
        """The connector tells the warehouse, which cancels what still runs."""
        if self._wire:
            with suppress(Exception):  # a session that cannot be closed expires
                self._wire.close()


class Worker:
    """One thread that does one thing after another, and that nobody waits for when the program ends."""

    def __init__(self, name: str) -> None:
        self._todo: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, function: Callable[..., T], *arguments: object) -> "Future[T]":
        """Do that after everything else."""
        future: Future[T] = Future()

        def act() -> None:
            try:
                future.set_result(function(*arguments))
            except Exception as error:  # noqa: BLE001 – whoever waits for the result gets it, whatever it is
                future.set_exception(error)

        self._todo.put(act)
        return future

    def stop(self) -> None:
        """End after what was submitted."""
        self._todo.put(None)

    def _work(self) -> None:
        while act := self._todo.get():
            act()


def _connected(config: Config, warehouse_id: str, deadline: Deadline, entry: str) -> "Wire":
    """A session that the connector has opened with the credentials of the SDK.

    The connector's own retries are off: they sleep for longer than the deadline and hide the status. So are its
    telemetry, and the download of results from hosts that are not the workspace.
    """
    seconds = max(1, int(deadline.remaining()))
    path = f"/sql/1.0/warehouses/{quote(warehouse_id, safe='')}"
    return sql.connect(
        server_hostname=str(config.host),
        http_path=path,
        _connection_uri=f"{config.host}{path}",
        _tls_no_verify=bool(config.skip_verify),
        credentials_provider=lambda: config.authenticate,
        session_configuration={"STATEMENT_TIMEOUT": str(seconds), "TIMEZONE": "UTC"},
        user_agent_entry=entry,
        enable_telemetry=False,
        use_cloud_fetch=False,
        _disable_pandas=True,
        _socket_timeout=seconds,
        _enable_v3_retries=False,
        _retry_delay_min=0.1,
        _retry_stop_after_attempts_count=1,
        _retry_stop_after_attempts_duration=1,
    )


def _closed(cursor: "Cursor") -> None:
    with suppress(Exception):  # its session ends as well
        cursor.close()
