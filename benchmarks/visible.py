"""From a change in the workspace to the page that shows it, while the workspace is busy and slow."""

import random
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import stores
from benchmarks.client import Scraper
from benchmarks.measure import Figure, at_intervals, span
from benchmarks.programs import exporter, free_port, simulator, wait_until, write_config
from simulator.client import Control

JOB = "visible"
ACTIVE = re.compile(
    rf'^databricks_job_active_runs{{[^}}]*job_name="{JOB}"[^}}]*}} (\S+)$'.encode(), re.MULTILINE
)


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """Runs start and end at moments spread over the poll interval; the page is asked until it shows that."""
    active, latency, interval, changes = (20, 0.0, 0.3, 2) if quick else (2000, 0.1, 5.0, 16)
    dice = random.Random(5)
    samples = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-visible-") as name,
        simulator(
            jobs=20 if quick else 500,
            active_runs=active,
            latency=latency,
            mean_duration=1800,
            history_hours=0,
        ) as host,
    ):
        folder, port, control = Path(name), free_port(), Control(host)
        control.create_job(JOB)
        config = write_config(
            folder, host, port=port, active_interval=f"{round(interval * 1000)}ms", stale_after="1m"
        )
        stores.begin(config)
        with exporter(config, port), Scraper(port) as scraper:
            wait_until(lambda: _shown(scraper) == 0)
            for number in range(changes):
                for _ in at_intervals(dice.uniform(0, interval), 2):
                    pass
                expected = 1 - number % 2
                if expected:
                    control.start(f"run {number}", JOB)
                else:
                    control.finish(f"run {number - 1}")
                began = time.perf_counter()
                wait_until(lambda: _shown(scraper) == expected, every=0.05)  # noqa: B023 – called at once
                samples.append(time.perf_counter() - began)
    yield Figure(
        what="change in Databricks to visible on /metrics, longest",
        value=max(samples),
        unit="s",
        most=interval + 1,
        samples=tuple(samples),
        note=f"s: {span(samples)}, median {median(samples):.3g}, polls every {interval:g} s",
    )


def _shown(scraper: Scraper) -> float | None:
    found = ACTIVE.search(scraper.body())
    return float(found[1]) if found else None
