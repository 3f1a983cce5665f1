"""The questions of a pass over the system tables, asked of a SQL warehouse in the queries of `sql/`.

Cuts answers into batches and nothing else; what a row means is the matter of `records`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from itertools import chain, groupby
from operator import itemgetter
from typing import TypeVar

from collector.core.model import Run, Spending, Usage
from collector.sources import records
from collector.sources.connection import Connection
from collector.sources.fields import UnreadableItemError
from collector.sources.records import Row
from collector.sources.session import BATCH
from collector.sources.source import RecordedJob, RecordedTaskRun, Tally, Unreadable
from collector.sources.statements import SYSTEM, names, query
from collector.sources.warehouse import FIRST_PAUSE, Warehouse

RUNS_AT_ONCE = 2_000
"""Ids of runs in one statement."""

S = TypeVar("S")
T = TypeVar("T")


class SystemTables:
    """`TablesSource` over the SQL connector, for one workspace."""

    def __init__(
        self,
        connection: Connection,
        warehouse_id: str,
        workspace_id: Callable[[], str],
        catalog: str = SYSTEM,
        *,
        first_pause: float = FIRST_PAUSE,
        batch: int = BATCH,
    ) -> None:
        self._warehouse = Warehouse(connection, warehouse_id, first_pause=first_pause, batch=batch)
        self._workspace_id = workspace_id
        self._queries = {name: query(name, catalog) for name in names()}

    def burst(self) -> AbstractContextManager[None]:
        """Sessions within it are one: the first stays open for the next."""
        return self._warehouse.burst()

    def session(self, seconds: float) -> AbstractContextManager[None]:
        """One session for everything asked in the block, which gives up after so long; closed at the end."""
        return self._warehouse.session(seconds)

    def hours(self, since: datetime) -> Mapping[datetime, int]:
        """How many attempts ended in each clock hour from then on; hours without any are left out."""
        rows = chain.from_iterable(self._batches("run_hours", since=since))
        return dict(self._read(records.hour, rows))

    def runs(self, since: datetime, until: datetime) -> Iterator[Sequence[Run]]:
        """Runs of which an attempt ended in the window, each whole; no batch cuts a run."""
        for groups in _grouped(self._batches("run_timeline", since=since, until=until), "run_id"):
            yield from _if_any(self._read(records.run, groups))

    def task_runs(self, run_ids: Sequence[str]) -> Iterator[Sequence[RecordedTaskRun]]:
        """The finished task runs of these runs, of some runs at a time."""
        for first in range(0, len(run_ids), RUNS_AT_ONCE):
            some = ",".join(run_ids[first : first + RUNS_AT_ONCE])
            for batch in self._batches("task_runs", job_run_ids=some):
                yield from _if_any(self._read(records.task_run, batch))

    def jobs(self, since: datetime) -> Iterator[Sequence[RecordedJob]]:
        """The latest definition of every job that changed since then."""
        for batch in self._batches("jobs", since=since):
            yield from _if_any(self._read(records.job, batch))

    def usage(self, since: date, ingested_since: date) -> Iterator[Sequence[Usage]]:
        """Usage of what was added to; no batch cuts a day, job, product, SKU and unit."""
        batches = self._batches("usage", since_date=since, ingested_since=ingested_since)
        for groups in _grouped(batches, "usage_date", "job_id", "product", "sku_name", "usage_unit"):
            yield from _if_any(chain.from_iterable(self._read(records.usage, groups)))

    def spending(self, since: date) -> Iterator[Sequence[Spending]]:
        """What each job used since its last success, or since that day where that is later."""
        for batch in self._batches("usage_since_success", since_date=since):
            yield from _if_any(self._read(records.spending, batch))

    def take_tally(self) -> Tally:
        """What was asked since the last call."""
        return self._warehouse.take_tally()

    def close(self) -> None:
        """Let what is under way end at its next step."""
        self._warehouse.close()

    def _batches(self, name: str, **parameters: object) -> Iterator[Sequence[Row]]:
        """The rows of this workspace, and of no other that the tables show."""
        workspace_id = self._workspace_id()
        if not workspace_id:
            raise Unreadable(
                "the workspace does not tell its id, and the tables show all workspaces of the region"
            )
        return self._warehouse.batches(self._queries[name], {"workspace_id": workspace_id, **parameters})

    def _read(self, reader: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
        """What can be read of the rows, or groups of rows; the others are counted and set aside."""
        for item in items:
            try:
                yield reader(item)
            except UnreadableItemError:
                self._warehouse.set_aside()


def _grouped(batches: Iterable[Sequence[Row]], *columns: str) -> Iterator[list[list[Row]]]:
    """The rows in groups that have the same values there; the last group of a batch waits for the next."""
    rest: list[Row] = []
    for batch in batches:
        groups = [list(group) for _, group in groupby(chain(rest, batch), itemgetter(*columns))]
        rest = groups.pop()
        if groups:
            yield groups
    if rest:
        yield [rest]


def _if_any(items: Iterable[T]) -> Iterator[Sequence[T]]:
    """The batch, unless it is empty."""
    if batch := tuple(items):
        yield batch
