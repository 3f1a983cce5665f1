"""How long the API takes for all active runs of a busy workspace, while polls are under way."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import stores
from benchmarks.client import Scraper
from benchmarks.measure import Figure, at_intervals, middle, percentile
from benchmarks.programs import exporter, free_port, simulator, write_config

PATH = "/api/jobs-api/active"


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """Ten questions in a second, while the collector polls every second."""
    active, times = (20, 3) if quick else (2000, 100)
    with (
        tempfile.TemporaryDirectory(prefix="bench-api-") as name,
        simulator(jobs=20 if quick else 500, active_runs=active, mean_duration=1800, history_hours=0) as host,
    ):
        folder, port = Path(name), free_port()
        config = write_config(
            folder, host, port=port, active_interval="1s", stale_after="1m", max_requests_per_second=1000
        )
        stores.begin(config)
        with exporter(config, port), Scraper(port, PATH) as asker:
            samples = [asker.time() * 1000 for _ in at_intervals(0.1, times)]
            size = len(asker.last)
    note = f"99 %: {percentile(samples, 99):.3g} ms; {size} bytes"
    yield middle(f"{PATH} with {active} active runs, polls under way", samples, "ms", most=100, note=note)
