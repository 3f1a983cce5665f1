"""Tries the system tables and the queries on them, as far as a warehouse must understand and allow them to run at all.

Every statement ends in LIMIT 0: names and rights are checked, and nothing is read.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from collector.sources.connection import Connection
from collector.sources.grants import Right, named_right
from collector.sources.refusals import CONDITION
from collector.sources.source import SourceError, Ungranted, Unreadable
from collector.sources.statements import SYSTEM, Query, names, query, quoted
from collector.sources.warehouse import Warehouse

PARAMETERS: Mapping[str, object] = {
    "workspace_id": "0",
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "until": datetime(2026, 1, 1, tzinfo=UTC),
    "since_date": date(2026, 1, 1),
    "ingested_since": date(2026, 1, 1),
    "job_run_ids": "0",
}
"""Something of the right type for every parameter; no row comes of it anyway."""
NO_CATALOG = frozenset({"CATALOG_NOT_FOUND", "NO_SUCH_CATALOG_EXCEPTION"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How it went with one table, or with one query."""

    subject: str
    """`schema.table`, or the name of a query."""
    failure: SourceError | None = None
    right: Right | None = None
    """Which one is missing, if the warehouse tells."""
    no_catalog: bool = False
    """True when the warehouse tells that it has no such catalogue."""
    grants: tuple[str, ...] = ()
    """The statements that give everything that it takes."""


class Probe:
    """One warehouse, tried on behalf of one principal."""

    def __init__(
        self, connection: Connection, warehouse_id: str, *, principal: str, catalog: str = SYSTEM
    ) -> None:
        self._warehouse = Warehouse(connection, warehouse_id)
        self._principal = principal
        self._catalog = catalog
        self._queries = tuple(query(name, catalog) for name in names())

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables that the queries name, as `schema.table`."""
        return tuple(sorted({table for each in self._queries for table in _tables(each)}))

    def session(self, seconds: float) -> AbstractContextManager[None]:
        """One session for everything tried in the block; raises `SourceError`. Starts a warehouse that is stopped."""
        return self._warehouse.session(seconds)

    def try_tables(self) -> Iterator[Trial]:
        """Each table by itself; raises what is the fault of no table."""
        for table in self.tables:
            yield self._trial(self._of_table(table), table)

    def try_queries(self, readable: Collection[str]) -> Iterator[Trial]:
        """Each query of which all tables are readable; raises what is the fault of no query."""
        for each in self._queries:
            if _tables(each) <= set(readable):
                without_rows = replace(each, text=f"{each.text.rstrip()}\nLIMIT 0")
                yield self._trial(without_rows, each.name)

    def _trial(self, asked: Query, subject: str) -> Trial:
        try:
            for _ in self._warehouse.batches(asked, {name: PARAMETERS[name] for name in asked.parameters}):
                pass
        except (Ungranted, Unreadable) as failure:
            text = str(failure.__cause__ or failure)
            condition = CONDITION.search(text)
            return Trial(
                subject=subject,
                failure=failure,
                right=named_right(text, subject, self._catalog),
                no_catalog=bool(condition and condition[1] in NO_CATALOG),
                grants=tuple(
                    replace(asked, grants=(grant,)).grants_to(self._principal) for grant in asked.grants
                ),
            )
        return Trial(subject=subject)

    def _of_table(self, table: str) -> Query:
        """A query that takes nothing but the rights to this table."""
        catalog = SYSTEM if self._catalog == SYSTEM else quoted(self._catalog)
        schema = table.partition(".")[0]
        securables = (f" ON CATALOG {catalog} ", f" ON SCHEMA {catalog}.{schema} ")
        grants = (
            grant for each in self._queries for grant in each.grants if any(s in grant for s in securables)
        )
        return Query(
            name=table,
            purpose="Tries the rights to a table.",
            tables=(f"{self._catalog}.{table}",),
            grants=tuple(dict.fromkeys(grants)),
            freshness="",
            parameters=(),
            text=f"SELECT * FROM {catalog}.{table} LIMIT 0",  # noqa: S608 – both names are ours, or quoted
        )


def _tables(asked: Query) -> frozenset[str]:
    """What it reads, without the catalogue."""
    return frozenset(table.partition(".")[2] for table in asked.tables)
