"""The writing side of the store: registers and leases workspaces, and opens the transactions of polls.

It decides nothing about runs: what changed and what counts is handed to it.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date, datetime
from threading import Lock

from sqlalchemy import Connection, Engine, or_, select

from collector.core.model import Collector, KnownRun, Spending, Standing, Usage
from collector.store import bills, horizon, medians, prune, runs, sources, standing, usage
from collector.store.failure import ForeignWorkspaceError, reported
from collector.store.instants import to_ms
from collector.store.schema import store, workspaces
from collector.store.statements import insert
from collector.store.transaction import Transaction

JOBS_AT_ONCE = 100
RUNS_AT_ONCE = 500
DETAILS_AT_ONCE = 500
POLLS_AT_ONCE = 5000
PAUSE_S = 0.01
"""Between batches of housekeeping, so that a poll that waits for the database gets it."""


class Writer:
    """Owns the writing engine. May be used by several threads; on SQLite their transactions come one after another.

    Every method raises StoreError when the database fails, and what was before is then still there.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._immediate = engine.execution_options(immediate=True)
        # SQLite has one writer; who waits here goes on at once, while its own waiting asks again after a while.
        self._one_at_a_time: AbstractContextManager[object] = (
            Lock() if engine.dialect.name == "sqlite" else nullcontext()
        )

    def register(self, workspace: str, *, host: str, workspace_id: str, now: datetime) -> None:
        """The workspace is in the store, of new ones nothing is counted yet; a host or id that is given is kept.

        Raises ForeignWorkspaceError when the store holds another workspace under the name.
        """
        row = {
            "name": workspace,
            "host": host,
            "workspace_id": workspace_id,
            "horizon_ms": to_ms(horizon.NEVER),
        }
        row |= {"revision": 1, "lease_holder": "", "lease_until_ms": 0}
        given = {name: value for name, value in (("host", host), ("workspace_id", workspace_id)) if value}
        with self._writing() as connection:
            born = insert(connection, store).values(id=1, born_ms=to_ms(now))
            connection.execute(born.on_conflict_do_nothing())
            connection.execute(insert(connection, workspaces).values(row).on_conflict_do_nothing())
            if given:
                _check_identity(connection, workspace, host, workspace_id)
                connection.execute(
                    workspaces.update()
                    .where(
                        workspaces.c.name == workspace,
                        or_(*(workspaces.c[name] != value for name, value in given.items())),
                    )
                    .values(**given, revision=workspaces.c.revision + 1)
                )

    def keep(self, workspace: str, kept: Collection[Collector]) -> None:
        """No other collector of the workspace is on record, nor what it alone brings up to date: what was taken out of
        the configuration is neither stale nor down.
        """
        with self._writing() as connection:
            prune.forget_collectors(connection, workspace, kept)

    def lease(self, workspace: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """True when the holder has the workspace until then; False while another one's lease has not expired."""
        free = or_(workspaces.c.lease_holder == holder, workspaces.c.lease_until_ms <= to_ms(now))
        with self._writing() as connection:
            taken = connection.execute(
                workspaces.update()
                .where(workspaces.c.name == workspace, free)
                .values(lease_holder=holder, lease_until_ms=to_ms(until))
            )
            return taken.rowcount == 1

    def release(self, holder: str) -> None:
        """The holder has no workspace any more; others need not wait for its leases to expire."""
        with self._writing() as connection:
            connection.execute(
                workspaces.update()
                .where(workspaces.c.lease_holder == holder)
                .values(lease_holder="", lease_until_ms=0)
            )

    def standing(self, workspace: str, *, recent_since: datetime, undetailed: int) -> Standing:
        """What a plan needs: see `Standing`. Nobody waits for it, and it is as old as it was read."""
        with self._reading() as connection:
            return standing.standing(connection, workspace, recent_since=recent_since, undetailed=undetailed)

    def known(self, workspace: str, run_ids: Iterable[str]) -> dict[str, KnownRun]:
        """What the store holds of those runs that it holds; as old as it was read."""
        with self._reading() as connection:
            return runs.known(connection, workspace, run_ids)

    def hours_by_tables_alone(self, workspace: str, since: datetime) -> frozenset[datetime]:
        """The clock hours from then on in which counted attempts ended that no answer of the Jobs API has shown."""
        with self._reading() as connection:
            return standing.hours_by_tables_alone(connection, workspace, since)

    def source_watermarks(self, workspace: str) -> dict[str, datetime]:
        """Up to when each source of the system tables was read, for those that were."""
        with self._reading() as connection:
            return sources.source_watermarks(connection, workspace)

    def usage(self, workspace: str, since: date) -> Iterator[Usage]:
        """What was used from that day on, read bit by bit while nobody waits for it."""
        with self._reading() as connection:
            yield from usage.usage_since(connection, workspace, since)

    def known_jobs(self, workspace: str) -> frozenset[str]:
        """Ids of the jobs that the store knows, without those of one-time runs."""
        with self._reading() as connection:
            return bills.known_jobs(connection, workspace)

    def spending(self, workspace: str) -> tuple[Spending, ...] | None:
        """What the latest bill says of usage since the last success; None when it does not say."""
        with self._reading() as connection:
            return bills.latest_spending(connection, workspace)

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Transaction]:
        """One poll's reading and writing: committed when the block ends, undone when it raises."""
        with self._writing() as connection:
            yield Transaction(connection, workspace)

    def refresh_statistics(self, workspace: str, *, now: datetime) -> int:
        """Medians and 90th percentiles are those of the last 30 days wherever attempts came or left; returns how many
        jobs were looked at.
        """
        return self._in_batches(
            lambda connection: medians.refresh(connection, workspace, now=now, most=JOBS_AT_ONCE)
        )

    def prune(
        self,
        workspace: str,
        *,
        before: datetime,
        polls_before: datetime,
        details_before: datetime | None = None,
    ) -> int:
        """Closed runs whose last attempt ended before, polls that started before and details that were read before
        are forgotten; returns the number of runs. What ended before is history from then on.
        """
        with self._writing() as connection:
            horizon.raise_to(connection, workspace, before)
        self._in_batches(
            lambda connection: prune.forget_polls(connection, workspace, polls_before, POLLS_AT_ONCE)
        )
        if details_before is not None:
            self._in_batches(
                lambda connection: prune.forget_details(
                    connection, workspace, details_before, DETAILS_AT_ONCE
                )
            )
        return self._in_batches(
            lambda connection: prune.forget_runs(connection, workspace, before, RUNS_AT_ONCE)
        )

    def prune_usage(self, workspace: str, *, before: date) -> int:
        """Usage of days before is forgotten; returns the number of rows."""
        return self._in_batches(lambda connection: usage.forget_usage(connection, workspace, before))

    def _in_batches(self, step: Callable[[Connection], int]) -> int:
        """Takes the step, each time in a transaction of its own, until it has nothing left to do; sums what it did."""
        total = 0
        while True:
            with self._writing() as connection:
                done = step(connection)
            if not done:
                return total
            total += done
            time.sleep(PAUSE_S)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reported(self._engine.url), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._one_at_a_time, reported(self._engine.url), self._immediate.begin() as connection:
            yield connection


def _check_identity(connection: Connection, name: str, host: str, workspace_id: str) -> None:
    """The id decides where both are known, otherwise the host, however it is spelled."""
    held = connection.execute(select(workspaces.c.host, workspaces.c.workspace_id).filter_by(name=name)).one()
    if held.workspace_id and workspace_id:
        same = held.workspace_id == workspace_id
    else:
        same = not held.host or not host or _spelled(held.host) == _spelled(host)
    if not same:
        raise ForeignWorkspaceError(
            f"the store holds workspace {name!r} as {held.host} (id {held.workspace_id or 'unknown'}), but now it is "
            f"{host} (id {workspace_id or 'unknown'}); give the other workspace a name of its own, or another store"
        )


def _spelled(host: str) -> str:
    return host.lower().removeprefix("https://").removeprefix("http://").rstrip("/")
