"""Whether a long past makes anything slower: the same work over a store with many runs and one with few."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import stores
from benchmarks.measure import Figure, span
from benchmarks.programs import simulator, write_config
from collector.config import load
from collector.desk import Desk
from collector.live import live
from collector.poll import execute
from collector.wiring import collectors
from exporter.options import ExporterOptions
from exporter.pages import Pages, Variant
from exporter.reading import late_store

SIZES = ("few", "many")


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """Both stores in turn, over one workspace: a poll, then the scrape that shows what it brought."""
    jobs, active, numbers, times = (20, 20, (50, 200), 3) if quick else (1000, 2000, (10_000, 1_000_000), 12)
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory(prefix="bench-scale-") as name,
        simulator(jobs=jobs, active_runs=active, mean_duration=600, history_hours=0) as host,
        ExitStack() as stack,
    ):
        benches = {}
        for size, finished in zip(SIZES, numbers, strict=True):
            folder = Path(name, size)
            folder.mkdir()
            config = write_config(folder, host, max_requests_per_second=1000)
            stores.begin(config)
            stores.fill(folder / "store.db", finished=finished)
            built = stack.enter_context(collectors(load(config, {})))
            store = stack.enter_context(late_store(f"sqlite:///{folder}/store.db"))
            benches[size] = (
                built.workspaces[0].live,
                Pages(store, ExporterOptions(), lambda: datetime.now(UTC)),
            )
        for number in range(times + 2):
            for size, (desk, pages) in benches.items():
                timed = _poll_and_scrape(desk, pages)
                # the first polls read more than the others
                if number >= 2:
                    for what, sample in timed.items():
                        samples[what, size].append(sample)
    for what in timed:
        few, many = (samples[what, size] for size in SIZES)
        yield Figure(
            what=f"{what}, {numbers[1]} runs in the store ÷ {numbers[0]}",
            value=median(many) / median(few),
            unit="×",
            most=1.3,
            note=f"ms: {span(many, 1000)} and {span(few, 1000)}",
        )


def _poll_and_scrape(desk: Desk, pages: Pages) -> dict[str, float]:
    """Seconds of each."""
    began = time.perf_counter()
    poll = execute(desk, live)
    polled = time.perf_counter()
    if poll is None or poll.error:
        raise RuntimeError(f"the poll failed: {poll}")
    pages.refresh()
    if pages.made(Variant()) is None:
        raise RuntimeError("there is no page")
    return {"poll": polled - began, "page after a poll": time.perf_counter() - polled}
