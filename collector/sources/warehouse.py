"""A SQL warehouse: sessions on it, the rows of queries, and what they cost. Its errors are ours, and say what to do."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata

from collector.sources.connection import Connection
from collector.sources.deadline import Deadline
from collector.sources.refusals import of_request, of_statement
from collector.sources.session import BATCH, Batch, Session
from collector.sources.source import SourceError, Tally
from collector.sources.statements import Query

PROGRAM = "databricks-jobs-exporter"
FIRST_PAUSE = 0.5
"""Half the seconds between the first two tries of what a busy warehouse refused; each further pause is twice as long."""


class Warehouse:
    """One warehouse of one workspace, with one session at a time. Only `close` may be called from another thread."""

    def __init__(
        self,
        connection: Connection,
        warehouse_id: str,
        *,
        first_pause: float = FIRST_PAUSE,
        batch: int = BATCH,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._id = warehouse_id
        self._first_pause = first_pause
        self._batch = batch
        self._monotonic = monotonic
        self._closing = threading.Event()
        self._session: Session | None = None
        self._deadline = Deadline(0.0, monotonic)
        self._in_burst = False
        self._tally = Tally()

    @contextmanager
    def burst(self) -> Iterator[None]:
        """Sessions within it are one: the first stays open for the next, which has its time."""
        self._in_burst = True
        try:
            yield
        finally:
            self._in_burst = False
            self._leave()

    @contextmanager
    def session(self, seconds: float) -> Iterator[None]:
        """One session for all queries of the block, which have so long; it starts a warehouse that is stopped."""
        if self._session and not self._in_burst:
            raise RuntimeError("one session at a time")
        if self._session:
            self._deadline.restart()
        else:
            self._enter(seconds)
        try:
            yield
        except BaseException:
            self._leave()
            raise
        if not self._in_burst:
            self._leave()

    def batches(self, query: Query, parameters: Mapping[str, object]) -> Iterator[Batch]:
        """The rows of the query as they come in; every parameter of it must be given."""
        if self._session is None:
            raise RuntimeError("no session")
        session, outcome, ms, rows = self._session, "ok", 0.0, 0
        answer = session.batches(query.text, parameters, {"application": PROGRAM, "query": query.name})
        try:
            while True:
                began = self._monotonic()
                try:
                    batch = next(answer, None)
                finally:
                    ms += 1000 * (self._monotonic() - began)
                if batch is None:
                    return
                rows += len(batch)
                yield batch
        except SourceError as error:
            outcome = error.reason
            raise
        except Exception as error:
            failure = of_statement(error, query, self._id, session.principal)
            outcome = failure.reason
            raise failure from error
        finally:
            answer.close()
            self._tally.queries[query.name, outcome] += 1
            self._tally.query_ms[query.name] += round(ms)
            self._tally.rows[query.name] += rows

    def set_aside(self) -> None:
        """Count a row that could not be read."""
        self._tally.unreadable += 1

    def take_tally(self) -> Tally:
        """What was asked since the last call."""
        tally, self._tally = self._tally, Tally()
        return tally

    def close(self) -> None:
        """Let what is under way end at its next step."""
        self._closing.set()

    def _enter(self, seconds: float) -> None:
        self._deadline = Deadline(seconds, self._monotonic)
        self._session = Session(
            self._connection,
            self._id,
            self._deadline,
            self._closing,
            entry=f"{PROGRAM}/{metadata.version(PROGRAM)}",
            first_pause=self._first_pause,
            batch=self._batch,
        )
        try:
            self._session.open()
        except SourceError:
            self._leave()
            raise
        except Exception as error:
            self._leave()
            raise of_request(error, self._id) from error

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session:
            session.close()
