"""A store with something to tell for every endpoint, and the application over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
from fastapi import FastAPI

from collector.core.model import Agreement, Budget, Collector, Job, Named, Target
from collector.core.records import MASKED, Parameter, RepairDetail, RunDetails, TaskDetail
from collector.store.engine import open_store
from collector.store.reader import Reader
from collector.store.writer import Writer
from exporter.pages import Pages
from exporter.server import create_app, serving
from tests.exporter.snapshots import options
from tests.exporter.store import Clock
from tests.make import at, make_attempt, make_job, make_run, make_usage
from tests.store.conftest import make_poll, observe, watch

HOSTILE = '<script>alert("x")</script> \u202eمرحبا\u202c \'; DROP TABLE runs; --'
ACTIVE = ("RUNNING", "QUEUED", "PENDING")
DETAILS = RunDetails(
    tasks=(
        TaskDetail(
            run_id="901",
            task_key="extract",
            kind="notebook",
            state="TERMINATED",
            result="SUCCESS",
            started=at(-600),
            ended=at(-560),
            setup=timedelta(seconds=10),
            execution=timedelta(seconds=29),
            cleanup=timedelta(seconds=1),
            termination_code="SUCCESS",
        ),
        TaskDetail(
            run_id="902",
            task_key="load",
            depends_on=("extract",),
            attempt=1,
            repair_id="77",
            state="TERMINATED",
            result="FAILED",
            message=HOSTILE,
        ),
    ),
    parameters=(
        Parameter(name="db_password", value=MASKED),
        Parameter(name="day", value="today", default="x"),
    ),
    repairs=(
        RepairDetail(repair_id="77", state="TERMINATED", result="FAILED", started=at(-300), ended=at(-240)),
    ),
)


def fill(url: str) -> None:
    """Two workspaces: one with a past, one that was never reached."""
    engine = open_store(url)
    try:
        writer = Writer(engine)
        for name, workspace_id in (("production", "42"), ("lab", "")):
            host = f"https://{name}.example" if workspace_id else ""
            watch(writer, name, host=host, workspace_id=workspace_id, since=-86400)
        _production(writer)
    finally:
        engine.dispose()


def _production(writer: Writer) -> None:
    failed = make_attempt(started=at(-600), ended=at(-500), result="FAILED")
    repaired = make_attempt(started=at(-300), ended=at(-240), result="FAILED")
    observe(
        writer,
        make_run(
            failed,
            repaired,
            run_id="101",
            history=True,
            details=DETAILS,
            message=HOSTILE,
            url="https://run/101",
        ),
        *(make_run(make_attempt(started=at(-n), ended=at(1 - n)), run_id=f"{n}") for n in range(200, 205)),
        make_run(
            make_attempt(started=at(-50), ended=at(-40)), run_id="150", job_id="9001", run_type="SUBMIT_RUN"
        ),
        *(
            make_run(run_id=f"{500 + n}", state=ACTIVE[n % 3], started=at(-n), job_id="8" if n % 2 else "7")
            for n in range(6)
        ),
        workspace="production",
        now=-3,
    )
    orders = (
        make_job(
            creator="ada@example.com",
            created=at(-9000),
            format="MULTI_TASK",
            tags={"team": "sales"},
            trigger_type="SCHEDULE",
            quartz_cron_expression="0 0 6 * * ?",
            timezone_id="Europe/Berlin",
        ),
        Agreement(
            target=Target(sla=timedelta(minutes=45), source="tag"),
            budget=Budget(dbus=Decimal("1500.5"), source="tag"),
            team=Named(name="sales", source="tag"),
            owner=Named(name="Ada", source="config"),
        ),
    )
    jobs: dict[str, tuple[Job, Agreement]] = {"7": orders}
    jobs["8"] = (make_job(job_id="8", name=HOSTILE, periodic_interval=4, periodic_unit="HOURS"), Agreement())
    jobs |= {f"{n}": (make_job(job_id=f"{n}", name=f"job {n}"), Agreement()) for n in range(10, 14)}
    usage = [
        make_usage("1.5", "0.225", day=date(2026, 3, day), job_id=job_id)
        for day in (1, 2)
        for job_id in ("7", "8", "")
    ]
    with writer.transaction("production") as transaction:
        transaction.save_jobs(jobs, now=at(-100))
        transaction.record(make_poll(collector=Collector.DEFINITIONS, started=at(-100)))
        transaction.save_usage(
            [*usage, make_usage("64", None, job_id="", product="NETWORKING", sku="OUT", unit="GB")]
        )
        transaction.save_source("usage", watermark=at(-1000), newest=at(-40_000))
        transaction.record(
            make_poll(collector=Collector.BILLING, started=at(-1000), interval=timedelta(hours=1))
        )


@contextmanager
def application(folder: Path, clock: Clock, *, on_databricks_apps: bool = False) -> Iterator[FastAPI]:
    """The application over the filled store."""
    url = f"sqlite:///{folder}/api.db"
    fill(url)
    engine = open_store(url, read_only=True)
    try:
        reader = Reader(engine)
        pages = Pages(reader, options(), clock)
        pages.refresh()
        yield create_app(pages, reader, records=reader, on_databricks_apps=on_databricks_apps)
    finally:
        engine.dispose()


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """Somebody who asks over a real socket."""
    with serving(app, "127.0.0.1", 0) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
