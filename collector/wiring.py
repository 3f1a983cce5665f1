"""Puts the collector together from its settings: the one place that knows every part, and where the time is taken."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.billing import billing
from collector.config import Settings, WorkspaceSettings
from collector.core import plan
from collector.core.agreement import Rule, Words
from collector.core.bill import kept_since
from collector.core.count import Extent
from collector.core.model import Collector, Increment, Measure, Poll
from collector.definitions import definitions
from collector.desk import Desk, Memory, Terms
from collector.live import live
from collector.logs import event
from collector.lookback import due, lookback
from collector.password import store_password
from collector.poll import execute, keep_lease
from collector.readings import due as pass_due
from collector.schedule import Schedule, Task
from collector.sources.budget import Budget
from collector.sources.client import Client
from collector.sources.connection import Connection
from collector.sources.jobs_api import JobsApi
from collector.sources.parameters import secret_names
from collector.sources.system_tables import SystemTables
from collector.store.engine import StoreError, open_store
from collector.store.writer import Writer
from collector.system_tables import system_tables

logger = logging.getLogger(__name__)

EVERY_MINUTE = timedelta(minutes=1)
SOON = timedelta(seconds=5)
"""How often it is asked, in memory alone, whether a look back is due."""
POLLS_KEPT = timedelta(days=1)
SHORTEST_LEASE = timedelta(seconds=1)
LONG_DEADLINE = timedelta(minutes=10)
"""For what no live state waits for."""
PASS_DEADLINE = timedelta(minutes=30)
"""For a pass over the system tables: the first one reads weeks, and a warehouse may take minutes to start."""
SHORTEST_DEADLINE = timedelta(seconds=4)


def silence(done: int, total: int) -> None:
    """Progress that nobody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The desks of one workspace's collectors."""

    name: str
    live: Desk
    definitions: Desk
    lookback: Desk
    system_tables: Desk | None = None
    """This and the next one are None without a warehouse; they share its sessions."""
    billing: Desk | None = None

    @property
    def desks(self) -> tuple[Desk, ...]:
        """All of them."""
        all_desks = (self.definitions, self.live, self.lookback, self.system_tables, self.billing)
        return tuple(desk for desk in all_desks if desk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collectors:
    """All that polls, over one store."""

    workspaces: tuple[Workspace, ...]
    writer: Writer
    retention: timedelta
    details_retention: timedelta
    now: Callable[[], datetime]

    def once(self) -> Iterator[tuple[str, Poll | None]]:
        """One round of all polls, one after another; what each saw."""
        for workspace in self.workspaces:
            yield workspace.name, execute(workspace.definitions, definitions)
            yield workspace.name, execute(workspace.live, live)
            if due(workspace.lookback, self.now()):
                yield workspace.name, execute(workspace.lookback, lookback)
            for poll in self.burst(workspace):
                yield workspace.name, poll
            self.writer.refresh_statistics(workspace.name, now=self.now())

    def schedule(self) -> Schedule:
        """The same again and again, each at its interval."""
        return Schedule(tuple(task for workspace in self.workspaces for task in self._tasks(workspace)))

    def burst(self, workspace: Workspace) -> Iterator[Poll | None]:
        """The passes over the system tables that are due, in one session, so that the warehouse can stop again."""
        if not (workspace.system_tables and workspace.system_tables.tables and workspace.billing):
            return
        with workspace.system_tables.tables.burst():
            for desk, ask in ((workspace.system_tables, system_tables), (workspace.billing, billing)):
                if pass_due(desk, self.now()):
                    yield execute(desk, ask)

    def _tasks(self, workspace: Workspace) -> Iterator[Task]:
        def task(name: str, interval: timedelta, run: Callable[[], object], desk: Desk | None = None) -> Task:
            return Task(
                name=f"{workspace.name}/{name}",
                interval=interval,
                run=lambda: _said(run),
                missed=lambda: _missed(desk) if desk else None,
            )

        def look_back() -> None:
            if due(workspace.lookback, self.now()):
                execute(workspace.lookback, lookback)

        def keep_house() -> None:
            now = self.now()
            self.writer.refresh_statistics(workspace.name, now=now)
            standing = self.writer.standing(workspace.name, recent_since=now, undetailed=0)
            before = plan.prunable(
                now,
                self.retention,
                standing.watermarks.get(Collector.LOOKBACK),
                workspace.lookback.terms.lookback,
            )
            self.writer.prune(
                workspace.name,
                before=before,
                polls_before=now - POLLS_KEPT,
                details_before=now - self.details_retention,
            )
            self.writer.prune_usage(workspace.name, before=kept_since(now, self.retention))

        yield task(
            "definitions",
            workspace.definitions.terms.interval,
            lambda: execute(workspace.definitions, definitions),
            workspace.definitions,
        )
        yield task(
            "live", workspace.live.terms.interval, lambda: execute(workspace.live, live), workspace.live
        )
        if workspace.system_tables and workspace.billing:
            yield task(
                "system_tables",
                min(workspace.system_tables.terms.interval, workspace.billing.terms.interval),
                lambda: tuple(self.burst(workspace)),
                workspace.system_tables,
            )
        yield task("lookback", min(SOON, workspace.live.terms.interval), look_back)
        yield task("lease", workspace.live.terms.lease / 2, lambda: keep_lease(workspace.live))
        yield task("upkeep", EVERY_MINUTE, keep_house)


@contextmanager
def collectors(
    settings: Settings,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Callable[[int, int], None] = silence,
) -> Iterator[Collectors]:
    """The collectors over a store that is brought up to date; raises StoreError when it cannot be used."""
    engine = open_store(settings.store.url, password=store_password(settings))
    writer = Writer(engine)
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    workspaces = tuple(
        _workspace(settings, workspace, writer=writer, holder=holder, now=now, progress=progress)
        for workspace in settings.workspaces
    )
    try:
        for workspace in settings.workspaces:
            writer.register(workspace.name, host="", workspace_id="", now=now())
        for built in workspaces:
            writer.keep(built.name, {desk.terms.collector for desk in built.desks})
        yield Collectors(
            workspaces=workspaces,
            writer=writer,
            retention=settings.store.retention,
            details_retention=settings.store.details_retention,
            now=now,
        )
    finally:
        for built in workspaces:
            for desk in built.desks:
                desk.source.close()
                if desk.tables:
                    desk.tables.close()
        writer.release(holder)
        engine.dispose()


def _workspace(
    settings: Settings,
    workspace: WorkspaceSettings,
    *,
    writer: Writer,
    holder: str,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> Workspace:
    polling = settings.polling
    connection = Connection(lambda: sdk_settings(workspace), Budget(polling.max_requests_per_second))
    memory = Memory()
    secret = secret_names(settings.store.secret_parameters)
    tables = None
    if workspace.warehouse_id:
        tables = SystemTables(
            connection, workspace.warehouse_id, lambda: memory.workspace_id, catalog=workspace.system_catalog
        )

    def desk(
        collector: Collector, interval: timedelta, deadline: timedelta, tables: SystemTables | None = None
    ) -> Desk:
        terms = Terms(
            workspace=workspace.name,
            collector=collector,
            interval=interval,
            deadline=deadline,
            lease=max(SHORTEST_LEASE, polling.active_interval),
            overlap=polling.overlap,
            lookback=polling.lookback,
            most_lookups=int(
                2 * polling.max_requests_per_second * max(1.0, polling.active_interval.total_seconds())
            ),
            history=settings.store.retention,
            discounts=settings.billing.discounts,
            words=_words(settings),
            extent=Extent(
                task_runs=settings.metrics.task_runs, job_histograms=settings.metrics.job_histograms
            ),
        )
        return Desk(
            terms=terms,
            source=JobsApi(Client(connection), secret),
            tables=tables,
            writer=writer,
            memory=memory,
            holder=holder,
            now=now,
            progress=progress,
        )

    return Workspace(
        name=workspace.name,
        # shorter than two intervals, so that a slow poll makes one start late and not two
        live=desk(
            Collector.LIVE,
            polling.active_interval,
            min(LONG_DEADLINE, max(SHORTEST_DEADLINE, polling.active_interval * 1.8)),
        ),
        definitions=desk(Collector.DEFINITIONS, polling.definitions_interval, LONG_DEADLINE),
        lookback=desk(Collector.LOOKBACK, polling.lookback_interval, LONG_DEADLINE),
        system_tables=(
            desk(Collector.SYSTEM_TABLES, polling.system_tables_interval, PASS_DEADLINE, tables)
            if tables
            else None
        ),
        billing=desk(Collector.BILLING, polling.billing_interval, PASS_DEADLINE, tables) if tables else None,
    )


def _words(settings: Settings) -> Words:
    jobs = settings.jobs
    return Words(
        sla_tag=jobs.sla_tag,
        budget_tag=jobs.budget_tag,
        team_tag=jobs.team_tag,
        owner_tag=jobs.owner_tag,
        rules=tuple(
            Rule(
                jobs=each.jobs,
                sla=each.sla,
                budget=each.budget_monthly_dbus,
                team=each.team,
                owner=each.owner,
            )
            for each in settings.agreements
        ),
    )


def sdk_settings(workspace: WorkspaceSettings) -> Mapping[str, Any]:
    """What the SDK is given; what is absent it looks for in its own environment and profiles."""
    kind = "pat" if workspace.token else "oauth-m2m" if workspace.client_id else None
    given = {
        "auth_type": kind,  # so that variables of another kind in the environment do not contradict
        "host": workspace.host,
        "profile": workspace.profile,
        "client_id": workspace.client_id,
        "token": workspace.token.reveal() if workspace.token else None,
        "client_secret": workspace.client_secret.reveal() if workspace.client_secret else None,
    }
    return {key: value for key, value in given.items() if value}


def _said(run: Callable[[], object]) -> None:
    """What the store refuses outside polls is said in the log, and tried again."""
    try:
        run()
    except StoreError as failure:
        event(logger, logging.ERROR, "the store does not take the upkeep", error=str(failure))


def _missed(desk: Desk) -> None:
    increment = Increment(measure=Measure.POLLS_MISSED, labels=(desk.terms.collector.value,), amount=1)
    with desk.memory.lock:
        desk.memory.unrecorded.append(increment)
