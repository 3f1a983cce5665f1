"""Pages as the exporter renders them, from jobs that have everything that a job can have. Knows no store and no network."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from collector.core.bill import WINDOWS, complete_until
from collector.core.model import Agreement, Budget, Collector, Job, Measure, Named, Target
from collector.core.snapshot import (
    ActiveRun,
    Amount,
    Bill,
    CollectorState,
    CounterValue,
    JobBill,
    JobFacts,
    Snapshot,
    WorkspaceSnapshot,
)
from exporter.exposition import Format, Renderer
from exporter.options import ExporterOptions
from exporter.view import view

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACTIVE, FAILING, LONG = 5, 50, 100
"""One job in so many runs, fails, or runs past its SLA."""
TEAMS = 20


def page(jobs: int) -> bytes:
    """The page of now about a workspace with so many jobs, all with schedule, SLA, budget, team, past and cost."""
    now = datetime.now(UTC)
    ids = [str(number) for number in range(1, jobs + 1)]
    collectors = tuple(
        CollectorState(
            collector=collector.value,
            interval=5 * MINUTE,
            last_start=now,
            last_duration=timedelta(seconds=1),
            last_success=now,
            error="",
            message="",
        )
        for collector in Collector
    )
    workspace = WorkspaceSnapshot(
        name="production",
        host="https://dbc-0a1b2c3d-4e5f.cloud.databricks.com",
        workspace_id="4711",
        horizon=now - 30 * DAY,
        collectors=collectors,
        active_runs=tuple(_run(job_id, now) for job_id in ids[::ACTIVE]),
        jobs=tuple(_job(job_id, now) for job_id in ids),
        counters={
            Measure.RUNS_FINISHED: tuple(_count(job_id, 58, "SUCCESS") for job_id in ids),
            Measure.REPAIRS: tuple(_count(job_id, 3) for job_id in ids),
            Measure.TASK_RETRIES: tuple(_count(job_id, 4) for job_id in ids),
        },
        bill=Bill(
            made=now,
            complete_until=complete_until(now),
            jobs={job_id: _bill(now) for job_id in ids},
            products=(),
        ),
    )
    shown = Snapshot(revision=1, born=now - 30 * DAY, workspaces=(workspace,))
    options = ExporterOptions(stale_after=DAY)
    return Renderer(process=False).page(view(shown, options, now), Format.TEXT)


def _job(job_id: str, now: datetime) -> JobFacts:
    number = int(job_id)
    failing = number % FAILING == 0
    return JobFacts(
        job_id=job_id,
        name=f"etl {job_id}",
        job=Job(
            job_id=job_id,
            name=f"etl {job_id}",
            trigger_type="SCHEDULE",
            quartz_cron_expression=f"0 {number % 60} 6 * * ?",
            timezone_id="Europe/Berlin",
            queueing=True,
        ),
        defined=now - 30 * DAY,
        agreement=Agreement(
            target=Target(sla=HOUR, source="tag"),
            budget=Budget(dbus=Decimal(100), source="tag"),
            team=Named(name=f"team {number % TEAMS}", source="tag"),
        ),
        last_start=now - 5 * HOUR,
        last_end=now - 4 * HOUR,
        last_result="FAILED" if failing else "SUCCESS",
        last_duration=HOUR / 2,
        last_success=now - 2 * DAY if failing else now - 4 * HOUR,
        consecutive_failures=2 if failing else 0,
        median=HOUR / 3,
        p90=HOUR / 2,
        observations=30,
    )


def _run(job_id: str, now: datetime) -> ActiveRun:
    return ActiveRun(
        run_id=f"9{job_id}",
        job_id=job_id,
        run_type="JOB_RUN",
        trigger="PERIODIC",
        name=f"etl {job_id}",
        url="",
        state="RUNNING",
        queue_reason="",
        started=now - (2 * HOUR if int(job_id) % LONG == 1 else 10 * MINUTE),
    )


def _count(job_id: str, value: int, *labels: str) -> CounterValue:
    return CounterValue(job_id=job_id, labels=labels, value=value)


def _bill(now: datetime) -> JobBill:
    used = Amount(dbus=Decimal(12), unpriced=Decimal(0), costs=(("USD", Decimal(3)),))
    return JobBill(
        amounts=dict.fromkeys(WINDOWS, used),
        daily_p90=Decimal(4),
        since_success=Decimal(3),
        success=now - 4 * HOUR,
    )
