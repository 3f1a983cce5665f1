"""The requests of one collector: threads, budget, deadline, retries, and how many were sent.

Whoever asks beside others does so in a function handed to `submit`, and keeps the deadline of its poll even when it
outlives it.
"""

import re
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import requests
from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.core import Config, DatabricksError

from collector.sources.budget import Budget
from collector.sources.connection import RENEWAL_INTERVAL, Connection, Suppressed
from collector.sources.deadline import Deadline
from collector.sources.source import SourceError, Tally, Throttled, Unreachable, Unreadable
from collector.sources.translation import ours, status, tries

PARALLEL = 16
"""Requests under way at once; a workspace is said to bear 20, and others use it too."""
FIRST_PAUSE = 0.2
"""Half the seconds between the first two tries; each further pause is twice as long."""
LONGEST_PAUSE = 300.0
"""Seconds that one 429 may stop a workspace; whoever asks for more is asked again then."""
GRACE = 0.5
"""Seconds after the deadline in which those who ask may notice it by themselves and say more than that it passed."""

T = TypeVar("T")


class Client:
    """Sends the requests of one collector. `get` may be called from many threads, everything else from one."""

    def __init__(
        self,
        connection: Connection,
        *,
        first_pause: float = FIRST_PAUSE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._first_pause = first_pause
        self._monotonic = monotonic
        self._deadline = Deadline(0, monotonic)
        self._thread = threading.local()
        self._closing = threading.Event()
        self._pool = _pool()
        self._tally = Tally()
        self._tally_lock = threading.Lock()

    @property
    def budget(self) -> Budget:
        """The budget that all clients of the workspace share."""
        return self._connection.budget

    @property
    def time_left(self) -> float:
        """Share of the deadline that is left."""
        return self._deadline.share

    def start_deadline(self, seconds: float) -> None:
        """Everything asked from now on has so long; what was asked before gives up."""
        self._deadline.end()
        self._deadline = Deadline(seconds, self._monotonic)

    def restart_deadline(self) -> None:
        """What is under way and what follows have the whole time again."""
        self._deadline.restart()

    def submit(self, function: Callable[..., T], *arguments: object) -> "Future[T]":
        """Run a function that calls `get` beside others."""
        deadline = self._deadline

        def under_deadline() -> T:
            self._thread.deadline = deadline
            return function(*arguments)

        try:
            return self._pool.submit(under_deadline)
        except RuntimeError:  # closed
            raise Unreachable("the program ends") from None

    def result(self, future: "Future[T]") -> T:
        """The answer of a submitted function, or Unreachable when it does not come before the deadline."""
        return self.first([future]).pop().result()

    def first(self, futures: "Collection[Future[T]]") -> "set[Future[T]]":
        """Those of the submitted functions that have ended, at least one, or Unreachable after the deadline."""
        while True:
            patience = max(0.0, self._deadline.remaining()) + GRACE
            done, _ = wait(futures, timeout=patience, return_when=FIRST_COMPLETED)
            if done:
                return done
            if self._deadline.passed:  # it may have moved while we waited
                self._abandon()
                raise Unreachable("no answer before the deadline")

    def get(
        self,
        endpoint: str,
        query: Mapping[str, object] | None = None,
        *,
        headers: Sequence[str] = (),
        reserve: float = 0.0,
    ) -> Any:
        """The JSON answer with these headers beside its fields; raises a `SourceError`. For submitted functions only."""
        deadline: Deadline = self._thread.deadline
        failures = 0
        while True:
            self._wait(deadline, reserve)
            client = self._connection.client(deadline.remaining())
            try:
                answer = self._ask(client, endpoint, query or {}, headers)
            except Throttled:
                continue  # the budget pauses, and the wait says when that is too long
            except SourceError as error:
                failures += 1
                pause = self._first_pause * 2**failures
                renewed = self._renew(client, error)
                if failures >= tries(error, renewed=renewed) or pause >= deadline.remaining():
                    raise
                self._closing.wait(pause)
            else:
                self.budget.answered()
                return answer

    def config(self) -> Config:
        """The SDK's configuration, after discovery. For submitted functions only."""
        return self._connection.client(self._thread.deadline.remaining()).config

    @property
    def sent(self) -> int:
        """Requests since the tally was last taken."""
        with self._tally_lock:
            return self._tally.requests.total()

    def set_aside(self) -> None:
        """Count an item that could not be read."""
        with self._tally_lock:
            self._tally.unreadable += 1

    @property
    def unreadable(self) -> int:
        """Items set aside since the tally was last taken."""
        with self._tally_lock:
            return self._tally.unreadable

    def take_tally(self) -> Tally:
        """What was sent since the last call."""
        with self._tally_lock:
            tally, self._tally = self._tally, Tally()
        return tally

    def close(self) -> None:
        """Let nothing new start; what is under way ends by itself."""
        self._closing.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _wait(self, deadline: Deadline, reserve: float) -> None:
        if deadline.passed:
            raise Unreachable("no answer before the deadline")
        wait = self.budget.take(reserve=reserve)
        if wait.imposed > deadline.remaining():
            raise Throttled(f"the workspace asks for {wait.imposed:.0f} s without requests")
        if wait.own > 0:
            deadline.extend(wait.own)
        if self._closing.wait(max(wait)) or deadline.passed:
            raise Unreachable("no answer before the deadline")

    def _ask(
        self, client: WorkspaceClient, endpoint: str, query: Mapping[str, object], headers: Sequence[str]
    ) -> Any:
        try:
            answer = client.api_client.do(
                "GET", f"/api/{endpoint}", query=dict(query), response_headers=list(headers)
            )
        except Suppressed as suppressed:
            raise self._failed(endpoint, suppressed.__context__ or suppressed) from suppressed.__context__
        except (DatabricksError, requests.RequestException, ValueError, TypeError, OSError) as error:
            raise self._failed(endpoint, error) from error
        except NotImplementedError as error:  # a token service that answers something else
            raise self._failed(endpoint, error) from error
        self._count(endpoint, "200")
        if not isinstance(answer, dict):
            raise Unreadable(f"{endpoint} answered something other than an object")
        return answer

    def _renew(self, client: WorkspaceClient, error: SourceError) -> bool:
        """Whether the request would be sent with other credentials now; an expired token may be 401 or 403."""
        match error.__cause__:
            case errors.Unauthenticated():
                return self._connection.renew(client)
            case errors.PermissionDenied():
                return self._connection.renew(client, after=RENEWAL_INTERVAL)
        return False

    def _failed(self, endpoint: str, error: BaseException) -> SourceError:
        """Our error for it, after counting what it tells about the request."""
        self._count(endpoint, status(error))
        if isinstance(error, errors.TooManyRequests):
            self.budget.throttled(min(float(error.retry_after_secs or 1), LONGEST_PAUSE))
        return ours(error)

    def _count(self, endpoint: str, code: str) -> None:
        with self._tally_lock:
            self._tally.requests[_endpoint_label(endpoint), code] += 1

    def _abandon(self) -> None:
        """Leave threads that hang to themselves, so that the next poll begins with fresh ones."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = _pool()
        self._connection.give_up()


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PARALLEL, thread_name_prefix="databricks")


def _endpoint_label(endpoint: str) -> str:
    """The endpoint without its version."""
    return re.sub(r"^\d+\.\d+/(preview/)?", "", endpoint)
