"""From starting the program to its first answer on `/-/ready`, over a store with a long past."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import stores
from benchmarks.measure import Figure, middle
from benchmarks.programs import exporter, free_port, simulator, write_config


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """The same store again and again, as after restarts."""
    jobs, finished, times = (20, 100, 1) if quick else (3290, 1_000_000, 5)
    samples = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-start-") as name,
        simulator(jobs=jobs, active_runs=jobs, mean_duration=3600, history_hours=0) as host,
    ):
        folder, port = Path(name), free_port()
        config = write_config(folder, host, port=port, max_requests_per_second=1000)
        stores.begin(config)
        stores.fill(folder / "store.db", finished=finished)
        for _ in range(times):
            began = time.perf_counter()
            with exporter(config, port):
                samples.append(time.perf_counter() - began)
    yield middle("start to ready", samples, "s", most=3.0, note=f"{finished} finished runs of {jobs} jobs")
