"""A store that may not be there yet: opened when it can be, so that serving may start before collecting."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from collector.core.failing import Ending, Failing
from collector.core.model import Usage
from collector.core.records import JobIds, RunPage, RunPlace, RunRecord, UsagePage, UsageRecord, UsageTotal
from collector.core.snapshot import Snapshot
from collector.store.engine import open_store
from collector.store.reader import Reader


class Records(Protocol):
    """What is too much for a snapshot and is read when somebody asks; as `collector.store.reader.Reader` answers."""

    def runs(
        self,
        workspace: str | None = None,
        *,
        job_ids: JobIds | None = None,
        results: Collection[str] | None = None,
        states: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        after: RunPlace | None = None,
    ) -> RunPage:
        """At most `limit` runs, newest start first, with their attempts; None asks for all. Raises StoreError."""

    def run(self, run_id: str, workspace: str | None = None) -> RunRecord | None:
        """The run with its details; None when there is no such run. Raises StoreError."""

    def usage(self, workspace: str, since: date) -> tuple[Usage, ...]:
        """What was used from that day on, in no order. Raises StoreError."""

    def usage_page(
        self,
        workspaces: Sequence[str],
        since: date,
        *,
        job_ids: JobIds | None = None,
        limit: int = 100,
        after: UsageRecord | None = None,
    ) -> UsagePage:
        """At most `limit` rows of usage of these workspaces, the newest day first. Raises StoreError."""

    def usage_totals(
        self, workspace: str, since: date, *, job_ids: JobIds | None = None
    ) -> tuple[UsageTotal, ...]:
        """What each job used of each SKU from that day on, in no order. Raises StoreError."""


class LateStore:
    """A reader of the store at a URL. Every question raises StoreError until the store can be opened."""

    def __init__(self, url: str, password: Callable[[], str] | None = None) -> None:
        self._url = url
        self._password = password
        self._reader: Reader | None = None
        self._close: Callable[[], None] = lambda: None
        self._opening = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def revision(self) -> int:
        """A number that rises with every commit."""
        return self._opened().revision()

    def snapshot(self) -> Snapshot:
        """The store at one moment."""
        return self._opened().snapshot()

    def runs(
        self,
        workspace: str | None = None,
        *,
        job_ids: JobIds | None = None,
        results: Collection[str] | None = None,
        states: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        after: RunPlace | None = None,
    ) -> RunPage:
        """A part of the list of runs."""
        return self._opened().runs(
            workspace,
            job_ids=job_ids,
            results=results,
            states=states,
            since=since,
            until=until,
            limit=limit,
            after=after,
        )

    def run(self, run_id: str, workspace: str | None = None) -> RunRecord | None:
        """One run."""
        return self._opened().run(run_id, workspace)

    def usage(self, workspace: str, since: date) -> tuple[Usage, ...]:
        """Usage by day and job."""
        return self._opened().usage(workspace, since)

    def usage_page(
        self,
        workspaces: Sequence[str],
        since: date,
        *,
        job_ids: JobIds | None = None,
        limit: int = 100,
        after: UsageRecord | None = None,
    ) -> UsagePage:
        """A part of the list of usage."""
        return self._opened().usage_page(workspaces, since, job_ids=job_ids, limit=limit, after=after)

    def usage_totals(
        self, workspace: str, since: date, *, job_ids: JobIds | None = None
    ) -> tuple[UsageTotal, ...]:
        """Usage by job."""
        return self._opened().usage_totals(workspace, since, job_ids=job_ids)

    def failing(self, workspace: str, job_ids: Iterable[str]) -> Mapping[str, Failing]:
        """Why jobs fail."""
        return self._opened().failing(workspace, job_ids)

    def endings(
        self, workspace: str, job_ids: Iterable[str], *, each: int
    ) -> Mapping[str, tuple[Ending, ...]]:
        """How the latest attempts of jobs went."""
        return self._opened().endings(workspace, job_ids, each=each)

    def _opened(self) -> Reader:
        with self._opening:
            if self._reader is None:
                engine = open_store(self._url, read_only=True, password=self._password)
                self._close = engine.dispose
                self._reader = Reader(engine)
            return self._reader
