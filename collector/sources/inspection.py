"""Questions that no poll asks: who signs in, and what is known of a SQL warehouse. Looking does not start it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from collector.sources.client import Client
from collector.sources.jobs_api import WHO_AM_I, WORKSPACE_ID_HEADER
from collector.sources.source import Unreadable

WAREHOUSES = "2.0/sql/warehouses"
GONE = frozenset({"DELETED", "DELETING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who signs in, and where."""

    name: str
    """To whom one grants: the application id of a service principal, or the name of a user."""
    application: bool
    host: str
    workspace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseFacts:
    """A SQL warehouse as its administrator sees it."""

    name: str
    state: str
    """As the API spells it: RUNNING, STARTING, STOPPED …"""
    auto_stop: timedelta
    """Without a query for so long it stops; zero means never."""

    @property
    def gone(self) -> bool:
        """True when it will not start any more."""
        return self.state in GONE


def principal(client: Client) -> Principal:
    """Who signs in with these credentials; the first request of all. Raises `SourceError`."""

    def asked() -> Principal:
        config = client.config()
        me = client.get(WHO_AM_I, headers=[WORKSPACE_ID_HEADER])
        application = config.client_id or config.azure_client_id
        name = application or me.get("userName")
        if not isinstance(name, str):
            raise Unreadable("the workspace does not tell who signs in")
        return Principal(
            name=name,
            application=bool(application) or "@" not in name,
            host=str(config.host or ""),
            workspace_id=str(config.workspace_id or me.get(WORKSPACE_ID_HEADER) or ""),
        )

    return client.result(client.submit(asked))


def warehouse(client: Client, warehouse_id: str) -> WarehouseFacts:
    """What is known of the warehouse; raises `SourceError`, `Missing` when the workspace has none of that id."""
    endpoint = f"{WAREHOUSES}/{quote(warehouse_id, safe='')}"
    facts: Mapping[str, Any] = client.result(client.submit(client.get, endpoint))
    minutes = facts.get("auto_stop_mins", 0)
    if not isinstance(minutes, int):
        raise Unreadable(f"SQL warehouse {warehouse_id}: auto_stop_mins is {minutes!r}")
    return WarehouseFacts(
        name=str(facts.get("name", "")),
        state=str(facts.get("state", "")),
        auto_stop=timedelta(minutes=minutes),
    )
