"""What the page shows while the API is dead: no live state that might be false, and every counter."""

from datetime import timedelta
from pathlib import Path

from collector.wiring import collectors
from simulator import Options, Simulator
from tests.end_to_end.collecting import Samples, page, round_of, settings

STALE_AFTER = timedelta(minutes=1)
LIVE = (
    "databricks_active_runs",
    "databricks_queued_runs",
    "databricks_job_active_runs",
    "databricks_job_queued_runs",
    "databricks_job_oldest_active_run_start_timestamp_seconds",
    "databricks_job_oldest_queued_run_timestamp_seconds",
)


def live_state(shown: Samples) -> Samples:
    """The gauges of live state."""
    return {key: number for key, number in shown.items() if key[0] in LIVE}


def the_rest(shown: Samples) -> Samples:
    """Everything else that is about jobs and runs."""
    return {
        key: number
        for key, number in shown.items()
        if key[0] not in LIVE and not key[0].startswith("databricks_exporter_")
    }


def test_live_gauges_go_after_stale_after_and_come_back_while_counters_stay(tmp_path: Path) -> None:
    """A dead API takes the live gauges off the page one minute after the last success, and nothing else."""
    store = f"sqlite:///{tmp_path}/store.db"
    options = Options(jobs=0, active_runs=0, manual=True, history=timedelta(0))
    with (
        Simulator(options) as simulator,
        collectors(settings(tmp_path, simulator, store), now=simulator.now) as built,
    ):
        control = simulator.control
        control.create_job("orders", max_concurrent_runs=5)
        control.start("runs on", "orders")
        control.start("waits", "orders", state="QUEUED", code="MAX_CONCURRENT_RUNS_REACHED")
        round_of(built)
        control.start("ends", "orders")
        control.finish("ends", "FAILED")
        simulator.advance(timedelta(seconds=5))
        round_of(built)
        alive = page(store, simulator.now(), STALE_AFTER)

        control.fault("error", status=500)
        simulator.advance(STALE_AFTER)
        errors = {poll.error for poll in round_of(built)}
        still = page(store, simulator.now(), STALE_AFTER)
        simulator.advance(timedelta(seconds=1))
        dead = page(store, simulator.now(), STALE_AFTER)
        control.clear_faults()
        round_of(built)
        again = page(store, simulator.now(), STALE_AFTER)

    assert {"unreachable"} == errors
    assert set(LIVE) == {name for name, _ in alive} & set(LIVE)
    assert live_state(alive) == live_state(still)
    assert {} == live_state(dead)
    assert the_rest(alive) == the_rest(still) == the_rest(dead) == the_rest(again)
    assert live_state(alive) == live_state(again)
