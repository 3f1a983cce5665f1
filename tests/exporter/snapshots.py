"""Hand-made snapshots: name only what matters, the rest is plausible. Nothing here touches a store."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from collector.core.bill import bill
from collector.core.model import Agreement, Budget, Measure, Named, Spending, Target
from collector.core.snapshot import (
    ActiveRun,
    Bill,
    CollectorState,
    CounterValue,
    JobFacts,
    Snapshot,
    SourceState,
    WorkspaceSnapshot,
)
from exporter.exposition import Format, Renderer
from exporter.options import ExporterOptions
from exporter.view import view
from tests.make import NOON, at, make_job, make_usage

Counters = Mapping[Measure, tuple[CounterValue, ...]]


def options(**given: Any) -> ExporterOptions:
    """The defaults, with versions that do not change from release to release."""
    return ExporterOptions(**({"version": "1.2.3", "python_version": "3.11.0"} | given))


def text(shown: Snapshot, now: datetime = NOON, *, form: Format = Format.TEXT, **given: Any) -> str:
    """The page of the catalogue alone, without what the client library adds about the process."""
    return Renderer(process=False).page(view(shown, options(**given), now), form).decode()


def snapshot(*workspaces: WorkspaceSnapshot, **given: Any) -> Snapshot:
    """A store with the workspaces."""
    return Snapshot(**({"revision": 1, "born": at(-86400), "workspaces": workspaces} | given))


def workspace(*jobs: JobFacts, **given: Any) -> WorkspaceSnapshot:
    """The workspace `prod`, polled two seconds before noon."""
    fields = {
        "name": "prod",
        "host": "https://prod.example.com",
        "workspace_id": "1001",
        "horizon": at(-86400),
        "collectors": (collector(),),
        "jobs": jobs,
    }
    return WorkspaceSnapshot(**(fields | given))


def collector(name: str = "live", **given: Any) -> CollectorState:
    """A collector whose latest poll succeeded two seconds before noon."""
    fields: dict[str, Any] = {
        "collector": name,
        "interval": timedelta(seconds=5),
        "last_start": at(-2.4),
        "last_duration": timedelta(seconds=0.4),
        "last_success": at(-2),
        "error": "",
        "message": "",
    }
    return CollectorState(**(fields | given))


def source(name: str, **given: Any) -> SourceState:
    """A query on the system tables that was answered when it was last asked."""
    return SourceState(**({"source": name, "newest": None, "error": "", "message": ""} | given))


def facts(job_id: str = "7", name: str = "orders", **given: Any) -> JobFacts:
    """A job with a definition that has not run yet."""
    definition = given.pop("definition", {})
    fields: dict[str, Any] = {"job": make_job(job_id=job_id, name=name, **definition)}
    return JobFacts(job_id=job_id, name=name, **(fields | given))


def active(run_id: str = "501", **given: Any) -> ActiveRun:
    """A run of job 7 that has been running for a minute."""
    fields: dict[str, Any] = {
        "run_id": run_id,
        "job_id": "7",
        "run_type": "JOB_RUN",
        "trigger": "PERIODIC",
        "name": "orders",
        "url": "",
        "state": "RUNNING",
        "queue_reason": "",
        "started": at(-60),
    }
    return ActiveRun(**(fields | given))


def counter(value: int, *labels: str, job_id: str = "", **given: Any) -> CounterValue:
    """A counter with its labels in the order of the measure."""
    return CounterValue(job_id=job_id, labels=labels, value=value, **given)


def rich() -> Snapshot:
    """Two workspaces that share a job id, with something to show for every family."""
    return snapshot(_prod(), _lab(), rows={"runs": 1200, "attempts": 1300}, size_bytes=4_194_304)


def _prod() -> WorkspaceSnapshot:
    orders = facts(
        definition={
            "tags": {"team": "sales", "costCenter": "17"},
            "trigger_type": "SCHEDULE",
            "quartz_cron_expression": "0 0 6 * * ?",
            "timezone_id": "Europe/Berlin",
            "format": "MULTI_TASK",
            "queueing": True,
            "max_concurrent_runs": 3,
            "timeout": timedelta(hours=2),
        },
        agreement=Agreement(
            target=Target(sla=timedelta(minutes=45), source="tag"),
            team=Named(name="sales", source="tag"),
            owner=Named(name="Ada", source="config"),
            budget=Budget(dbus=Decimal("1500.5"), source="tag"),
        ),
        last_start=at(-60),
        last_end=at(-600),
        last_result="FAILED",
        last_duration=timedelta(seconds=1800.25),
        last_success=at(-7200),
        consecutive_failures=2,
        median=timedelta(minutes=20),
        p90=timedelta(minutes=31),
        observations=58,
    )
    awkward = facts(
        "12",
        'a "quoted" \\ name\nin two lines – ümläut',
        definition={"paused": True, "continuous": True, "expected_duration": timedelta(minutes=5)},
        agreement=Agreement(target=Target(sla=timedelta(minutes=5), source="health_rule")),
        last_result="CANCELED",
        last_end=at(-30),
    )
    undefined = facts("20", "seen only running", job=None, last_result="SUCCESS", last_end=at(-90))
    deleted = facts("30", "gone", deleted=at(-3600), last_result="FAILED", consecutive_failures=1)
    return workspace(
        orders,
        awkward,
        undefined,
        deleted,
        collectors=(
            collector(),
            collector("definitions", interval=timedelta(minutes=5), error="throttled", message="HTTP 429"),
            collector("lookback", interval=timedelta(hours=1), last_success=None, error="unreachable"),
        ),
        active_runs=(
            active("501"),
            active("502", state="QUEUED", queue_reason="MAX_CONCURRENT_RUNS_REACHED", started=at(-40)),
            active("503", state="QUEUED", queue_reason="A_NEW_REASON", started=at(-30)),
            active("601", job_id="9000001", run_type="SUBMIT_RUN"),
            active("602", job_id="30", state="DREAMING"),
        ),
        counters=_prod_counters(),
        sources=(
            source("run_timeline", newest=at(-1800)),
            source(
                "usage", newest=at(-36000), error="refused", message="GRANT SELECT ON SCHEMA system.billing"
            ),
        ),
        bill=_prod_bill(),
    )


def _prod_bill() -> Bill:
    """Job 7 with and without a price, over a month end; a job that is deleted, one-time runs, and what belongs to none."""
    serverless = {"sku": "JOBS_SERVERLESS_COMPUTE", "job_id": "12"}
    usage = (
        *(make_usage(f"{day}.5", f"{day}.05", day=date(2026, 2, day)) for day in range(21, 27)),
        make_usage("40.25", "6.0375"),
        make_usage("3", None, sku="A_NEW_SKU"),
        make_usage("2", "0.7", **serverless, day=date(2026, 2, 25)),
        make_usage("-0.5", "-0.175", **serverless),
        make_usage("7", "1.05", job_id="30"),
        make_usage("9", "1.35", job_id="9000001"),
        make_usage("12.125", "8.4875", job_id="", product="SQL", sku="SERVERLESS_SQL_COMPUTE"),
        make_usage("512", "11.776", job_id="", product="DEFAULT_STORAGE", sku="STORAGE", unit="DSU"),
        make_usage("64", None, job_id="", product="NETWORKING", sku="EGRESS", unit="GB"),
    )
    spending = (
        Spending(job_id="7", dbus=Decimal("81.75"), success=at(-7200.4)),
        Spending(job_id="20", dbus=Decimal("1.25"), success=None),
    )
    return bill(usage, {"JOBS": Decimal("0.2")}, NOON, spending=spending, jobs={"7", "12", "20", "30"})


def _prod_counters() -> Counters:
    failed = {"run_id": "480", "value_ms": 1_800_250, "at": at(-600)}
    return {
        Measure.RUNS_STARTED: (counter(61, "PERIODIC", "JOB_RUN"), counter(2, "ONE_TIME", "SUBMIT_RUN")),
        Measure.RUNS_FINISHED: (
            counter(2, "SUCCESS"),
            counter(58, "SUCCESS", job_id="7", run_id="470", value_ms=1_200_000, at=at(-7200)),
            counter(2, "FAILED", job_id="7", **failed),
            counter(1, "PARTLY_CLOUDY", job_id="7"),
            counter(1, "FAILED", job_id="30"),
        ),
        Measure.TERMINATIONS: (
            counter(60, "SUCCESS", "SUCCESS"),
            counter(3, "RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
            counter(1, "A_NEW_CODE", "A_NEW_TYPE"),
        ),
        Measure.DURATION_SUM: (counter(72_000_250, job_id="7"),),
        Measure.DURATION_COUNT: (counter(60, job_id="7"),),
        Measure.DURATION_BUCKET: (
            counter(20, "SUCCESS", "600"),
            counter(38, "SUCCESS", "1200"),
            counter(2, "FAILED", "3600", **failed),
            counter(1, "PARTLY_CLOUDY", "+Inf"),
        ),
        Measure.DURATION_BUCKET_SUM: (
            counter(68_400_000, "SUCCESS"),
            counter(3_600_250, "FAILED"),
            counter(90_000_000, "PARTLY_CLOUDY"),
        ),
        Measure.JOB_DURATION_BUCKET: (counter(20, "600", job_id="7"), counter(40, "3600", job_id="7")),
        Measure.PHASE_TIME: (
            counter(30_500, "queue", job_id="7"),
            counter(120_000, "setup", job_id="7"),
            counter(70_000_000, "execution", job_id="7"),
        ),
        Measure.REPAIRS: (counter(3, job_id="7"),),
        Measure.TASK_RETRIES: (counter(4, job_id="7"),),
        Measure.TASK_RUNS_FINISHED: (counter(58, "load", "SUCCESS", job_id="7"),),
        Measure.SLA_BREACHES: (counter(1, job_id="7"),),
        Measure.UNKNOWN_VALUES: (counter(1, "result"),),
        Measure.UNREADABLE_ITEMS: (counter(2, "live"),),
        Measure.API_REQUESTS: (counter(900, "runs/list", "200"), counter(3, "runs/list", "429")),
        Measure.COLLECTOR_ERRORS: (counter(3, "definitions", "throttled"),),
        Measure.POLLS_MISSED: (counter(5, "live"),),
        Measure.RUNS_RECOVERED: (counter(2),),
        Measure.WAREHOUSE_QUERIES: (counter(40, "run_timeline", "ok"), counter(1, "usage", "refused")),
        Measure.WAREHOUSE_TIME: (counter(61_250, "run_timeline"),),
        Measure.WAREHOUSE_ROWS: (counter(12_000, "run_timeline"),),
    }


def _lab() -> WorkspaceSnapshot:
    return workspace(
        facts("7", "experiment"),
        name="lab",
        host="https://lab.example.com",
        workspace_id="1002",
        collectors=(collector(last_success=at(-3600), error="refused", message="HTTP 403"),),
        active_runs=(active("501"),),
        counters={Measure.RUNS_FINISHED: (counter(4, "SUCCESS", job_id="7"),)},
    )
