"""The tables as they are now, and what it takes to ask them: the feed, the rights, the power, one statement at a time."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from simulator.clock import DAY_MS, milliseconds
from simulator.warehouse import schema
from simulator.warehouse.dialect import Context, Translated
from simulator.warehouse.feed import Feed
from simulator.warehouse.power import Power
from simulator.warehouse.prices import price_list, price_rows
from simulator.warehouse.rights import Rights
from simulator.warehouse.tables import Tables
from simulator.warehouse.timelines import Row
from simulator.warehouse.truth import Told
from simulator.workspace import Workspace

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a statement gave."""

    table: pa.Table
    types: tuple[str, ...]
    """The engine's own types of the columns."""
    rows_read: int
    """Rows that the scans gave after their filters."""


class Engine:
    """The system tables of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        options = workspace.options
        self._workspace = workspace
        self.catalog = options.system_catalog
        self.power: Power = workspace.power
        self.rights: Rights = Rights()
        self.tables = Tables()
        self._disabled: set[str] = set()
        start_ms = workspace.clock.start_ms
        self._feed = Feed(options, start_ms - milliseconds(options.history))
        self._prices = price_list(start_ms // DAY_MS * DAY_MS)
        self._known_prices: list[Row] = []
        self._told = Told(self._prices)
        self._refreshing = threading.Lock()
        self._unread: defaultdict[str, list[Callable[[], Iterable[Row]]]] = defaultdict(list)
        """What has arrived in a table since a statement last read it."""
        self.tables.replace(schema.WORKSPACES, list(_workspaces(options.workspace_id, workspace.url)))

    def now_ms(self) -> int:
        """Simulated time."""
        return self._workspace.clock.now_ms()

    def enable(self, name: str, *, enabled: bool) -> None:
        """Whether the schema exists for those who ask."""
        known = {table.partition(".")[0] for table in schema.TABLES}
        if name not in known:
            raise ValueError(f"schema {name!r}: one of {', '.join(sorted(known))}")
        if enabled:
            self._disabled.discard(name)
        else:
            self._disabled.add(name)

    def context(self, principal: str, catalog: str, default_schema: str) -> Context:
        """What a statement of this principal sees now; the tables are brought up to the present first."""
        now_ms = self.refresh()
        visible = {
            name: self.tables.columns(name)
            for name in schema.TABLES
            if name.partition(".")[0] not in self._disabled
        }
        return Context(
            catalog=self.catalog,
            columns=visible,
            rights=self.rights,
            principal=principal,
            now_ms=now_ms,
            default_catalog=catalog,
            default_schema=default_schema,
        )

    def refresh(self) -> int:
        """Let the rows that are due arrive; the simulated time of that."""
        with self._refreshing:
            with self._workspace.turn() as world:
                now_ms = world.now_ms
                arrivals = self._feed.arrived(world)
            self._told.note(arrivals)
            for arrival in arrivals:
                self._unread[arrival.table].append(arrival.rows)
            prices = list(price_rows(self._prices, now_ms))
            if prices != self._known_prices:
                self.tables.replace(schema.PRICES, prices)
                self._known_prices = prices
            return now_ms

    def run(self, cursor: duckdb.DuckDBPyConnection, asked: Translated) -> Found:
        """Run the statement; errors are DuckDB's."""
        with self._refreshing:
            for name in asked.tables:
                self.tables.add(name, [row for rows in self._unread.pop(name, ()) for row in rows()])
        cursor.execute("SET enable_profiling = 'no_output'")
        relation = cursor.sql(asked.sql)
        types = tuple(str(kind) for kind in relation.types)
        table = relation.to_arrow_table()
        profile = json.loads(cursor.get_profiling_information(format="json"))
        return Found(table=table, types=types, rows_read=_scanned(profile.get("operator", ())))

    def usage(self) -> Json:
        """See `Told.usage`."""
        self.refresh()
        with self._refreshing:
            return self._told.usage(self._workspace.options.workspace_id)

    def changed_usage(self, since: str, ingested_since: str) -> list[Json]:
        """See `Told.changed`."""
        self.refresh()
        with self._refreshing:
            return self._told.changed(self._workspace.options.workspace_id, since, ingested_since)

    def spending(self, since: str) -> Json:
        """See `Told.spending`."""
        self.refresh()
        with self._refreshing:
            return self._told.spending(self._workspace.options.workspace_id, since)

    def runs(self) -> Json:
        """See `Told.runs`."""
        self.refresh()
        with self._refreshing:
            return self._told.runs()


def _scanned(operators: Iterable[Json]) -> int:
    total = 0
    for operator in operators:
        if operator.get("type") == "TABLE_SCAN":
            total += int(operator.get("intermediate_rows", 0))
        total += _scanned(operator.get("children", ()))
    return total


def _workspaces(own: str, url: str) -> Iterable[Row]:
    for ident, name, address in (
        (own, "simulated", url),
        (schema.NEIGHBOUR, "neighbour", "https://neighbour.example.com"),
        (schema.FAR_AWAY, "far-away", "https://far-away.example.com"),
    ):
        yield {
            "account_id": schema.ACCOUNT,
            "workspace_id": ident,
            "workspace_name": name,
            "workspace_url": address,
            "create_time": 1_600_000_000_000,
            "status": "RUNNING",
        }
