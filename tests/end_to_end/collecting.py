"""Runs the real collector against a simulated workspace, in simulated time."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from collector.config import Settings, load
from collector.core.model import Poll
from collector.core.snapshot import Snapshot
from collector.rounds import Collectors
from collector.store.engine import open_store
from collector.store.reader import Reader
from exporter.exposition import Format, Renderer
from exporter.options import ExporterOptions
from exporter.view import view
from simulator.server import Simulator

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by name and labels."""

CONFIG = """\
[store]
url = "{store}"

[polling]
{polling}

[metrics]
{metrics}

[[workspaces]]
name = "production"
host = "{host}"
token_file = "{token}"
warehouse_id = "{warehouse}"
"""
FAST = {"active_interval": "100ms", "stale_after": "10s", "max_requests_per_second": 2000}


@dataclass(frozen=True)
class SimulatedTime:
    """The workspace's clock, in any process of this machine."""

    at: datetime
    monotonic: float
    speed: float

    def __call__(self) -> datetime:
        return self.at + timedelta(seconds=(time.monotonic() - self.monotonic) * self.speed)


def time_of(simulator: Simulator) -> SimulatedTime:
    """Its clock, as long as nobody moves it."""
    speed = 0.0 if simulator.options.manual else simulator.options.speed
    return SimulatedTime(simulator.now(), time.monotonic(), speed)


def settings(
    folder: Path, simulator: Simulator, store: str = "", *, warehouse: str = "", **polling: object
) -> Settings:
    """Settings as a user would write them, with the secret in a file; the system tables only with a warehouse."""
    token = folder / "token"
    token.write_text(simulator.token, encoding="utf-8")
    config = folder / "config.toml"
    config.write_text(
        CONFIG.format(
            store=store or f"sqlite:///{folder}/store.db",
            host=simulator.url,
            token=token,
            warehouse=warehouse,
            polling="\n".join(f"{key} = {_toml(value)}" for key, value in (FAST | polling).items()),
            metrics="task_runs = true",
        ),
        encoding="utf-8",
    )
    return load(config, {})


def snapshot(store: str) -> Snapshot:
    """What a reader sees now."""
    engine = open_store(store, read_only=True)
    try:
        return Reader(engine).snapshot()
    finally:
        engine.dispose()


def round_of(built: Collectors) -> list[Poll]:
    """One round of all polls; none may be refused by the store."""
    polls = [poll for _, poll in built.once()]
    assert None not in polls
    return [poll for poll in polls if poll]


def failures(polls: Iterable[Poll]) -> set[tuple[str, str]]:
    """Reasons and messages of those that failed."""
    return {(poll.error, poll.message) for poll in polls if poll.error}


def catch_up(built: Collectors, rounds: int = 40) -> None:
    """Rounds until one brings nothing new and leaves nothing to ask."""
    polls: list[Poll] = []
    for _ in range(rounds):
        polls = round_of(built)
        if all(poll.complete and not poll.changed and not poll.error for poll in polls):
            return
    raise AssertionError(f"{rounds} rounds were not enough: {polls}")


def page(store: str, now: datetime, stale_after: timedelta = timedelta(minutes=1)) -> Samples:
    """What `/metrics` would show at this moment."""
    options = ExporterOptions(stale_after=stale_after, task_runs=True)
    shown = view(snapshot(store), options, now)
    return samples(Renderer(process=False).page(shown, Format.TEXT).decode())


def samples(text: str) -> Samples:
    """The samples of a page in the text format."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(shown: Samples, name: str, **labels: str) -> float | None:
    """The sum of the samples of this name that carry these labels; None when there is none."""
    found = [number for (own, pairs), number in shown.items() if own == name and pairs >= labels.items()]
    return sum(found) if found else None


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Returns when the condition holds, and fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value}"
