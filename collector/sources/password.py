"""The password of a Lakebase database: a token of Databricks, which is asked for anew before it grows old."""

import threading
import time
from collections.abc import Callable

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import DatabricksError

from collector.sources.budget import Budget
from collector.sources.connection import Connection, Settings, Suppressed
from collector.sources.source import Unreadable
from collector.sources.translation import ours

KEPT_S = 300.0
"""How long a password is used for new connections, of the hour that it is good for; open ones outlive it."""
PATIENCE_S = 10.0
"""How long a connection waits for one, because the SDK asks for tokens without a time-out."""


class DatabasePassword:
    """The password of the principal that the SDK's settings name, each time it is called. Thread-safe."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        endpoint: str | None = None,
        *,
        kept_s: float = KEPT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = Connection(settings, Budget(1.0), monotonic=monotonic)
        self._endpoint = endpoint
        self._kept_s = kept_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: WorkspaceClient | None = None
        self._password = ""
        self._since = 0.0

    def __call__(self) -> str:
        """A password with most of its life before it; raises `SourceError`."""
        with self._lock:
            if not self._password or self._monotonic() - self._since >= self._kept_s:
                self._password, self._since = self._asked(), self._monotonic()
            return self._password

    def _asked(self) -> str:
        """A new password; a new client brings a new token, and finds a rotated secret."""
        if self._client:
            self._connection.renew(self._client)
        self._client = self._connection.client(PATIENCE_S)
        try:
            return _credential(self._client, self._endpoint) if self._endpoint else _token(self._client)
        except Suppressed as suppressed:
            raise ours(suppressed.__context__ or suppressed) from suppressed.__context__
        except (DatabricksError, requests.RequestException, ValueError, OSError) as error:
            raise ours(error) from error


def _token(client: WorkspaceClient) -> str:
    """The OAuth token itself, which a Provisioned database takes."""
    scheme, _, token = client.config.authenticate().get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise Unreadable("the SDK signs in without a bearer token; sign in as a service principal")
    return token


def _credential(client: WorkspaceClient, endpoint: str) -> str:
    """What the endpoint of an Autoscaling database takes, in exchange for the token."""
    answer = client.api_client.do("POST", "/api/2.0/postgres/credentials", body={"endpoint": endpoint})
    token = answer.get("token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise Unreadable("postgres/credentials answered without a token")
    return token
