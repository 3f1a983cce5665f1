"""A store, a clock and servers for tests: plain objects that the program's seams accept."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from collector.core.snapshot import Snapshot
from collector.store.engine import StoreError
from tests.make import NOON

DEADLINE_S = 10


class MemoryStore:
    """Shows the snapshot that it was given, unless it is broken or stuck."""

    def __init__(self, shown: Snapshot | None = None) -> None:
        self.shown = shown
        self.reads = 0
        self.stuck = threading.Event()
        self.go_on = threading.Event()
        self.hang = False

    def revision(self) -> int:
        """The snapshot's revision."""
        if self.hang:
            self.stuck.set()
            self.go_on.wait(DEADLINE_S)
        if self.shown is None:
            raise StoreError("the disk is gone")
        return self.shown.revision

    def snapshot(self) -> Snapshot:
        """The snapshot."""
        self.reads += 1
        if self.shown is None:
            raise StoreError("the disk is gone")
        return self.shown


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Moves the time on."""
        self.now += timedelta(seconds=seconds)


def eventually(condition: Callable[[], bool]) -> bool:
    """Waits until the condition holds; False when it does not within the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
