"""Two collectors over one PostgreSQL store: one polls, and the other takes over when it is killed."""

import signal
import time
from datetime import timedelta
from pathlib import Path

from simulator import Options, Simulator
from tests.end_to_end.collecting import snapshot, wait_until
from tests.end_to_end.program import Program, configured, started
from tests.end_to_end.program import workspace as signed_in
from tests.truth import counted, differences, expected, jobs_expected, jobs_shown

INTERVAL_S = 2.0
OPTIONS = Options(jobs=0, active_runs=0, history=timedelta(0))


def polls(program: Program) -> int:
    """How many live polls it logged."""
    return program.said.count("collector=live")


def test_one_collector_polls_and_a_standby_takes_over(tmp_path: Path, postgres_url: str) -> None:
    """While the holder lives, the standby does not poll; soon after its death it does; nothing is counted twice."""
    with Simulator(OPTIONS) as simulator:
        control = simulator.control
        control.create_job("orders", max_concurrent_runs=10)
        for name in ("before", "meanwhile", "afterwards"):
            control.start(name, "orders")
        config = configured(
            tmp_path,
            signed_in(tmp_path, simulator.url, simulator.token),
            store={"url": postgres_url},
            polling={"active_interval": f"{INTERVAL_S}s", "lookback_interval": "1s"},
        )
        with (
            started(tmp_path, "collect", "--config", config, name="first") as first,
            started(tmp_path, "collect", "--config", config, name="second") as second,
        ):
            wait_until(lambda: polls(first) + polls(second) > 1)
            holder, standby = (first, second) if polls(first) else (second, first)
            control.finish("before", "FAILED")
            wait_until(lambda: _finished(postgres_url) == 1)
            idle = polls(standby)
            holder.stop(signal.SIGKILL)
            killed = time.monotonic()
            control.finish("meanwhile", "FAILED")
            control.start("short", "orders")
            control.finish("short")
            wait_until(lambda: polls(standby) > 0)
            waited = time.monotonic() - killed
            control.finish("afterwards")
            wait_until(lambda: _finished(postgres_url) == 4)
            workspace = snapshot(postgres_url).workspaces[0]
            truth = simulator.truth(workspace.horizon)

    assert 0 == idle
    assert waited < 2 * INTERVAL_S + 1  # a lease of one, the next look of the standby, and the poll itself
    assert {} == differences(expected(truth), counted(workspace))
    assert {} == differences(jobs_expected(truth), jobs_shown(workspace))


def _finished(store: str) -> int:
    """How many attempts the store has counted and knows the details of."""
    return sum(counted(snapshot(store).workspaces[0])["finished"].values())
