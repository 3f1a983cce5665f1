"""Runs the real collector against a simulated workspace, in simulated time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from collector.config import Settings, load
from collector.core.snapshot import Snapshot
from collector.store.engine import open_store
from collector.store.reader import Reader
from simulator.server import Simulator

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


def settings(folder: Path, simulator: Simulator, store: str = "", **polling: object) -> Settings:
    """Settings as a user would write them, with the secret in a file."""
    token = folder / "token"
    token.write_text(simulator.token, encoding="utf-8")
    config = folder / "config.toml"
    config.write_text(
        CONFIG.format(
            store=store or f"sqlite:///{folder}/store.db",
            host=simulator.url,
            token=token,
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


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Returns when the condition holds, and fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value}"
