"""The unmodified SDK of one workspace: made when it is first needed, and made anew when it is refused or hangs.

The SDK brings authentication, connections and error classes. Its own retry loop is switched off, for it would sleep
longer than any poll may last and hide from us how many requests were sent.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from math import inf
from typing import Any, NoReturn

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.clock import Clock
from databricks.sdk.core import Config

from collector.sources.budget import Budget
from collector.sources.source import Refused, SourceError, Unreachable
from collector.sources.translation import one_line

CONNECTIONS = 30
"""Requests under way at once, of all collectors of the workspace."""
REQUEST_TIMEOUT_S = 10
DISCOVERY_RETRY_S = 1
"""How long the SDK tries again to learn about the host; it goes on without."""
SHORTEST_PATIENCE = 5.0
LONGEST_PATIENCE = 600.0
RENEWAL_INTERVAL = 60.0
"""Seconds between two clients that are made because of a 403, which may as well mean a right that is missing."""

Settings = Mapping[str, Any]


class Suppressed(Exception):
    """Raised in place of the SDK's sleep between two tries; the error that asked for the retry is its context."""


class _NoRetry(Clock):
    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> NoReturn:
        raise Suppressed(seconds)


class Connection:
    """The SDK client of one workspace, and the budget that all who use it share. Thread-safe."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        budget: Budget,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self._settings = settings
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._making: Future[WorkspaceClient] | None = None
        self._since = 0.0
        self._patience = 0.0
        self._renewed = -inf

    def client(self, seconds: float) -> WorkspaceClient:
        """The client with its first token, waited for at most so long; raises `SourceError`.

        Everybody waits for the same one. It is made in a thread of its own, because the SDK asks for tokens without
        a time-out.
        """
        with self._lock:
            if self._making is None:
                self._making, self._since = Future(), self._monotonic()
                threading.Thread(
                    target=self._make, args=(self._making,), name="databricks-connect", daemon=True
                ).start()
            making = self._making
        try:
            return making.result(timeout=max(0.0, seconds))
        except FutureTimeoutError:
            self.give_up()
            raise Unreachable("no token before the deadline") from None

    def renew(self, refused: WorkspaceClient, *, after: float = 0.0) -> bool:
        """Forget a client whose credentials were refused, so that files and tokens are read again.

        False when the last time is less than `after` seconds ago, and the next request would get the same client.
        """
        with self._lock:
            if not (self._making and self._making.done() and self._making.result() is refused):
                return True
            now = self._monotonic()
            if now - self._renewed < after:
                return False
            self._making, self._renewed = None, now
            return True

    def give_up(self) -> None:
        """Forget a client that may hang in a token request; one that is being made gets longer from time to time.

        So the next poll is not held up by what held up this one, and a token service that never answers holds few
        threads for ever.
        """
        with self._lock:
            if self._making is None or self._monotonic() - self._since < self._patience:
                return
            if not self._making.done():
                self._patience = min(LONGEST_PATIENCE, max(SHORTEST_PATIENCE, 2 * self._patience))
            self._making = None

    def _make(self, making: "Future[WorkspaceClient]") -> None:
        try:
            config = Config(
                **self._settings(),
                retry_timeout_seconds=DISCOVERY_RETRY_S,
                http_timeout_seconds=REQUEST_TIMEOUT_S,
                max_connection_pools=CONNECTIONS,
                clock=_NoRetry(),
                product="databricks-jobs-exporter",
            )
            client = WorkspaceClient(config=config)
            config.authenticate()
        except Exception as error:  # noqa: BLE001 – whoever waits for the client gets it, whatever it is
            self._forget(making)
            failure = _no_client(error)
            failure.__cause__ = error
            making.set_exception(failure)
        else:
            self._patience = 0.0
            making.set_result(client)

    def _forget(self, making: "Future[WorkspaceClient]") -> None:
        with self._lock:
            if self._making is making:
                self._making = None


def _no_client(error: Exception) -> SourceError:
    """Why there is no client: the network when it is anywhere among the causes, otherwise the credentials."""
    if any(isinstance(cause, requests.RequestException) for cause in _causes(error)):
        return Unreachable(f"the SDK cannot reach what gives it a token: {one_line(error)}")
    return Refused(f"the SDK has no usable credentials: {one_line(error)}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
