"""The system tables beside the live polls: they complete the counts, tell what was before, and what it cost."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collector.core.bill import exact
from collector.core.model import Collector, Measure, Poll
from collector.core.snapshot import Bill, WorkspaceSnapshot
from collector.live import live
from collector.poll import execute
from collector.rounds import Collectors
from collector.wiring import collectors
from simulator import Options, Simulator
from simulator.api import WAREHOUSE_ID
from tests.end_to_end.collecting import catch_up, failures, round_of, settings, snapshot
from tests.truth import Account, counted, differences, expected, jobs_expected, jobs_shown

OPTIONS = Options(
    jobs=20,
    active_runs=4,
    seed=5,
    manual=True,
    start=datetime(2026, 3, 2, 12, tzinfo=UTC),
    history=timedelta(0),
    mean_duration=timedelta(minutes=10),
    failure_rate=0.4,
    repair_rate=0.5,
    repair_delay=timedelta(hours=1),
    skip_rate=0,  # the tables say SKIPPED of what the Jobs API tells apart
    late_rate=0.2,
    job_changes_per_hour=0,  # the series of jobs that are deleted early would expire within the test
)
LATEST = timedelta(hours=12)
"""When every row has arrived, with the end of the runs that it tells of."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OF_THE_JOBS_API_ALONE = {"phases"}


def passes(built: Collectors) -> list[Poll]:
    """One burst of passes over the system tables that are due; none may be refused by the store."""
    (workspace,) = built.workspaces
    done = list(built.burst(workspace))
    assert None not in done
    return [poll for poll in done if poll]


def without(account: Account, sections: Iterable[str]) -> Account:
    """The account without these sections."""
    return {section: content for section, content in account.items() if section not in set(sections)}


def of_measure(workspace: WorkspaceSnapshot, measure: Measure) -> int:
    """The sum of the counters of a measure."""
    return sum(counter.value for counter in workspace.counters.get(measure, ()))


def attempts(truth: Mapping[str, Any]) -> int:
    """How many attempts finished."""
    return sum(sum(results.values()) for results in truth["runs_finished"].values())


def store_of(database: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty store."""
    return f"sqlite:///{folder}/store.db" if database == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def test_passes_bring_what_six_hours_without_live_polls_missed(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The next passes bring every counter that the tables can tell to the truth, and say how much they brought; the next
    live polls bring the phases, and count nothing twice.
    """
    store = store_of(database, request, tmp_path)
    with Simulator(OPTIONS) as simulator:
        given = settings(tmp_path, simulator, store, warehouse=WAREHOUSE_ID)
        with collectors(given, now=simulator.now) as built:
            for _ in range(20):
                simulator.advance(6 * MINUTE)
                assert set() == failures(round_of(built))
            catch_up(built)
            horizon = snapshot(store).workspaces[0].horizon
            live_until = attempts(simulator.truth(horizon))
            assert 0 == of_measure(snapshot(store).workspaces[0], Measure.RUNS_RECOVERED)

            for _ in range(6):
                simulator.advance(HOUR)
                assert set() == failures(passes(built))
            simulator.control.pause()
            simulator.advance(LATEST)
            passes(built)

            workspace, truth = snapshot(store).workspaces[0], simulator.truth(horizon)
            assert {} == differences(
                without(expected(truth), OF_THE_JOBS_API_ALONE),
                without(counted(workspace), OF_THE_JOBS_API_ALONE),
            )
            assert {} == differences(jobs_expected(truth), jobs_shown(workspace))
            missed = attempts(truth) - live_until
            assert missed > 100
            assert missed == of_measure(workspace, Measure.RUNS_RECOVERED)

            catch_up(built)

            workspace = snapshot(store).workspaces[0]
            assert {} == differences(expected(truth), counted(workspace))
            assert missed == of_measure(workspace, Measure.RUNS_RECOVERED)


def test_the_first_day_knows_what_was_before(tmp_path: Path) -> None:
    """Last success, failures in a row and medians are right as soon as the first pass has looked back; none of it counts."""
    lived = replace(
        OPTIONS,
        jobs=15,
        seed=8,
        history=timedelta(days=20),
        table_lag=timedelta(0),
        late_rate=0,
        future_rate=0,
        failure_rate=0.5,
    )
    with Simulator(lived) as simulator:
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID, lookback="1h")
        with collectors(given, now=simulator.now) as built:
            assert set() == failures(round_of(built))
            workspace = snapshot(given.store.url).workspaces[0]
        told = histories(simulator.control.table_runs())

    shown = {
        job.job_id: (job.last_success, job.consecutive_failures, job.median, job.observations)
        for job in workspace.jobs
        if job.last_end
    }
    assert len(shown) >= 14
    assert {job_id: told[job_id] for job_id in shown} == shown
    assert 0 == of_measure(workspace, Measure.RUNS_FINISHED)
    assert 0 == of_measure(workspace, Measure.RUNS_RECOVERED)


def histories(runs: Mapping[str, Any]) -> dict[str, tuple[datetime | None, int, timedelta | None, int]]:
    """Last success, failures since, median and number of successes, reckoned from the attempts of each job."""
    of_job: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs.values():
        of_job[run["job_id"]] += run["history"]
    return {job_id: history(done) for job_id, done in of_job.items()}


def history(done: Iterable[Mapping[str, Any]]) -> tuple[datetime | None, int, timedelta | None, int]:
    """The same of one job."""
    ordered = sorted(done, key=lambda attempt: attempt["end_ms"])
    succeeded = [item for item in ordered if item["result"] in {"SUCCESS", "SUCCESS_WITH_FAILURES"}]
    last_ms = succeeded[-1]["end_ms"] if succeeded else -1
    failed = {"FAILED", "TIMEDOUT", "INTERNAL_ERROR"}
    since = [item for item in ordered if item["end_ms"] > last_ms and item["result"] in failed]
    lengths = sorted(item["duration_ms"] for item in succeeded)
    return (
        datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=last_ms) if succeeded else None,
        len(since),
        timedelta(milliseconds=lengths[-(-len(lengths) // 2) - 1]) if lengths else None,
        len(lengths),
    )


def test_runs_of_hours_and_days_are_one_run_with_their_whole_duration(tmp_path: Path) -> None:
    """Hourly rows are merged before anything is counted, also over midnight."""
    with Simulator(OPTIONS) as simulator:
        simulator.control.pause()
        simulator.control.create_job("long")
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID)
        with collectors(given, now=simulator.now) as built:
            round_of(built)
            before = durations(snapshot(given.store.url).workspaces[0])
            for name, span in (
                ("hours", 5 * HOUR + 7 * MINUTE),
                ("days", 2 * DAY + HOUR + timedelta(seconds=3)),
            ):
                job_id = str(simulator.control.start(name, job="long")["job_id"])
                simulator.advance(span)
                simulator.control.finish(name)
            simulator.advance(LATEST)

            passes(built)

            after = durations(snapshot(given.store.url).workspaces[0])
    assert (0, 0) == before.get(job_id, (0, 0))
    assert (
        2,
        (2 * DAY + 6 * HOUR + 7 * MINUTE + timedelta(seconds=3)) // timedelta(milliseconds=1),
    ) == after[job_id]


def durations(workspace: WorkspaceSnapshot) -> dict[str, tuple[int, int]]:
    """Number and sum in milliseconds by job id."""
    counts, sums = (
        {counter.job_id: counter.value for counter in workspace.counters.get(measure, ())}
        for measure in (Measure.DURATION_COUNT, Measure.DURATION_SUM)
    )
    return {job_id: (count, sums[job_id]) for job_id, count in counts.items()}


def test_the_second_pass_reads_next_to_nothing(tmp_path: Path) -> None:
    """Five minutes after the first pass a second one reads at most one row in twenty of it."""
    lived = Options(
        jobs=40,
        active_runs=6,
        manual=True,
        start=OPTIONS.start,
        history=timedelta(days=14),
        history_runs=4000,
    )
    with Simulator(lived) as simulator:
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID, lookback="1h")
        with collectors(given, now=simulator.now) as built:
            round_of(built)
            first = of_measure(snapshot(given.store.url).workspaces[0], Measure.WAREHOUSE_ROWS)

            simulator.advance(5 * MINUTE)
            passes(built)

            both = snapshot(given.store.url).workspaces[0]
    assert first > 4000
    assert 0 < of_measure(both, Measure.WAREHOUSE_ROWS) - first <= first / 20


# ── what it cost ─────────────────────────────────────────────────────────────────────────────────────────────────


def in_window(truth: Mapping[str, Any], days: set[date]) -> list[dict[str, Any]]:
    """The rows of the truth that lie in the window."""
    return [row for row in truth["rows"] if date.fromisoformat(row["day"]) in days]


def total(rows: Iterable[Mapping[str, Any]]) -> Decimal:
    """DBUs of the rows."""
    with exact():
        return sum((Decimal(row["quantity"]) for row in rows if row["unit"] == "DBU"), Decimal(0))


def window_days(bill: Bill) -> dict[str, set[date]]:
    """The days of each window."""
    last = (bill.complete_until - DAY).date()
    return {
        window: {last - number * DAY for number in range(length)}
        for window, length in (("1d", 1), ("7d", 7), ("30d", 30), ("mtd", last.day))
    }


def bill_of(store: str) -> Bill:
    """The latest bill."""
    bill = snapshot(store).workspaces[0].bill
    assert bill
    return bill


def test_the_bill_is_the_truth_to_the_last_decimal(tmp_path: Path) -> None:
    """In every window jobs, what belongs to no job and what has no price add up to the total of the account's own books;
    a correction of last week changes last week's window and no counter.
    """
    lived = Options(
        jobs=25,
        active_runs=4,
        seed=3,
        manual=True,
        start=datetime(2026, 3, 25, 12, tzinfo=UTC),
        history=timedelta(days=9),
        correction_rate=0.3,
        job_changes_per_hour=0,
    )
    with Simulator(lived) as simulator:
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID)
        store = given.store.url
        with collectors(given, now=simulator.now) as built:
            simulator.advance(30 * HOUR)
            assert set() == failures(round_of(built))
            catch_up(built)
            check_bill(bill_of(store), simulator.control.usage())
            simulator.control.pause()
            for _ in range(30):
                simulator.advance(HOUR)
                passes(built)
            catch_up(built)
            before, bill = counted(snapshot(store).workspaces[0]), bill_of(store)
            usage_before = simulator.control.usage()

            simulator.advance(DAY)
            passes(built)

            corrected = simulator.control.usage()
            assert usage_before["total"] != corrected["total"]
            check_bill(bill_of(store), corrected)
            assert bill.products != bill_of(store).products
            assert before == counted(snapshot(store).workspaces[0])


def check_bill(bill: Bill, truth: Mapping[str, Any]) -> None:
    """Every window of the bill agrees with the truth, as a whole and part by part."""
    for window, days in window_days(bill).items():
        rows = in_window(truth, days)
        assert total(rows) > 0
        with exact():
            jobs = sum((job.amounts[window].dbus for job in bill.jobs.values()), Decimal(0))
            unpriced_of_jobs = sum((job.amounts[window].unpriced for job in bill.jobs.values()), Decimal(0))
            of_products = [item for item in bill.products if item.window == window and item.unit == "DBU"]
            unattributed = sum((item.quantity for item in of_products if not item.attributed), Decimal(0))
            unpriced = sum((item.quantity for item in of_products if not item.currency), Decimal(0))
            priced_unattributed = sum(
                (item.quantity for item in of_products if not item.attributed and item.currency), Decimal(0)
            )
            cost = sum(
                (item.cost for item in bill.products if item.window == window and item.cost), Decimal(0)
            )
            expected_cost = sum((Decimal(row["cost"]) for row in rows if row["cost"]), Decimal(0))

            assert total(rows) == jobs + unattributed
            assert total(rows) == (jobs - unpriced_of_jobs) + priced_unattributed + unpriced
            assert total(row for row in rows if not row["job_id"]) == unattributed
            assert total(row for row in rows if row["cost"] is None) == unpriced
            assert expected_cost == cost
        by_job: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            if row["job_id"]:
                by_job[row["job_id"] if row["job_id"] in bill.jobs else ""].append(row)
        assert {job_id: total(of_job) for job_id, of_job in by_job.items()} == {
            job_id: bill.jobs[job_id].amounts[window].dbus for job_id in by_job
        }


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_right_that_is_missing_disables_what_depends_on_it_and_nothing_else(tmp_path: Path) -> None:
    """It is named with its grant, tried again, and works once it is given."""
    with Simulator(OPTIONS) as simulator:
        simulator.control.revoke("SELECT", "billing.usage")
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID)
        with collectors(given, now=simulator.now) as built:
            polls = {poll.collector: poll for poll in round_of(built)}

            assert "" == polls[Collector.LIVE].error == polls[Collector.SYSTEM_TABLES].error
            assert "refused" == polls[Collector.BILLING].error
            assert "GRANT" in polls[Collector.BILLING].message
            assert "system.billing" in polls[Collector.BILLING].message
            sources = {state.source: state for state in snapshot(given.store.url).workspaces[0].sources}
            assert ("", "refused") == (sources["run_timeline"].error, sources["usage"].error)
            assert snapshot(given.store.url).workspaces[0].bill is None

            simulator.control.grant("SELECT", "billing.usage")
            simulator.advance(5 * MINUTE)

            assert set() == failures(passes(built))
            assert snapshot(given.store.url).workspaces[0].bill


def test_tables_of_a_schema_that_is_not_enabled_leave_the_rest_running(tmp_path: Path) -> None:
    """Without the run history there is still a bill, and live polls go on."""
    with Simulator(OPTIONS) as simulator:
        simulator.control.set_warehouse(disable="lakeflow")
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID)
        with collectors(given, now=simulator.now) as built:
            polls = {poll.collector: poll for poll in round_of(built)}

        assert "refused" == polls[Collector.SYSTEM_TABLES].error
        assert "" == polls[Collector.LIVE].error
        assert snapshot(given.store.url).workspaces[0].bill


@pytest.mark.parametrize("trouble", ["deleted", "slow", "failing"])
def test_trouble_with_the_warehouse_never_delays_live_polls(trouble: str, tmp_path: Path) -> None:
    """While a pass waits, fails or hangs, live polls go on as if there were no warehouse."""
    with Simulator(OPTIONS) as simulator:
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID)
        if trouble == "deleted":
            simulator.control.set_warehouse(deleted=True)
        if trouble == "slow":
            simulator.control.set_warehouse(statement_seconds=600)
        if trouble == "failing":
            simulator.control.fault("error", endpoint="/sql/", status=503)
        with collectors(given, now=simulator.now) as built:
            assert "" == polled(built).error
            thread = threading.Thread(target=passes_whatever_comes, args=(built,))
            thread.start()

            for _ in range(5):
                simulator.advance(MINUTE)
                assert "" == polled(built).error
        thread.join(timeout=30)
        assert not thread.is_alive()


def passes_whatever_comes(built: Collectors) -> None:
    """A burst that may fail."""
    (workspace,) = built.workspaces
    list(built.burst(workspace))


def polled(built: Collectors) -> Poll:
    """One live poll."""
    poll = execute(built.workspaces[0].live, live)
    assert poll
    return poll


def test_a_pass_before_the_first_live_poll_is_history(tmp_path: Path) -> None:
    """Counting begins with that poll; what a pass brings before is known, and counted nowhere."""
    with Simulator(OPTIONS) as simulator:
        given = settings(tmp_path, simulator, warehouse=WAREHOUSE_ID)
        with collectors(given, now=simulator.now) as built:
            simulator.advance(12 * HOUR)
            before = {poll.collector: poll.error for poll in passes(built)}
            history = {job.job_id: job.last_success for job in snapshot(given.store.url).workspaces[0].jobs}
            for _ in range(30):
                simulator.advance(6 * MINUTE)
                round_of(built)
            simulator.control.pause()
            simulator.advance(LATEST)
            catch_up(built)
            workspace = snapshot(given.store.url).workspaces[0]
            truth = simulator.truth(workspace.horizon)

    assert {Collector.SYSTEM_TABLES: "", Collector.BILLING: ""} == before
    assert any(history.values())
    assert {} == differences(expected(truth), counted(workspace))
