"""One live poll of a busy workspace: time, processor and requests of the polls after the first."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, at_intervals, middle
from benchmarks.programs import simulator, write_config
from collector.config import load
from collector.live import live
from collector.poll import execute
from collector.wiring import collectors
from simulator.client import Control


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """A live poll as the collector does it, while the workspace goes on."""
    runs, latency, interval, times = (60, 0.0, 0.2, 2) if quick else (2000, 0.1, 5.0, 7)
    wall, processor, requests, changed, seen = [], [], [], [], []
    with (
        tempfile.TemporaryDirectory(prefix="bench-poll-") as folder,
        simulator(
            jobs=20 if quick else 500,
            active_runs=runs,
            latency=latency,
            mean_duration=1800,
            history_hours=1,
        ) as host,
    ):
        config = write_config(
            Path(folder), host, active_interval=f"{round(interval * 1000)}ms", stale_after="1m"
        )
        control = Control(host)
        with collectors(load(config, {})) as built:
            desk = built.workspaces[0].live
            for number in at_intervals(interval, times + 1):
                control.requests(reset=True)
                began, used = time.perf_counter(), time.process_time()
                poll = execute(desk, live)
                if poll is None or poll.error:
                    raise RuntimeError(f"the poll failed: {poll}")
                if number:
                    wall.append(time.perf_counter() - began)
                    processor.append(time.process_time() - used)
                    requests.append(control.requests()["requests_since_reset"])
                    changed.append(poll.changed)
                    seen.append(poll.seen)
    note = f"{max(seen)} runs, {min(changed)}–{max(changed)} ended per poll"
    yield middle("live poll, wall", wall, "s", most=2.0, note=note)
    yield middle("live poll, processor", processor, "s", most=0.6)
    yield middle("live poll, requests", requests, "requests", most=100)
