"""The promise that everything stands on: whatever is killed whenever, the counters equal the truth."""

import multiprocessing
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from collector.store.engine import StoreError
from collector.wiring import collectors
from simulator.api import WAREHOUSE_ID
from simulator.client import Control
from simulator.options import Options
from simulator.server import Simulator
from tests.end_to_end.collecting import SimulatedTime, settings, snapshot, time_of, wait_until
from tests.truth import counted, differences, expected, jobs_expected, jobs_shown

FAULTS = (
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503},
    {"kind": "throttled"},
    {"kind": "reset"},
    {"kind": "truncated"},
    {"kind": "invalid_json"},
    {"kind": "html", "status": 200},
    {"kind": "slow", "seconds": 0.3},
)


def collect_for_ever(config: Path, now: SimulatedTime) -> None:
    """A collector as `collect` runs it, until it is killed."""
    from collector.config import load  # noqa: PLC0415 – only the child needs it

    with collectors(load(config, {}), now=now) as built:
        built.schedule().start()
        threading.Event().wait()


def live_and_die(folder: Path, now: SimulatedTime, seconds: float, *, looked: Callable[[], bool]) -> None:
    """Start a collector, let it work so long and until the condition holds, kill it without warning."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["collector.wiring"])
    child = context.Process(target=collect_for_ever, args=(folder / "config.toml", now))
    child.start()
    try:
        child.join(seconds)
        wait_until(looked)
        assert child.is_alive(), "the collector ended by itself"
    finally:
        child.kill()
        child.join()


def has_looked(store: str) -> bool:
    """True when a live poll was committed."""
    try:
        return any(
            state.last_success
            for state in snapshot(store).workspaces[0].collectors
            if state.collector == "live"
        )
    except (StoreError, IndexError):
        return False  # not made yet


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_counters_equal_the_truth_over_kills_faults_and_repairs(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Runs with repairs, retries and short lives, live polls that race with passes over the system tables, faults of
    every kind, and SIGKILLs at random moments.
    """
    full = request.config.getoption("--full")
    runs, kills = (10_000, 50) if full else (1_000, 8)
    store = (
        f"sqlite:///{tmp_path}/store.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    )
    dice = random.Random(7)
    options = Options(
        jobs=100,
        active_runs=400,
        seed=11,
        speed=20,
        max_runs=runs,
        mean_duration=timedelta(minutes=1),
        failure_rate=0.3,
        repair_rate=0.8,
        repair_delay=timedelta(seconds=30),
        history=timedelta(0),
        long_rate=0,
        skip_rate=0,  # the system tables say SKIPPED of what the Jobs API tells apart
        table_lag=timedelta(seconds=40),  # so that passes and live polls race
    )

    with Simulator(options) as simulator:
        control, now = Control(simulator.url), time_of(simulator)
        given = settings(
            tmp_path,
            simulator,
            store,
            warehouse=WAREHOUSE_ID,
            overlap="3m",
            lookback_interval="30m",
            system_tables_interval="1s",
        )
        for fault in FAULTS:
            control.fault(**fault, probability=0.002)
        for _ in range(kills):
            # counting begins with the first look; after it, any moment will do
            live_and_die(tmp_path, now, dice.uniform(0.3, 1.6), looked=lambda: has_looked(store))
        wait_until(lambda: control.truth()["totals"]["runs"] >= runs, 600)
        control.clear_faults()
        control.pause()
        while control.truth()["totals"]["active"]:
            control.advance(timedelta(hours=3).total_seconds())
        now = time_of(simulator)
        with collectors(given, now=now) as built:
            wait_until(
                lambda: all(poll and poll.complete and not poll.changed for _, poll in list(built.once())),
                240,
            )
        workspace = snapshot(store).workspaces[0]
        truth = control.truth(since_ms=round(workspace.horizon.timestamp() * 1000))

    assert {} == differences(expected(truth), counted(workspace))
    assert {} == differences(jobs_expected(truth), jobs_shown(workspace))
    assert truth["totals"]["active"] == 0
    assert truth["totals"]["attempts_finished"] > runs / 2
    assert sum(truth["repairs"].values()) > runs / 100
