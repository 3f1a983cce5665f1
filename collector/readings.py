"""How the sources of one pass over the system tables are read: each on record, and none for the failure of another."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.desk import Desk
from collector.logs import redact
from collector.sources.source import SourceError, TablesSource, Ungranted, Unreadable

EARLY = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class Reading:
    """One source while it is read."""

    tables: TablesSource
    watermark: datetime | None
    """The start of its last successful reading."""
    newest: datetime | None = None
    """The latest instant that any record of this reading tells of; the reader moves it."""

    def tells_of(self, instant: datetime) -> None:
        """A record tells of that instant."""
        self.newest = max(instant, self.newest or instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The readings of one pass."""

    desk: Desk
    tables: TablesSource
    started: datetime
    horizon: datetime
    """What ended before it was in no counter when the pass began."""
    watermarks: Mapping[str, datetime]
    failures: dict[str, SourceError] = field(default_factory=dict)
    """By source; what failed alone."""

    @contextmanager
    def of(self, source: str) -> Iterator[Reading]:
        """Record how it goes. A table that is missing or not understood ends the block and nothing else."""
        reading = Reading(tables=self.tables, watermark=self.watermarks.get(source))
        try:
            yield reading
        except SourceError as failure:
            self._record(source, reading, failure)
            if not isinstance(failure, Ungranted | Unreadable):
                raise
            self.failures[source] = failure
        else:
            self._record(source, reading, None)

    @property
    def error(self) -> str:
        """The bounded reason of the first failure; empty without one."""
        return next((failure.reason for failure in self.failures.values()), "")

    @property
    def message(self) -> str:
        """What failed, for people."""
        return "; ".join(f"{source}: {failure}" for source, failure in self.failures.items())

    def _record(self, source: str, reading: Reading, failure: SourceError | None) -> None:
        with self.desk.writer.transaction(self.desk.terms.workspace) as transaction:
            transaction.save_source(
                source,
                watermark=None if failure else self.started,
                newest=reading.newest,
                error=failure.reason if failure else "",
                message=redact(str(failure)) if failure else "",
            )


def due(desk: Desk, now: datetime) -> bool:
    """True at the start, after a failure, and an interval after the last successful pass.

    Half a minute early is in time: otherwise a pass an hour would often wait for the next burst.
    """
    read = desk.memory.read.get(desk.terms.collector)
    return read is None or now - read >= desk.terms.interval - min(EARLY, desk.terms.interval / 2)


@contextmanager
def readings(desk: Desk, started: datetime) -> Iterator[Readings]:
    """The readings of one pass."""
    terms, memory = desk.terms, desk.memory
    if desk.tables is None:
        raise ValueError(f"workspace {terms.workspace} has no warehouse")
    memory.workspace_id = memory.workspace_id or desk.source.identity().workspace_id
    if not memory.workspace_id:
        raise Unreadable(
            "the workspace does not tell its id, and the tables show all workspaces of the region"
        )
    standing = desk.writer.standing(terms.workspace, recent_since=started, undetailed=0)
    with desk.tables.session(terms.deadline.total_seconds()):
        all_readings = Readings(
            desk=desk,
            tables=desk.tables,
            started=started,
            horizon=standing.horizon,
            watermarks=desk.writer.source_watermarks(terms.workspace),
        )
        yield all_readings
    if not all_readings.failures:
        memory.read[terms.collector] = started
