"""One GET of a workspace through the unmodified SDK: budget, deadline, retries and the translation of its errors.

The SDK brings authentication, connections and error classes. Its own retry loop is switched off, for it would sleep
longer than any poll may last and hide from us how many requests were sent.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, NoReturn, TypeVar

import requests
from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.clock import Clock
from databricks.sdk.core import Config, DatabricksError

from collector.sources.budget import Budget
from collector.sources.source import Refused, SourceError, Tally, Throttled, Unreachable, Unreadable

PARALLEL = 10
"""Requests under way at once; a workspace is said to bear 20, and others use it too."""
ATTEMPTS = 3
"""Tries of one request that meets a passing failure; 429 is tried until the deadline."""
FIRST_PAUSE = 0.2
LONGEST_MESSAGE = 300

T = TypeVar("T")

STATUS_OF_ERROR: Mapping[type[DatabricksError], int] = {
    errors.TooManyRequests: 429,
    errors.TemporarilyUnavailable: 503,
    errors.DeadlineExceeded: 504,
    errors.NotImplemented: 501,
    errors.Unauthenticated: 401,
    errors.PermissionDenied: 403,
    errors.NotFound: 404,
    errors.BadRequest: 400,
    errors.InternalError: 500,
}


class Missing(Exception):
    """The thing that was asked for does not exist."""


OUR_ERROR: tuple[tuple[type[BaseException], type[SourceError | Missing]], ...] = (
    (errors.TooManyRequests, Throttled),
    (errors.NotFound, Missing),
    (errors.Unauthenticated, Refused),
    (errors.PermissionDenied, Refused),
    (errors.BadRequest, Unreadable),
    (requests.exceptions.JSONDecodeError, Unreadable),
    (OSError, Unreachable),
)
"""The first that fits. Connection errors and what remains of the SDK's errors are OSErrors."""


class _Suppressed(Exception):
    """Raised in place of the SDK's sleep between two tries; the error that asked for the retry is its context."""


class _NoRetry(Clock):
    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> NoReturn:
        raise _Suppressed(seconds)


class Connection:
    """The SDK client of one workspace, made on first use and made anew when its credentials are refused."""

    def __init__(self, settings: Mapping[str, Any] | Callable[[], Mapping[str, Any]], budget: Budget) -> None:
        self._settings = settings if callable(settings) else lambda: settings
        self.budget = budget
        self._lock = threading.Lock()
        self._client: WorkspaceClient | None = None

    def client(self) -> WorkspaceClient:
        """The client; raises what the SDK raises when nothing configures it."""
        with self._lock:
            if self._client is None:
                config = Config(
                    **self._settings(),
                    retry_timeout_seconds=5,
                    http_timeout_seconds=10,
                    max_connection_pools=3 * PARALLEL,
                    clock=_NoRetry(),
                    product="databricks-jobs-exporter",
                )
                self._client = WorkspaceClient(config=config)
            return self._client

    def renew(self, refused: WorkspaceClient | None) -> None:
        """Forget a client whose credentials were refused, so that files and tokens are read again."""
        with self._lock:
            if self._client is refused:
                self._client = None


class Deadline:
    """The moment at which a poll gives up. Time spent waiting for the own budget moves it; nothing else does."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._at = monotonic() + seconds
        self._waited_until = monotonic()
        self._lock = threading.Lock()

    def remaining(self) -> float:
        """Seconds left; negative when it has passed."""
        return self._at - self._monotonic()

    def extend(self, wait: float) -> None:
        """Account for a wait that begins now; waits side by side count once."""
        with self._lock:
            now = self._monotonic()
            until = now + wait
            self._at += max(0.0, until - max(now, self._waited_until))
            self._waited_until = max(self._waited_until, until)


class Client:
    """Sends the requests of one collector. `get` may be called from many threads."""

    def __init__(
        self,
        connection: Connection,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._deadline = Deadline(60, monotonic)
        self._closing = threading.Event()
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="databricks")
        self._tally = Tally()
        self._tally_lock = threading.Lock()

    @property
    def budget(self) -> Budget:
        """The budget that all clients of the workspace share."""
        return self._connection.budget

    def start_deadline(self, seconds: float) -> None:
        """Everything asked from now on has so long."""
        self._deadline = Deadline(seconds, self._monotonic)

    def submit(self, function: Callable[..., T], *arguments: object) -> Future[T]:
        """Run a function that calls `get` beside others."""
        return self._pool.submit(function, *arguments)

    def result(self, future: Future[T]) -> T:
        """The answer of a submitted function, or Unreachable when it does not come before the deadline."""
        while True:
            try:
                return future.result(timeout=max(0.05, self._deadline.remaining() + 0.5))
            except FutureTimeoutError:
                if self._deadline.remaining() <= 0:
                    self._abandon()
                    raise Unreachable("no answer before the deadline") from None

    def first(self, futures: Iterable[Future[T]]) -> set[Future[T]]:
        """Those of the submitted functions that have ended, at least one, or Unreachable after the deadline."""
        done, _ = wait(
            futures, timeout=max(0.05, self._deadline.remaining() + 0.5), return_when=FIRST_COMPLETED
        )
        if not done:
            self._abandon()
            raise Unreachable("no answer before the deadline")
        return done

    def get(self, endpoint: str, query: Mapping[str, object] | None = None, *, reserve: float = 0.0) -> Any:
        """The JSON answer; raises `Missing` or a `SourceError`."""
        failures = 0
        while True:
            self._wait(reserve)
            try:
                answer = self._ask(endpoint, query)
            except Throttled:
                continue
            except (Unreachable, Unreadable, Refused) as error:
                failures += 1
                pause = FIRST_PAUSE * 2**failures
                final = failures >= (2 if isinstance(error, Refused) else ATTEMPTS)
                if final or pause >= self._deadline.remaining():
                    raise
                self._closing.wait(pause)
            else:
                self.budget.answered()
                return answer

    def set_aside(self) -> None:
        """Count an item that could not be read."""
        with self._tally_lock:
            self._tally.unreadable += 1

    def take_tally(self) -> Tally:
        """What was sent since the last call."""
        with self._tally_lock:
            tally, self._tally = self._tally, Tally()
        return tally

    def close(self) -> None:
        """Let nothing new start; what is under way ends by itself."""
        self._closing.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def config(self) -> Config:
        """The SDK's configuration, after discovery."""
        return self._connection.client().config

    def _wait(self, reserve: float) -> None:
        wait = self.budget.take(reserve=reserve)
        if wait.imposed > self._deadline.remaining():
            raise Throttled(f"the workspace asks for {wait.imposed:.0f} s without requests")
        if wait.own > 0:
            self._deadline.extend(wait.own)
        if self._closing.wait(max(wait)) or self._deadline.remaining() <= 0:
            raise Unreachable("no answer before the deadline")

    def _ask(self, endpoint: str, query: Mapping[str, object] | None) -> Any:
        client = None
        try:
            client = self._connection.client()
            answer = client.api_client.do("GET", f"/api/{endpoint}", query=dict(query or {}))
        except _Suppressed as suppressed:
            error = suppressed.__context__ or suppressed
            self._count(endpoint, error)
            raise self._translated(error, client) from error
        except (DatabricksError, requests.RequestException, ValueError, TypeError, OSError) as error:
            self._count(endpoint, error)
            raise self._translated(error, client) from error
        self._count(endpoint, None)
        if not isinstance(answer, dict):
            raise Unreadable(f"{endpoint} answered something other than an object")
        return answer

    def _count(self, endpoint: str, error: BaseException | None) -> None:
        code = "200" if error is None else _code(error)
        with self._tally_lock:
            self._tally.requests[_endpoint_label(endpoint), code] += 1

    def _translated(self, error: BaseException, client: WorkspaceClient | None) -> SourceError | Missing:
        text = _short(error)
        if isinstance(error, errors.TooManyRequests):
            self.budget.throttled(float(error.retry_after_secs or 1))
        if isinstance(error, errors.Unauthenticated):
            self._connection.renew(client)
        if client is None and not isinstance(error, OSError):
            return Refused(f"the SDK has no usable credentials: {text}")
        if isinstance(error, errors.BadRequest) and "does not exist" in text:
            return Missing(text)
        return next((ours(text) for theirs, ours in OUR_ERROR if isinstance(error, theirs)), Unreadable(text))

    def _abandon(self) -> None:
        """Leave threads that hang in a call without time-out, such as the SDK's token request, to themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="databricks")


def _code(error: BaseException) -> str:
    """The status for the label; `error` where there was no answer or no readable one."""
    for kind, status in STATUS_OF_ERROR.items():
        if isinstance(error, kind):
            return str(status)
    return "5xx" if isinstance(error, DatabricksError) else "error"


def _endpoint_label(endpoint: str) -> str:
    """The endpoint without its version and without ids."""
    return re.sub(r"^\d\.\d/|^2\.0/preview/", "", endpoint)


def _short(error: BaseException) -> str:
    """One line for people; the SDK's own may hold whole pages of HTML."""
    text = re.sub(r"<[^>]*>|\s+", " ", str(error)) or type(error).__name__
    text = re.sub(r"HTTP\w*ConnectionPool\((.*?)\): ", r"\1: ", text).strip()
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
