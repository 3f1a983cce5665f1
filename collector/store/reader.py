"""The reading side of the store: one snapshot per question, consistent, and cheap when little changed; and runs and
usage, which are too many for a snapshot, as they are asked for.

Jobs and counters are kept in memory and only those that a later transaction touched are read again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from threading import Lock

from sqlalchemy import Connection, Engine, func, select

from collector.core.failing import Ending, Failing
from collector.core.model import Usage
from collector.core.records import JobIds, RunPage, RunPlace, RunRecord, UsagePage, UsageRecord, UsageTotal
from collector.core.snapshot import ActiveRun, CollectorState, Snapshot, WorkspaceSnapshot
from collector.store.answers import Wanted, one_run, run_page
from collector.store.bills import latest_bill
from collector.store.engine import LateEngine
from collector.store.failing import endings, failing
from collector.store.failure import reported
from collector.store.held import COUNTER_COLUMNS, Held
from collector.store.instants import EPOCH, from_ms, maybe_from_ms
from collector.store.schema import attempts, collectors, counters, job_history, jobs, runs, store, workspaces
from collector.store.size import Size, size
from collector.store.sources import source_states
from collector.store.spending import usage_page, usage_totals
from collector.store.statements import Found
from collector.store.usage import usage_since

SIZE_AGE_S = 60.0
"""Counting a million rows takes longer than all the rest; the numbers move slowly."""


class Reader:
    """Reads snapshots from an engine opened read-only. May be used by several threads.

    Series of a deleted job stay for `expire_after` of collected time: while nothing is collected, nothing expires.
    Every method raises StoreError when the database fails.
    """

    def __init__(
        self,
        engine: Engine | LateEngine,
        *,
        expire_after: timedelta = timedelta(days=1),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._expire_after = expire_after
        self._clock = clock
        self._one_at_a_time = Lock()
        self._born = EPOCH
        self._held: dict[str, Held] = {}
        self._shown: dict[str, WorkspaceSnapshot] = {}
        self._size = Size()
        self._size_until = float("-inf")

    def revision(self) -> int:
        """A number that rises with every commit that changes a snapshot."""
        with self._reading() as connection:
            return int(connection.scalar(select(func.coalesce(func.sum(workspaces.c.revision), 0))) or 0)

    def snapshot(self) -> Snapshot:
        """The store at one moment. Before any workspace is registered it was born in 1970."""
        with self._one_at_a_time:
            try:
                with self._reading() as connection:
                    return self._snapshot(connection)
            except BaseException:
                # What was taken in may be half of what was read.
                self._forget()
                raise

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
        """At most `limit` runs, newest start first, each with its attempts: of one workspace or of all, that started
        at or after `since` and before `until`; None asks for all. `after` is where a page said that the next begins.
        """
        wanted = Wanted(job_ids=job_ids, results=results, states=states, since=since, until=until)
        with self._reading() as connection:
            return run_page(connection, workspace, wanted, limit=limit, after=after)

    def run(self, run_id: str, workspace: str | None = None) -> RunRecord | None:
        """The run with its attempts and, while they are kept, its details; None when the store does not hold it."""
        with self._reading() as connection:
            return one_run(connection, run_id, workspace)

    def usage(self, workspace: str, since: date) -> tuple[Usage, ...]:
        """What was used from that day on, by day, job, product, SKU, unit and currency, in no order."""
        with self._reading() as connection:
            return tuple(usage_since(connection, workspace, since))

    def usage_page(
        self,
        workspaces: Sequence[str],
        since: date,
        *,
        job_ids: JobIds | None = None,
        limit: int = 100,
        after: UsageRecord | None = None,
    ) -> UsagePage:
        """At most `limit` rows of usage of these workspaces from that day on, workspace by workspace, the newest day
        first. `after` is where a page said that the next begins.
        """
        with self._reading() as connection:
            return usage_page(connection, workspaces, since, job_ids=job_ids, limit=limit, after=after)

    def usage_totals(
        self, workspace: str, since: date, *, job_ids: JobIds | None = None
    ) -> tuple[UsageTotal, ...]:
        """What each job used of each SKU from that day on, in no order."""
        with self._reading() as connection:
            return tuple(usage_totals(connection, workspace, since, job_ids=job_ids))

    def failing(self, workspace: str, job_ids: Iterable[str]) -> Mapping[str, Failing]:
        """By job id: why those of the jobs fail that do, as far as their runs are held."""
        with self._reading() as connection:
            return failing(connection, workspace, job_ids)

    def endings(
        self, workspace: str, job_ids: Iterable[str], *, each: int
    ) -> Mapping[str, tuple[Ending, ...]]:
        """By job id: its latest attempts, at most so many, the oldest first."""
        with self._reading() as connection:
            return endings(connection, workspace, job_ids, each=each)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reported(self._engine.url), self._engine.begin() as connection:
            yield connection

    def _snapshot(self, connection: Connection) -> Snapshot:
        born = maybe_from_ms(connection.scalar(select(store.c.born_ms))) or EPOCH
        rows = connection.execute(select(workspaces).order_by(workspaces.c.name)).all()
        if born != self._born or any(row.revision < self._revision(row.name) for row in rows):
            # Another store is in the place of the one that was read before.
            self._forget()
            self._born = born
        for row in rows:
            if row.revision != self._revision(row.name):
                self._shown[row.name] = self._workspace(connection, row)
        if self._clock() >= self._size_until:
            self._size = size(connection)
            self._size_until = self._clock() + SIZE_AGE_S
        return Snapshot(
            revision=sum(row.revision for row in rows),
            born=born,
            workspaces=tuple(self._shown[row.name] for row in rows),
            rows=self._size.rows,
            size_bytes=self._size.size_bytes,
        )

    def _revision(self, workspace: str) -> int:
        held = self._held.get(workspace)
        return held.revision if held else 0

    def _forget(self) -> None:
        self._born = EPOCH
        self._held.clear()
        self._shown.clear()
        self._size_until = float("-inf")

    def _workspace(self, connection: Connection, row: Found) -> WorkspaceSnapshot:
        held = self._held.setdefault(row.name, Held())
        changed_jobs, changed_histories = (
            connection.execute(
                select(table).where(table.c.workspace == row.name, table.c.revision > held.revision)
            )
            for table in (jobs, job_history)
        )
        held.take_jobs(changed_jobs.all(), changed_histories.all())
        changed_counters = select(*COUNTER_COLUMNS).where(
            counters.c.workspace == row.name, counters.c.revision > held.revision
        )
        held.take_counters(connection.execute(changed_counters).all())
        held.bill = latest_bill(connection, row.name, held.bill)
        held.revision = row.revision
        states = _collectors(connection, row.name)
        collected = max((state.last_start for state in states), default=EPOCH)
        expired = held.expired(collected - self._expire_after)
        return WorkspaceSnapshot(
            name=row.name,
            host=row.host,
            workspace_id=row.workspace_id,
            horizon=from_ms(row.horizon_ms),
            collectors=states,
            active_runs=_active_runs(connection, row.name),
            jobs=held.jobs_without(expired),
            counters=held.counters_without(expired),
            undetailed=_undetailed(connection, row.name),
            sources=source_states(connection, row.name),
            bill=held.bill,
        )


def _undetailed(connection: Connection, workspace: str) -> int:
    query = (
        select(func.count())
        .select_from(attempts)
        .where(attempts.c.workspace == workspace, attempts.c.counted, ~attempts.c.detailed)
    )
    return int(connection.execute(query).scalar_one())


def _collectors(connection: Connection, workspace: str) -> tuple[CollectorState, ...]:
    query = select(collectors).where(collectors.c.workspace == workspace).order_by(collectors.c.collector)
    return tuple(
        CollectorState(
            collector=row.collector,
            interval=timedelta(milliseconds=row.interval_ms),
            last_start=from_ms(row.last_start_ms),
            last_duration=timedelta(milliseconds=row.last_duration_ms),
            last_success=maybe_from_ms(row.last_success_ms),
            error=row.error,
            message=row.message,
        )
        for row in connection.execute(query)
    )


def _active_runs(connection: Connection, workspace: str) -> tuple[ActiveRun, ...]:
    columns = (
        runs.c.run_id,
        runs.c.job_id,
        runs.c.run_type,
        runs.c.trigger,
        runs.c.name,
        runs.c.url,
        runs.c.state,
        runs.c.queue_reason,
        runs.c.started_ms,
    )
    query = (
        select(*columns)
        .where(runs.c.workspace == workspace, runs.c.open)
        .order_by(runs.c.started_ms, runs.c.run_id)
    )
    return tuple(
        ActiveRun(
            run_id=run_id,
            job_id=job_id,
            run_type=run_type,
            trigger=trigger,
            name=name,
            url=url,
            state=state,
            queue_reason=queue_reason,
            started=from_ms(started_ms),
        )
        # A scrape reads thousands of these: taking rows apart is twice as fast as asking them by name.
        for run_id, job_id, run_type, trigger, name, url, state, queue_reason, started_ms in connection.execute(
            query
        ).all()
    )
