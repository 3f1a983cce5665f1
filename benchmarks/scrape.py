"""Scrapes of a large page: beside a static file, beside the client library's handler, and while polls commit."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import stores
from benchmarks.client import Scraper, page, series, value
from benchmarks.measure import Figure, at_intervals, percentile, span
from benchmarks.programs import exporter, free_port, simulator, wait_until, write_config
from benchmarks.rivals import library_handler, nginx, nginx_program

ENCODINGS = {"identity": False, "gzip": True}
SUCCESS = (
    'databricks_exporter_collector_last_success_timestamp_seconds{{collector="{}",workspace="production"}}'
)
Samples = dict[str, list[float]]
"""Seconds, by who answered and in which encoding."""


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """A store at rest first, then the same under polls whose interval is shortened and whose work is not."""
    jobs, active, latency, times = (30, 20, 0.0, 2) if quick else (3290, 2000, 0.1, 40)
    interval, scrapes = (0.2, 5) if quick else (2.0, 400)
    with (
        tempfile.TemporaryDirectory(prefix="bench-scrape-") as name,
        simulator(jobs=jobs, active_runs=active, mean_duration=100, history_hours=0, latency=latency) as host,
    ):
        folder, port = Path(name), free_port()
        stores.begin(write_config(folder, host, max_requests_per_second=1000))
        stores.fill(folder / "store.db", finished=2 * jobs)
        polling: dict[str, Any] = {"stale_after": "1d", "max_requests_per_second": 1000}
        config = write_config(folder, host, port=port, active_interval="1h", overlap="1h", **polling)
        started = time.time()
        with exporter(config, port):
            _wait_for_polls(port, started)
            rest = _at_rest(folder, port, times)
            size = f"{series(page(port))} series, {len(page(port)) / 1e6:.1f} MB"
        yield from _comparisons(rest, size)
        config = write_config(
            folder, host, port=port, active_interval=f"{round(interval * 1000)}ms", **polling
        )
        with exporter(config, port):
            busy, polls = _while_polling(port, scrapes, every=interval / 20)
        for encoding in ENCODINGS:
            yield Figure(
                what=f"scrape while polls commit, {encoding}, 99th percentile ÷ median at rest",
                value=percentile(busy[encoding], 99) / median(rest[encoding]),
                unit="×",
                most=5.0,
                note=f"ms: {span(busy[encoding], 1000)}, 99th {percentile(busy[encoding], 99) * 1000:.3g}, {polls} polls",
            )


def _wait_for_polls(port: int, started: float) -> None:
    """Returns when the polls since then are on the page; the next ones are far."""
    for collector in ("live", "definitions"):
        name = SUCCESS.format(collector)
        wait_until(lambda: (value(page(port), name) or 0) > started, every=0.2)  # noqa: B023 – called at once


def _at_rest(folder: Path, port: int, times: int) -> Samples:
    """The exporter and its rivals in turn, so that whatever else this machine does slows all of them."""
    samples: Samples = defaultdict(list)
    pages = folder / "pages"
    pages.mkdir()
    for encoding, gzip in ENCODINGS.items():
        (pages / encoding).write_bytes(page(port, gzip=gzip))
    with ExitStack() as stack:
        nginx_port = stack.enter_context(nginx(binary, pages)) if (binary := nginx_program()) else None
        for encoding, gzip in ENCODINGS.items():
            ours = stack.enter_context(Scraper(port, gzip=gzip))
            static = stack.enter_context(Scraper(nginx_port, f"/{encoding}")) if nginx_port else None
            for _ in range(times):
                samples[encoding].append(ours.time())
                if static:
                    samples[f"nginx {encoding}"].append(static.time())
    with library_handler(pages / "identity") as library_port, Scraper(library_port) as library:
        samples["library"] += (library.time() for _ in range(max(1, times // 10)))
    return samples


def _comparisons(rest: Samples, size: str) -> Iterator[Figure]:
    for encoding in ENCODINGS:
        if static := rest.get(f"nginx {encoding}"):
            yield Figure(
                what=f"scrape, {encoding}, ÷ static file from nginx",
                value=median(rest[encoding]) / median(static),
                unit="×",
                most=2.0,
                note=f"ms: {span(rest[encoding], 1000)} and {span(static, 1000)}; {size}",
            )
    yield Figure(
        what="scrape, identity, faster than the client library's handler",
        value=median(rest["library"]) / median(rest["identity"]),
        unit="×",
        least=50.0,
        note=f"ms: {span(rest['identity'], 1000)} and {span(rest['library'], 1000)}",
    )


def _while_polling(port: int, times: int, *, every: float) -> tuple[Samples, int]:
    """Scrapes in both encodings in turn, evenly spread over many polls; and how many polls they saw."""
    samples: Samples = defaultdict(list)
    seen = set()
    with ExitStack() as stack:
        scrapers = {
            encoding: stack.enter_context(Scraper(port, gzip=gzip)) for encoding, gzip in ENCODINGS.items()
        }
        for scraper in scrapers.values():
            scraper.body()
        for number in at_intervals(every, times):
            encoding = list(ENCODINGS)[number % len(ENCODINGS)]
            samples[encoding].append(scrapers[encoding].time())
            if encoding == "identity":
                seen.add(value(scrapers[encoding].last, SUCCESS.format("live")))
    return samples, len(seen)
