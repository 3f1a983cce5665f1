"""Tries, for each workspace, what its collectors will need, and says what is missing and what mends it.

Opens no store and changes nothing in the workspace; a SQL warehouse that is stopped starts.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from collector import remedies
from collector.config import Settings, WorkspaceSettings
from collector.core.estimate import Load, Pace, requests
from collector.core.plan import Window
from collector.findings import Finding, Outcome, Report, failed, missing, ok
from collector.sources import inspection
from collector.sources.budget import Budget
from collector.sources.client import Client
from collector.sources.connection import Connection
from collector.sources.inspection import Principal, WarehouseFacts
from collector.sources.jobs_api import JobsApi
from collector.sources.probe import Probe, Trial
from collector.sources.session import Worker
from collector.sources.source import Refused, SourceError, Throttled, Ungranted, Unreadable
from collector.wiring import sdk_settings

RECENT = timedelta(hours=1)
"""What started in this time tells how busy the workspace is."""
SHORTEST_SHARE = 0.01
"""Of that time, so that a burst of runs is not taken for the usual."""
MOST_PAGES = 20
"""Of the runs that started lately; a busier workspace is judged by the latest of them."""
MINUTE = timedelta(minutes=1)
WITHOUT_WAREHOUSE = "no warehouse_id; with one: what jobs cost, the runs that no poll saw, and the run history of 60 days and more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an answer is waited for."""

    api: timedelta = timedelta(minutes=1)
    """Each list of the Jobs API; waiting for the own request budget does not count."""
    warehouse: timedelta = timedelta(minutes=6)
    """The warehouse with all that is asked of it; one that is not serverless takes about four minutes to start."""


def reports(settings: Settings, now: datetime, patience: Patience | None = None) -> Iterator[Report]:
    """How each workspace stands, in the order of the configuration. They are asked side by side, and none is waited for
    beyond the patience.
    """
    under_way = []
    for workspace in settings.workspaces:
        worker = Worker(f"check {workspace.name}")
        under_way.append(worker.submit(report, settings, workspace, now, patience or Patience()))
        worker.stop()
    for future in under_way:
        yield future.result()


def report(settings: Settings, workspace: WorkspaceSettings, now: datetime, patience: Patience) -> Report:
    """How this workspace stands."""
    budget = Budget(settings.polling.max_requests_per_second)
    connection = Connection(lambda: sdk_settings(workspace), budget)
    with closing(Client(connection)) as client:
        principal, entry = _entry(client, workspace, patience)
        if principal is None:
            return Report(workspace=workspace.name, findings=entry)
        load, jobs = _jobs(client, principal, now, patience)
        facts, warehouse = _warehouse(client, workspace, principal, patience)
    tables = _tables(connection, workspace, principal, patience) if facts else ()
    return Report(
        workspace=workspace.name,
        findings=(*entry, *jobs, *warehouse, *tables),
        requests=requests(load, _pace(settings)) if load else None,
        auto_stop=facts.auto_stop if facts else None,
    )


def _entry(
    client: Client, workspace: WorkspaceSettings, patience: Patience
) -> tuple[Principal | None, tuple[Finding, ...]]:
    """Whether the workspace answers and takes the credentials, and who it takes us for."""
    client.start_deadline(patience.api.total_seconds())
    try:
        principal = inspection.principal(client)
    except Refused as failure:
        return None, (missing("sign-in", failure, remedies.credentials(workspace)),)
    except Throttled as failure:
        return None, (failed("workspace", failure),)
    except SourceError as failure:
        return None, (failed("workspace", failure, remedies.address(workspace)),)
    place = f"{principal.host}, id {principal.workspace_id or 'unknown'}"
    return principal, (ok("workspace", place), ok("sign-in", principal.name))


def _jobs(
    client: Client, principal: Principal, now: datetime, patience: Patience
) -> tuple[Load | None, tuple[Finding, ...]]:
    """Which jobs are to be seen, and how busy they are."""
    try:
        load = _load(client, now, patience)
    except Refused as failure:
        return None, (missing("jobs", failure, remedies.view_jobs(principal)),)
    except SourceError as failure:
        return None, (failed("jobs", failure),)
    if not load.jobs:
        return load, (missing("jobs", "none is to be seen", remedies.view_jobs(principal)),)
    told = (
        f"{load.jobs} to be seen, {load.active_runs} runs active, {load.runs_per_hour:.0f} started in an hour"
    )
    return load, (ok("jobs", told),)


def _load(client: Client, now: datetime, patience: Patience) -> Load:
    """How busy the workspace is; raises `SourceError`."""
    source, pages = JobsApi(client), count(1)
    source.start_deadline(patience.api.total_seconds())
    jobs = len(tuple(source.jobs()))
    source.start_deadline(patience.api.total_seconds())
    active = tuple(source.active((Window(),)))
    source.start_deadline(patience.api.total_seconds())
    since = now - RECENT
    finished = tuple(source.completed(Window(since), lambda _: next(pages) >= MOST_PAGES))
    if next(pages) > MOST_PAGES:
        since = min(run.started for run in finished)
    started = sum(run.started >= since for run in (*active, *finished))
    return Load(
        jobs=jobs,
        active_runs=len(active),
        runs_per_hour=started / max((now - since) / RECENT, SHORTEST_SHARE),
    )


def _warehouse(
    client: Client, workspace: WorkspaceSettings, principal: Principal, patience: Patience
) -> tuple[WarehouseFacts | None, tuple[Finding, ...]]:
    """What is known of the warehouse without starting it."""
    if not workspace.warehouse_id:
        return None, (Finding(subject="system tables", outcome=Outcome.OFF, told=WITHOUT_WAREHOUSE),)
    client.start_deadline(patience.api.total_seconds())
    try:
        facts = inspection.warehouse(client, workspace.warehouse_id)
    except Unreadable as failure:
        return None, (missing("warehouse", failure, remedies.another_warehouse(workspace)),)
    except Refused as failure:
        return None, (missing("warehouse", failure, remedies.use_warehouse(workspace, principal)),)
    except SourceError as failure:
        return None, (failed("warehouse", failure),)
    if facts.gone:
        return None, (missing("warehouse", "it is deleted", remedies.another_warehouse(workspace)),)
    stops = (
        f"stops after {facts.auto_stop // MINUTE} min without use"
        if facts.auto_stop
        else "never stops by itself"
    )
    return facts, (ok("warehouse", f"{facts.name}, {facts.state.lower()}, {stops}"),)


def _tables(
    connection: Connection, workspace: WorkspaceSettings, principal: Principal, patience: Patience
) -> Sequence[Finding]:
    """Whether the warehouse lets us in, and what it lets us read; starts it."""
    probe = Probe(
        connection, workspace.warehouse_id or "", principal=principal.name, catalog=workspace.system_catalog
    )
    trials: list[Trial] = []  # what was tried before a failure stays in them
    queries: list[Trial] = []
    first: tuple[Finding, ...] = ()
    last: tuple[Finding, ...] = ()
    try:
        with probe.session(patience.warehouse.total_seconds()):
            first = (ok("CAN USE", "on the warehouse"),)
            trials += probe.try_tables()
            queries += probe.try_queries({trial.subject for trial in trials if not trial.failure})
    except Refused as failure:
        last = (missing("CAN USE", failure, remedies.use_warehouse(workspace, principal)),)
    except SourceError as failure:
        last = (failed("system tables", failure),)
    return (*first, *_tried(trials, queries, workspace, principal), *last)


def _tried(
    trials: Sequence[Trial], queries: Sequence[Trial], workspace: WorkspaceSettings, principal: Principal
) -> Iterator[Finding]:
    """What came of trying the tables and the queries."""
    mending = tuple(remedies.tables(trials, workspace, principal))
    for trial in trials:
        subject = f"{workspace.system_catalog}.{trial.subject}"
        match trial.failure:
            case None:
                yield ok(subject, "readable")
            case Ungranted() if trial.right:
                yield missing(subject, f"{trial.right.privilege} is missing", *mending)
            case Ungranted():
                yield missing(subject, "missing, not enabled or not granted", *mending)
            case failure:
                yield missing(subject, failure, remedies.query(workspace))
    for trial in queries:
        if trial.failure:
            yield missing(f"query {trial.subject}", trial.failure, remedies.query(workspace))
    if queries and not any(trial.failure for trial in queries):
        yield ok("queries", ", ".join(trial.subject for trial in queries))


def _pace(settings: Settings) -> Pace:
    polling = settings.polling
    return Pace(
        active=polling.active_interval,
        definitions=polling.definitions_interval,
        overlap=polling.overlap,
        lookback=polling.lookback,
        lookback_interval=polling.lookback_interval,
    )
