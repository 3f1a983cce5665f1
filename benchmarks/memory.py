"""How much memory the program takes at its largest: many jobs, a large page, a long past, polls and scrapes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import stores
from benchmarks.client import Scraper, page, series
from benchmarks.measure import Figure, at_intervals, middle
from benchmarks.programs import Program, exporter, free_port, simulator, write_config


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """One process that collects and serves; `max_jobs` makes the page as large as it is meant to be."""
    jobs, active, finished, max_jobs, scrapes = (
        (20, 10, 100, 10, 2) if quick else (10_000, 2000, 1_000_000, 3300, 40)
    )
    with (
        tempfile.TemporaryDirectory(prefix="bench-memory-") as name,
        simulator(jobs=jobs, active_runs=active, mean_duration=600, history_hours=0) as host,
    ):
        folder, port = Path(name), free_port()
        config = write_config(
            folder, host, port=port, max_jobs=max_jobs, active_interval="2s", max_requests_per_second=1000
        )
        stores.begin(config)
        stores.fill(folder / "store.db", finished=finished)
        with exporter(config, port) as running, Scraper(port, gzip=True) as scraper:
            samples = []
            for _ in at_intervals(0.05 if quick else 1.0, scrapes):
                scraper.time()
                samples.append(mebibytes(running, "VmRSS"))
            largest = mebibytes(running, "VmHWM")
            note = f"{series(page(port))} series, {jobs} jobs, {finished} finished runs"
    yield middle("resident memory, median", samples, "MiB", note=note)
    yield Figure(what="resident memory, at its largest", value=largest, unit="MiB", most=350.0, note=note)


def mebibytes(running: Program, field: str) -> float:
    """A size that Linux tells of the process."""
    status = Path(f"/proc/{running.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{field}:")) / 1024
