"""From what happens in a workspace to what people are told: each alert arrives, and each ends with its cause.

The real program, a real Prometheus with the shipped rules and a real Alertmanager with the shipped routes.
All lengths of time in rules and routes are divided by 60, which `tests/monitoring/test_sooner.py` shows to be the only
difference: a second here is a minute there. The runs, schedules and outages of the story are as much shorter.
Only money takes months: its workspace lives in simulated time, its collector runs here, and `serve` shows its store.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.config import load
from collector.rounds import Collectors
from collector.wiring import collectors
from simulator import Control, Options, Simulator
from simulator.api import WAREHOUSE_ID
from tests.end_to_end.alerting import Watch, watch
from tests.end_to_end.collecting import failures, round_of, wait_until
from tests.end_to_end.program import Program, configured, started, workspace
from tests.programs import program_named

NOTHING_BY_ITSELF = Options(jobs=0, active_runs=0, history=timedelta(0))
IN_MARCH = Options(
    jobs=0,
    active_runs=0,
    history=timedelta(0),
    manual=True,
    start=datetime(2026, 3, 5, 6, tzinfo=UTC),
    late_rate=0,
    correction_rate=0,
)
POLLING = {"active_interval": "200ms", "definitions_interval": "300ms", "stale_after": "1s"}
HOUR = timedelta(hours=1)
OF_TEAM = {"team": "data"}
ABOUT_JOBS = ("DatabricksJob", "DatabricksQueue", "DatabricksWorkspaceRunLimit", "DatabricksFailure")
"""How alerts begin that are not about the exporter, which rightly calls a clock of March stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finance:
    """A workspace in simulated time, and its collector."""

    simulator: Simulator
    built: Collectors

    def work(self, name: str, hours: int) -> None:
        """A run of the job that has a budget; it uses about 6.5 DBUs an hour."""
        self.simulator.control.start(name, "invoices")
        self.simulator.advance(hours * HOUR)
        self.simulator.control.finish(name)

    def later(self, days: int) -> None:
        """Days pass, and what they cost is known."""
        self.simulator.advance(days * 24 * HOUR)
        assert set() == failures(round_of(self.built))


@contextmanager
def finance(folder: Path) -> Iterator[tuple[Finance, Program]]:
    """The workspace, and the page about it."""
    folder.mkdir()
    with Simulator(IN_MARCH) as simulator:
        of = workspace(folder, simulator.url, simulator.token, name="finance")
        config = configured(folder, of | {"warehouse_id": WAREHOUSE_ID})
        simulator.control.create_job("invoices", tags=OF_TEAM | {"budget_monthly_dbus": "30"})
        with (
            collectors(load(config, {}), now=simulator.now) as built,
            started(folder, "serve", "--config", config) as program,
        ):
            yield Finance(simulator=simulator, built=built), program


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Control, Control, Finance, Watch]]:
    """Two workspaces of now, one of March, and whoever is told about them."""
    with (
        Simulator(NOTHING_BY_ITSELF) as production,
        Simulator(NOTHING_BY_ITSELF) as lab,
        finance(folder / "finance") as (of_march, serve),
    ):
        config = configured(
            folder,
            workspace(folder, production.url, production.token, name="production"),
            workspace(folder, lab.url, lab.token, name="lab"),
            polling=POLLING,
        )
        with (
            started(folder, "run", "--config", config) as run,
            watch(folder, run.address, serve.address) as told,
        ):
            # no run was ever turned away: what counts them has begun at 0
            counts = 'workspace:databricks_runs_rejected:sum{workspace=~"production|lab"} == 0'
            wait_until(lambda: len(told.asked(counts)) == 2, 30)
            yield production.control, lab.control, of_march, told


def fail(control: Control, job: str, run: str) -> None:
    """The job fails once."""
    control.start(run, job)
    control.finish(run, "FAILED")


def in_seconds(seconds: int) -> str:
    """A schedule of once a day, at the time that it is then."""
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    return f"{due:%-S %-M %-H} * * ?"


@pytest.mark.full  # at a sixtieth of the true times it still takes most of a minute
def test_each_alert_arrives_where_it_belongs_and_ends_with_its_cause(tmp_path: Path) -> None:
    """A job fails twice, a run passes its SLA, a schedule is missed, queues fill, a budget is passed, the API goes away."""
    program_named("prometheus")
    program_named("prometheus-alertmanager")
    with watched(tmp_path) as (production, lab, of_march, told):
        # everything begins to go wrong
        production.create_job("orders", tags=OF_TEAM)
        fail(production, "orders", "fails")
        production.create_job("report", tags=OF_TEAM | {"sla_minutes": "0.35"})
        production.start("takes long", "report")
        schedule = {
            "quartz_cron_expression": in_seconds(12),
            "timezone_id": "UTC",
            "pause_status": "UNPAUSED",
        }
        production.create_job("nightly", schedule=schedule)
        production.create_job("loads", tags=OF_TEAM, queue={"enabled": True})
        production.start("goes on", "loads")
        production.start("waits", "loads", state="QUEUED", code="MAX_CONCURRENT_RUNS_REACHED")
        production.start("is turned away", "loads")
        production.finish("is turned away", "SKIPPED", code="MAX_JOB_QUEUE_SIZE_EXCEEDED")
        lab.create_job("copy", tags=OF_TEAM)
        lab.start("has no room", "copy", state="QUEUED", code="ACTIVE_RUNS_LIMIT_REACHED")

        # money: at this pace the budget will not last, then it is passed, then a new month begins
        of_march.work("first", 2)
        of_march.later(3)
        told.wait_for("DatabricksJobBudgetAtRisk", workspace="finance", job_name="invoices")
        of_march.work("second", 10)
        of_march.later(2)
        told.wait_for("DatabricksJobBudgetExceeded", workspace="finance", job_name="invoices")
        of_march.later(25)

        # what has fired early is mended early
        told.wait_for("DatabricksQueueFull", workspace="production")
        told.wait_for("DatabricksJobFailing", job_name="orders")
        fail(production, "orders", "fails again")
        told.wait_for("DatabricksJobFailingRepeatedly", job_name="orders")
        production.start("succeeds", "orders")
        production.finish("succeeds")
        told.wait_for("DatabricksWorkspaceRunLimitReached", workspace="lab")
        lab.state("has no room", "RUNNING")
        lab.fault("error", status=503)
        told.wait_for("DatabricksCollectorStale", workspace="lab", collector="live")
        lab.clear_faults()
        told.wait_for("DatabricksJobSlaBreached", job_name="report")
        production.finish("takes long")
        told.wait_for("DatabricksJobNotStarted", job_name="nightly")
        production.start("comes late", "nightly")
        told.wait_for("DatabricksJobQueuedTooLong", job_name="loads")
        production.finish("goes on")
        production.state("waits", "RUNNING")

        arrived = {
            (letter.alert, letter.labels["workspace"], letter.labels.get("job_name", ""), letter.receiver)
            for letter in tuple(told.letters)
            # on a slow machine the exporter itself, which has no workspace, may be missed for some of these short minutes
            if letter.alert.startswith(ABOUT_JOBS) or letter.labels.get("workspace") == "lab"
        }
        expected = {
            ("DatabricksJobFailing", "production", "orders", "digest"),
            ("DatabricksJobFailingRepeatedly", "production", "orders", "team-data"),
            ("DatabricksJobSlaAtRisk", "production", "report", "team-data"),
            ("DatabricksJobSlaBreached", "production", "report", "team-data-on-call"),
            ("DatabricksJobNotStarted", "production", "nightly", "platform"),
            ("DatabricksJobQueuedTooLong", "production", "loads", "team-data"),
            ("DatabricksQueueFull", "production", "", "on-call"),
            ("DatabricksWorkspaceRunLimitReached", "lab", "", "platform"),
            ("DatabricksCollectorStale", "lab", "", "on-call"),
            ("DatabricksJobBudgetAtRisk", "finance", "invoices", "team-data"),
            ("DatabricksJobBudgetExceeded", "finance", "invoices", "team-data"),
        }
        assert expected == arrived

        # the end of what is said once a day, and of what something worse keeps quiet, is not a letter of its own
        for alert, where, job, receiver in sorted(expected):
            if receiver != "digest" and not alert.endswith("AtRisk"):
                which = {"job_name": job} if job else {}
                assert receiver == told.wait_for(alert, "resolved", workspace=where, **which).receiver
        names = "|".join(sorted({alert for alert, *_ in expected}))
        wait_until(lambda: not told.asked(f'ALERTS{{alertname=~"{names}",workspace!="finance"}}'), 30)
        wait_until(lambda: not told.asked('ALERTS{alertname=~"DatabricksJob.*"}'), 30)

    (spent,) = told.told("DatabricksJobBudgetExceeded")
    assert re.search(r"has used 2\d\d(\.\d+)?% of its monthly budget", spent.annotations["description"])
    assert spent.annotations["runbook_url"].endswith("docs/runbook.md#databricksjobbudgetexceeded")
