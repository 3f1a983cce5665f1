"""Puts the collector together from its settings: the one place that knows every part, and where the time is taken."""

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.config import Settings, WorkspaceSettings
from collector.core.agreement import Rule, Words
from collector.core.count import Extent
from collector.core.model import Collector
from collector.desk import Desk, Memory, Terms
from collector.password import store_password
from collector.rounds import Collectors, Workspace
from collector.sources.budget import Budget
from collector.sources.client import Client
from collector.sources.connection import Connection
from collector.sources.jobs_api import JobsApi
from collector.sources.parameters import secret_names
from collector.sources.system_tables import SystemTables
from collector.store.engine import open_store
from collector.store.writer import Writer

SHORTEST_LEASE = timedelta(seconds=1)
LONG_DEADLINE = timedelta(minutes=10)
"""For what no live state waits for."""
PASS_DEADLINE = timedelta(minutes=30)
"""For a pass over the system tables: the first one reads weeks, and a warehouse may take minutes to start."""
SHORTEST_DEADLINE = timedelta(seconds=4)


def silence(done: int, total: int) -> None:
    """Progress that nobody sees."""


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
