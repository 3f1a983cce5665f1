"""What the queries on the system tables give is the truth of the simulated workspace."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from collector.core.model import Attempt, Usage
from collector.sources.fields import EPOCH
from collector.sources.source import Unreadable
from collector.sources.statements import names, query
from simulator import Options, Simulator
from simulator.api import WAREHOUSE_ID
from simulator.warehouse import schema
from tests.sources.tables import EVER, asking, at, flat, tables_of, trigger_of, word
from tests.sources.workspace import connection_to, quiet, source_over

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO = date(2026, 1, 1)
WORLDS = {
    "through midnight": (1, datetime(2026, 11, 23, 21, tzinfo=UTC)),
    "clocks go back": (3, datetime(2026, 10, 24, 23, tzinfo=UTC)),
    "a month ends": (7, datetime(2026, 11, 30, 20, tzinfo=UTC)),
}


@pytest.fixture(scope="module", params=WORLDS.values(), ids=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """Days of a workspace in which everything happens, all of which has arrived; for reading only."""
    seed, start = request.param
    options = Options(
        manual=True, seed=seed, start=start, jobs=20, active_runs=4, history=timedelta(days=2), history_runs=100,
        long_rate=0.05, failure_rate=0.3, repair_rate=0.6, job_changes_per_hour=3, correction_rate=0.2,
    )  # fmt: skip
    with Simulator(options) as sim:
        sim.advance(6 * HOUR)
        _, job_id = sim.world.listed.keys[0]
        sim.control.delete_job(sim.world.jobs[job_id].name)
        sim.control.pause()
        sim.advance(8 * DAY)
        yield sim


@pytest.fixture
def workspace() -> Iterator[Simulator]:
    """A workspace with one job, in which nothing happens by itself."""
    with Simulator(quiet()) as sim:
        sim.control.create_job("nightly")
        yield sim


def finished(told: dict[str, Any]) -> tuple[Attempt, ...]:
    """The attempts of a run as the truth has them."""
    return tuple(
        Attempt(
            started=at(attempt["start_ms"]),
            ended=at(attempt["end_ms"]),
            duration=timedelta(milliseconds=attempt["duration_ms"]),
            result=word(attempt["result"]),
            termination_code=attempt["code"],
            termination_type=attempt["type"],
        )
        for attempt in told["history"]
    )


def recorded(sim: Simulator) -> dict[str, tuple[Attempt, ...]]:
    """Run id → attempts, of all runs of which one has arrived."""
    runs = sim.workspace.warehouse.engine.runs()
    return {run_id: attempts for run_id, told in runs.items() if (attempts := finished(told))}


def used(row: dict[str, Any]) -> Usage:
    """A row of the truth."""
    return Usage(
        day=date.fromisoformat(row["day"]),
        job_id=row["job_id"],
        product=row["product"],
        sku=row["sku"],
        unit=row["unit"],
        currency="" if row["cost"] is None else "USD",
        quantity=Decimal(row["quantity"]),
        cost=None if row["cost"] is None else Decimal(row["cost"]),
        newest=at(row["newest_ms"]),
    )


def by_key(rows: list[Usage]) -> list[Usage]:
    return sorted(rows, key=lambda row: (row.day, row.job_id, row.product, row.sku, row.unit, row.currency))


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_runs_are_those_of_the_truth(world: Simulator) -> None:
    """Every run has all its attempts, each whole, in the words of the Jobs API."""
    with asking(world) as tables:
        found = flat(tables.runs(*EVER))

    assert recorded(world) == {run.run_id: run.history for run in found}
    lengths = [attempt.duration for run in found for attempt in run.history or ()]
    assert max(lengths) > 3 * HOUR
    assert any(len(run.history or ()) > 1 for run in found)
    assert all(
        (run.latest, run.ended) == ((run.history or ())[-1], (run.history or ())[-1].ended) for run in found
    )


def test_runs_carry_what_describes_them(world: Simulator) -> None:
    """Job, type, name, trigger and start are those of the run."""
    with asking(world) as tables:
        found = flat(tables.runs(*EVER))

    for run in found:
        truth = world.world.runs[int(run.run_id)]
        assert (str(truth.job_id), truth.run_type, truth.name) == (run.job_id, run.run_type, run.name)
        assert (trigger_of(truth), at(truth.started_ms), "TERMINATED") == (
            run.trigger,
            run.started,
            run.state,
        )
    assert {"JOB_RUN", "SUBMIT_RUN"} <= {run.run_type for run in found}
    assert {"PERIODIC", "ONE_TIME"} <= {run.trigger for run in found}


def test_a_window_shows_the_runs_of_which_an_attempt_ended_in_it(world: Simulator) -> None:
    """The runs of each window are whole, an end at its border belongs to one of two windows."""
    truth = recorded(world)
    ends = sorted(attempt.ended for attempts in truth.values() for attempt in attempts)
    borders = [ends[0], *ends[:: len(ends) // 5][1:], EVER[1]]

    with asking(world) as tables:
        for since, until in pairwise(borders):
            found = flat(tables.runs(since, until))

            assert {
                run_id: attempts
                for run_id, attempts in truth.items()
                if any(since <= attempt.ended < until for attempt in attempts)
            } == {run.run_id: run.history for run in found}


def test_hours_count_attempts(world: Simulator) -> None:
    """Each clock hour has as many attempts as ended in it."""
    ends = [attempt.ended for attempts in recorded(world).values() for attempt in attempts]
    since = min(ends) + 7 * HOUR

    with asking(world) as tables:
        found = tables.hours(since)

    expected = Counter(end.replace(minute=0, second=0, microsecond=0) for end in ends if end >= since)
    assert expected == found


def test_a_run_of_more_than_a_day_is_whole(workspace: Simulator) -> None:
    """Its window holds the last minute of it, and its duration is all of it; a repair under way is not part of it."""
    control = workspace.control
    control.start("alpha", job="nightly")
    control.advance(30 * 3600 + 1800)
    control.finish("alpha", "FAILED")
    control.advance(1800)
    control.repair("alpha")
    control.advance(9 * 3600)
    now = workspace.now()

    with asking(workspace) as tables:
        (before,) = flat(tables.runs(now - 10 * HOUR, now))
        control.finish("alpha")
        control.advance(86_400)
        (after,) = flat(tables.runs(now - HOUR, EVER[1]))

    assert [timedelta(hours=30.5)] == [attempt.duration for attempt in before.history or ()]
    assert [timedelta(hours=30.5), 9 * HOUR] == [attempt.duration for attempt in after.history or ()]


def test_a_run_that_never_began_has_no_length(workspace: Simulator) -> None:
    """A skipped run is an attempt of zero length."""
    control = workspace.control
    control.start("alpha", job="nightly")
    control.finish("alpha", "SKIPPED", life_cycle="SKIPPED")
    control.advance(36_000)

    with asking(workspace) as tables:
        (run,) = flat(tables.runs(*EVER))

    assert [("SKIPPED", timedelta(0))] == [
        (attempt.result, attempt.duration) for attempt in run.history or ()
    ]


def test_what_has_arrived_is_true_at_every_moment() -> None:
    """A result that is late does not lend its hours to the repair that came before it."""
    options = Options(
        manual=True, seed=5, start=datetime(2026, 11, 23, 12, tzinfo=UTC), jobs=25, active_runs=6,
        history=timedelta(hours=12), history_runs=120, failure_rate=0.6, repair_rate=0.9, long_rate=0.1, late_rate=0.4,
    )  # fmt: skip
    with Simulator(options) as sim, asking(sim) as tables:
        for _ in range(4):
            sim.advance(97 * timedelta(minutes=1))

            found = {run.run_id: run.history for run in flat(tables.runs(*EVER))}

            assert recorded(sim) == found


def test_batches_do_not_cut_runs(world: Simulator) -> None:
    """However few rows come at a time, each run and each group of usage is in one batch, and none is missing."""
    with asking(world, batch=25) as tables:
        runs = flat(tables.runs(*EVER))
        usage = list(tables.usage(LONG_AGO, LONG_AGO))

    assert recorded(world) == {run.run_id: run.history for run in runs}
    assert len(runs) == len({run.run_id for run in runs})
    keys = [{(row.day, row.job_id, row.product, row.sku, row.unit) for row in batch} for batch in usage]
    assert len(set().union(*keys)) == sum(map(len, keys))
    assert len(keys) > 3


def test_task_runs_are_those_of_the_truth(world: Simulator) -> None:
    """Each task run of the wanted runs has its result and end; of others there is none."""
    wanted = sorted(recorded(world))[::2]
    expected = {
        (str(run.run_id), str(task.run_id), task.spec.key, word(task.ending.word), at(task.ended_ms))
        for run, attempt in world.world.finished
        for task in attempt.tasks
        if str(run.run_id) in wanted
    }

    with asking(world) as tables:
        found = flat(tables.task_runs(wanted))

    assert expected == {
        (task.job_run_id, task.run_id, task.task_key, task.result, task.ended) for task in found
    }
    assert len(expected) == len(found)


def test_many_runs_are_asked_about_in_portions(world: Simulator) -> None:
    """A list of ids of any length is a few statements of bounded size; none is no statement."""
    wanted = [str(number) for number in range(4_500)] + sorted(recorded(world))[:3]

    with asking(world) as tables:
        assert {*wanted[-3:]} == {task.job_run_id for task in flat(tables.task_runs(wanted))}
        assert not flat(tables.task_runs([]))

    assert {("task_runs", "ok"): 3} == tables.take_tally().queries


# ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_definitions_are_those_of_the_jobs_api(world: Simulator) -> None:
    """Every job is as `jobs/list` shows it, but for what the tables do not have; deleted ones come with their end."""
    api = source_over(connection_to(world.url))
    listed = {job.job_id: job for job in api.jobs()}
    api.close()

    with asking(world) as tables:
        found = {item.job.job_id: item for item in flat(tables.jobs(EPOCH))}

    assert {str(job_id) for job_id in world.world.jobs} == found.keys()
    assert listed.keys() == {job_id for job_id, item in found.items() if not item.deleted}
    for job_id, expected in listed.items():
        job, changed = found[job_id].job, found[job_id].changed
        if changed >= at(schema.NEWER_COLUMNS_MS):
            absent = {"format": "", "queueing": False, "max_concurrent_runs": 1}
            assert replace(expected, run_as=expected.creator, **absent) == job
        else:
            assert (expected.name, dict(expected.tags), None) == (job.name, dict(job.tags), job.created)
    kinds = {item.job.trigger_type for item in found.values()}
    assert {"SCHEDULE", "PERIODIC", "TABLE_UPDATE", ""} <= kinds
    assert any(item.deleted for item in found.values())
    assert not any(item.job.name.startswith("neighbour") for item in found.values())


def test_only_definitions_that_changed_are_told(workspace: Simulator) -> None:
    """An edit and a deletion show once the rows are there, and nothing else does."""
    control = workspace.control
    for name in ("edited", "deleted", "left alone"):
        control.create_job(name)
    control.advance(86_400)
    since = workspace.now()
    control.edit_job("edited", new_name="renamed", timeout_seconds=7)
    control.delete_job("deleted")
    control.advance(86_400)

    with asking(workspace) as tables:
        found = flat(tables.jobs(since))

    assert {("renamed", 7, None), ("deleted", 0, since)} == {
        (item.job.name, item.job.timeout.seconds, item.deleted) for item in found
    }


# ── usage ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_usage_is_that_of_the_truth(world: Simulator) -> None:
    """Net quantities and their cost at the prices of their time are exact to the last digit, 0 included.

    The last hour of a day ends when a new price begins: both prices are in one row.
    """
    with asking(world) as tables:
        found = flat(tables.usage(LONG_AGO, LONG_AGO))

    truth = world.workspace.warehouse.engine.changed_usage("2026-01-01", "2026-01-01")
    assert by_key([used(row) for row in truth]) == by_key(found)
    assert any(row.cost is None and row.quantity for row in found)
    assert any(not row.job_id for row in found)
    assert any(not row.quantity for row in found)


def test_only_usage_that_was_added_to_is_told_but_all_of_it(world: Simulator) -> None:
    """What came in, or was corrected, since a day is told as a whole; the other days and jobs are not."""
    start = world.options.start or EPOCH
    since, ingested_since = (start - DAY).date(), (start + 2 * DAY).date()

    with asking(world) as tables:
        found = flat(tables.usage(since, ingested_since))
        everything = flat(tables.usage(LONG_AGO, LONG_AGO))

    truth = world.workspace.warehouse.engine.changed_usage(since.isoformat(), ingested_since.isoformat())
    assert by_key([used(row) for row in truth]) == by_key(found)
    assert 0 < len(found) < len(everything)
    assert {row.day for row in found} > {max(row.day for row in found)}


@pytest.mark.parametrize("days", [2, 400])
def test_spending_is_that_of_the_truth(world: Simulator, days: int) -> None:
    """Each job's DBUs since its last success, of the days that are looked at, and that success."""
    since = (world.options.start or EPOCH).date() - days * DAY

    with asking(world) as tables:
        found = flat(tables.spending(since))

    truth = world.workspace.warehouse.engine.spending(since.isoformat())
    assert {
        job_id: (Decimal(told["dbus"]), at(told["success_ms"]) if told["success_ms"] else None)
        for job_id, told in truth.items()
    } == {item.job_id: (item.dbus, item.success) for item in found}
    assert found


# ── the tables as they may be ────────────────────────────────────────────────────────────────────────────────────


def ask_everything(tables: Any) -> None:
    tables.hours(EPOCH)
    flat(tables.runs(*EVER))
    flat(tables.task_runs(["1"]))
    flat(tables.jobs(EPOCH))
    flat(tables.usage(LONG_AGO, LONG_AGO))
    flat(tables.spending(LONG_AGO))


def test_every_query_is_asked_with_its_parameters(workspace: Simulator) -> None:
    """What is sent is what the headers declare, and each statement says whose it is."""
    with asking(workspace) as tables:
        ask_everything(tables)

    asked = {told["query_tags"].rpartition(":")[2]: told for told in workspace.control.warehouse()["recent"]}
    assert {*names()} == asked.keys()
    for name, told in asked.items():
        assert {*query(name).parameters} == told["parameters"].keys()
        assert query(name).text == told["statement"]
    assert {(name, "ok"): 1 for name in names()} == tables.take_tally().queries


def test_the_catalogue_may_have_another_name(workspace: Simulator) -> None:
    """A company shows the tables through views of its own."""
    workspace.control.set_warehouse(catalog="observability")

    with asking(workspace, catalog="observability") as tables:
        ask_everything(tables)

    assert {"ok"} == {outcome for _, outcome in tables.take_tally().queries}


def test_a_column_that_is_missing_is_named(workspace: Simulator) -> None:
    """The message says which query misses which column; what does not need it still works."""
    for table, column in (
        (schema.RUNS, "termination_type"),
        (schema.TASK_RUNS, "task_key"),
        (schema.JOBS, "health_rules"),
        (schema.PRICES, "pricing"),
    ):
        workspace.control.set_warehouse(drop_column=[table, column])

    with asking(workspace) as tables:
        for batches, message in (
            (
                tables.runs(*EVER),
                "run_timeline: system.lakeflow.job_run_timeline has no column `termination_type`",
            ),
            (
                tables.task_runs(["1"]),
                "task_runs: system.lakeflow.job_task_run_timeline has no column `task_key`",
            ),
            (tables.jobs(EPOCH), "jobs: system.lakeflow.jobs has no column `health_rules`"),
            (
                tables.usage(LONG_AGO, LONG_AGO),
                "usage: system.billing.usage or system.billing.list_prices has no column `pricing`",
            ),
        ):
            with pytest.raises(Unreadable) as caught:
                flat(batches)
            assert message == str(caught.value)
        assert {} == tables.hours(EPOCH)
        assert not flat(tables.spending(LONG_AGO))


def test_columns_that_nobody_needs_may_be_missing(workspace: Simulator) -> None:
    """Regions get new columns at different times."""
    for table, column in (
        (schema.RUNS, "run_duration_seconds"),
        (schema.RUNS, "compute"),
        (schema.TASK_RUNS, "termination_type"),
        (schema.JOBS, "deployment"),
        (schema.USAGE, "product_features"),
    ):
        workspace.control.set_warehouse(drop_column=[table, column])

    with asking(workspace) as tables:
        ask_everything(tables)

    assert {(name, "ok"): 1 for name in names()} == tables.take_tally().queries


def test_rows_from_before_the_newer_columns_are_read() -> None:
    """What is NULL in old rows is empty, and the rest is there."""
    with Simulator(quiet(start=datetime(2025, 11, 1, tzinfo=UTC))) as sim:
        sim.control.create_job("nightly", tags={"team": "ml"})
        sim.control.start("alpha", job="nightly")
        sim.control.advance(600)
        sim.control.finish("alpha", "FAILED")
        sim.control.advance(86_400)

        with asking(sim) as tables:
            (run,) = flat(tables.runs(*EVER))
            (item,) = flat(tables.jobs(EPOCH))

    assert ("FAILED", "RUN_EXECUTION_ERROR", "") == (
        run.latest and run.latest.result,
        run.latest and run.latest.termination_code,
        run.latest and run.latest.termination_type,
    )
    assert ("nightly", {"team": "ml"}, "", "", None) == (
        item.job.name,
        item.job.tags,
        item.job.creator,
        item.job.trigger_type,
        item.job.created,
    )


def test_without_the_id_of_the_workspace_nothing_is_asked(workspace: Simulator) -> None:
    """The tables show all workspaces of the region, and nobody shall see those."""
    with (
        asking(workspace, workspace_id=lambda: "") as tables,
        pytest.raises(Unreadable, match="does not tell its id"),
    ):
        tables.hours(EPOCH)

    assert 0 == workspace.control.warehouse()["statements"]


WITHOUT_PYARROW = """
import sys, warnings
sys.modules["pyarrow"] = None
from collector.sources.budget import Budget
from collector.sources.connection import Connection
from collector.sources.fields import EPOCH
from collector.sources.system_tables import SystemTables
from datetime import date, datetime
settings = {"host": sys.argv[1], "auth_type": "pat", "token": "simulated-token"}
tables = SystemTables(Connection(lambda: settings, Budget(1000)), sys.argv[2], lambda: "4711")
now, day = datetime(2100, 1, 1, tzinfo=EPOCH.tzinfo), date(2026, 1, 1)
with tables.session(30):
    for batches in (tables.runs(EPOCH, now), tables.jobs(EPOCH), tables.usage(day, day), tables.spending(day)):
        for batch in batches:
            print(*batch, sep="\\n")
"""


def test_pyarrow_is_not_needed(workspace: Simulator) -> None:
    """Installed without it, the connector gets columns instead of Arrow, and every value is the same."""
    workspace.control.start("alpha", job="nightly")
    workspace.control.advance(7 * 86_400)
    workspace.control.finish("alpha")
    workspace.control.advance(7 * 86_400)
    tables = tables_of(workspace)
    with tables.session(30):
        runs, jobs = flat(tables.runs(*EVER)), flat(tables.jobs(EPOCH))
        usage, spending = flat(tables.usage(LONG_AGO, LONG_AGO)), flat(tables.spending(LONG_AGO))

    command = [sys.executable, "-c", WITHOUT_PYARROW, workspace.url, WAREHOUSE_ID]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    assert [str(item) for item in (*runs, *jobs, *usage, *spending)] == told.splitlines()
    assert runs
    assert usage
