"""The passes over the system tables: what the second reads of what the first did, and how long both take."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, seconds
from benchmarks.programs import simulator, write_config
from collector.config import load
from collector.core.model import Measure
from collector.definitions import definitions
from collector.live import live
from collector.poll import execute
from collector.rounds import Collectors
from collector.store.engine import open_store
from collector.store.reader import Reader
from collector.wiring import collectors
from simulator.api import WAREHOUSE_ID


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """Both bursts of a process that meets a workspace with a past of forty days."""
    jobs, runs = (10, 100) if quick else (300, 20_000)
    with (
        tempfile.TemporaryDirectory(prefix="bench-passes-") as name,
        simulator(jobs=jobs, active_runs=10, history_hours=40 * 24, history_runs=runs) as host,
    ):
        config = write_config(
            Path(name),
            host,
            warehouse=WAREHOUSE_ID,
            max_requests_per_second=1000,
            billing_interval="1s",
            system_tables_interval="1s",
        )
        with collectors(load(config, {})) as built:
            (workspace,) = built.workspaces
            execute(workspace.definitions, definitions)
            execute(workspace.live, live)
            first_s = seconds(lambda: _burst(built))
            first = _rows(Path(name))
            second_s = seconds(lambda: _burst(built))
            second = _rows(Path(name)) - first
    note = f"{second} rows in {second_s:.2g} s after {first} rows in {first_s:.3g} s"
    yield Figure(
        what="second pass, rows ÷ those of the first", value=second / first, unit="×", most=0.05, note=note
    )
    yield Figure(what="first pass, time per 1,000 rows", value=1000 * first_s / first, unit="s", note=note)


def _burst(built: Collectors) -> None:
    """Both passes, as if they were due; raises when one fails."""
    for workspace in built.workspaces:
        workspace.live.memory.read.clear()
    polls = [poll for workspace in built.workspaces for poll in built.burst(workspace)]
    failed = [poll for poll in polls if poll is None or poll.error]
    if failed or len(polls) < 2:
        raise RuntimeError(f"a pass failed: {failed}")


def _rows(folder: Path) -> int:
    """Rows that the warehouse gave so far, as the exporter counts them."""
    engine = open_store(f"sqlite:///{folder}/store.db", read_only=True)
    try:
        (workspace,) = Reader(engine).snapshot().workspaces
    finally:
        engine.dispose()
    return sum(counter.value for counter in workspace.counters[Measure.WAREHOUSE_ROWS])
