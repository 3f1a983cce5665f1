"""`python -m simulator`: serve a simulated workspace until SIGTERM or SIGINT."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta

from simulator.options import Options
from simulator.server import Simulator


def parser() -> argparse.ArgumentParser:
    """The command line."""
    usual = Options()
    made = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Serve a simulated Databricks workspace. Everything in it is invented.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = made.add_argument
    add("--host", default="127.0.0.1", help="address to listen on; control is answered on loopback only")
    add("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    add("--jobs", type=int, default=usual.jobs, help="jobs in the workspace")
    add("--active-runs", type=int, default=usual.active_runs, help="active runs at a time; 0: nothing moves")
    add("--latency", type=float, default=usual.latency, help="seconds that each answer takes")
    add("--seed", type=int, default=usual.seed, help="the same seed invents the same workspace")
    add("--speed", type=float, default=usual.speed, help="simulated seconds per real second")
    add("--history-hours", type=float, default=24.0, help="how far back finished runs reach")
    add("--history-runs", type=int, default=usual.history_runs, help="at most so many runs in the history")
    add("--mean-duration", type=float, default=120.0, help="typical length of a run in seconds")
    add("--max-runs", type=int, default=None, help="start no more than so many runs")
    add("--failure-rate", type=float, default=usual.failure_rate, help="part of the runs that fail, about")
    add(
        "--repair-rate",
        type=float,
        default=usual.repair_rate,
        help="part of the failed runs that is repaired",
    )
    add("--token", action="append", default=None, help="personal access token to accept; may be repeated")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes."""
    given = parser().parse_args(arguments)
    options = Options(
        jobs=given.jobs,
        active_runs=given.active_runs,
        latency=given.latency,
        seed=given.seed,
        speed=given.speed,
        history=timedelta(hours=given.history_hours),
        history_runs=given.history_runs,
        mean_duration=timedelta(seconds=given.mean_duration),
        max_runs=given.max_runs,
        failure_rate=given.failure_rate,
        repair_rate=given.repair_rate,
        tokens=tuple(given.token or Options().tokens),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Simulator(options, host=given.host, port=given.port) as simulator:
        print(f"simulated workspace on {simulator.url} token {simulator.token}", flush=True)  # noqa: T201  (its only word)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
