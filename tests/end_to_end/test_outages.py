"""What ends while nobody looks, because the exporter or the API is down, is counted once when they are back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.core.snapshot import WorkspaceSnapshot
from collector.rounds import Collectors
from collector.wiring import collectors
from simulator import Options, Simulator
from tests.end_to_end.collecting import catch_up, failures, round_of, settings, snapshot
from tests.truth import counted, differences, expected, jobs_expected, jobs_shown

OPTIONS = Options(
    jobs=20,
    active_runs=4,
    seed=5,
    manual=True,
    start=datetime(2026, 3, 2, 12, tzinfo=UTC),
    history=timedelta(0),
    mean_duration=timedelta(minutes=10),
    failure_rate=0.4,
    repair_rate=0.7,
    repair_delay=timedelta(hours=1),
    long_rate=0,
    job_changes_per_hour=0,  # the series of jobs that are deleted early would expire within the test
)
POLLING = {"lookback": "3d", "overlap": "10m"}
"""The look back reaches the start of every run that somebody repairs here."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def live_on(simulator: Simulator, built: Collectors, span: timedelta, step: timedelta = 4 * MINUTE) -> None:
    """Time passes, with a round of polls after each step."""
    for _ in range(span // step):
        simulator.advance(step)
        assert set() == failures(round_of(built))


def pass_unseen(simulator: Simulator, span: timedelta) -> None:
    """Time passes while nobody looks."""
    for _ in range(span // HOUR):
        simulator.advance(HOUR)


def account(simulator: Simulator, workspace: WorkspaceSnapshot) -> tuple[dict[str, Any], dict[str, Any]]:
    """Truth since the counters began, and how the store's counters and jobs differ from it."""
    truth = simulator.truth(workspace.horizon)
    return truth, {
        **differences(expected(truth), counted(workspace)),
        **differences(jobs_expected(truth), jobs_shown(workspace)),
    }


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def test_a_restart_after_a_day_counts_what_ended_meanwhile_exactly_once(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Runs and repairs of a day without exporter, repairs of runs that failed before it among them, are in the counters."""
    store = (
        f"sqlite:///{tmp_path}/store.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    )
    with Simulator(OPTIONS) as simulator:
        given = settings(tmp_path, simulator, store, **POLLING)
        with collectors(given, now=simulator.now) as built:
            round_of(built)
            live_on(simulator, built, 2 * HOUR)
            catch_up(built)
        down = simulator.now()
        before = simulator.truth(snapshot(store).workspaces[0].horizon)

        pass_unseen(simulator, timedelta(days=1))
        with collectors(given, now=simulator.now) as built:
            catch_up(built)
            live_on(simulator, built, 20 * MINUTE)
            simulator.advance(HOUR)  # for the look back: repairs shorter than a step show nowhere else
            catch_up(built)

        workspace = snapshot(store).workspaces[0]
        truth, different = account(simulator, workspace)
        seen = {
            str(run.run_id)
            for run in simulator.world.runs.values()
            if run.started_ms < down.timestamp() * 1000
        }
        repaired = {
            str(run.run_id)
            for run, attempt in simulator.world.finished
            if attempt.repair_id and attempt.ended_ms > down.timestamp() * 1000
        }

    assert {} == different
    assert len(workspace.active_runs) == truth["totals"]["active"]
    assert truth["totals"]["attempts_finished"] > 5 * before["totals"]["attempts_finished"] > 0
    assert seen & repaired, (
        "no run of before the outage was repaired during it: the test shows less than it says"
    )


def test_an_outage_of_the_api_leaves_no_gap_in_the_counters(tmp_path: Path) -> None:
    """Two hours of errors, in a process that stays up: nothing is counted meanwhile, and all of it afterwards."""
    store = f"sqlite:///{tmp_path}/store.db"
    with (
        Simulator(OPTIONS) as simulator,
        collectors(settings(tmp_path, simulator, store, **POLLING), now=simulator.now) as built,
    ):
        round_of(built)
        live_on(simulator, built, HOUR)
        catch_up(built)
        before = counted(snapshot(store).workspaces[0])
        simulator.control.fault("error", status=503)
        failed = []
        for _ in range(2):
            pass_unseen(simulator, HOUR)
            failed += round_of(built)
        during = counted(snapshot(store).workspaces[0])

        simulator.control.clear_faults()
        catch_up(built)

        _, different = account(simulator, snapshot(store).workspaces[0])

    assert {"unreachable"} == {poll.error for poll in failed}
    assert before == during
    assert {} == different


def test_a_second_restart_counts_nothing_again(tmp_path: Path) -> None:
    """A restart reads again what it has read, and the counters stay."""
    store = f"sqlite:///{tmp_path}/store.db"
    with Simulator(OPTIONS) as simulator:
        given = settings(tmp_path, simulator, store, **POLLING)
        with collectors(given, now=simulator.now) as built:
            round_of(built)
            live_on(simulator, built, HOUR)
            catch_up(built)
        before = counted(snapshot(store).workspaces[0])

        with collectors(given, now=simulator.now) as built:
            catch_up(built)

        _, different = account(simulator, snapshot(store).workspaces[0])

    assert before == counted(snapshot(store).workspaces[0])
    assert {} == different
