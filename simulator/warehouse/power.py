"""Whether the warehouse runs: it starts on demand, takes its time, and stops when nobody uses it.

Starting takes real time, because the client waits in real time; running and idling are simulated time.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.clock import MINUTE_MS


class Power:
    """The state of one warehouse; looking at it never starts it."""

    def __init__(self, start_seconds: float, auto_stop_minutes: int = 10) -> None:
        self.start_seconds = start_seconds
        self.auto_stop_minutes = auto_stop_minutes
        """Simulated minutes without a statement; 0 means never."""
        self.deleted = False
        self.starts = 0
        self._lock = threading.Lock()
        self._ready_at: float | None = None
        """Monotonic time at which it is up; None while stopped."""
        self._since_ms = self._used_ms = self._ran_ms = 0
        self._busy = 0

    def state(self, now_ms: int) -> str:
        """STOPPED, STARTING, RUNNING or DELETED at that simulated time."""
        with self._lock:
            self._settle(now_ms)
            if self.deleted:
                return "DELETED"
            if self._ready_at is None:
                return "STOPPED"
            return "RUNNING" if time.monotonic() >= self._ready_at else "STARTING"

    def wake(self, now_ms: int) -> float:
        """Start it if it is stopped; the real seconds until it is up."""
        with self._lock:
            self._settle(now_ms)
            if self._ready_at is None:
                self._ready_at = time.monotonic() + self.start_seconds
                self._since_ms = self._used_ms = now_ms
                self.starts += 1
            return max(0.0, self._ready_at - time.monotonic())

    @contextmanager
    def in_use(self, now_ms: int) -> Iterator[None]:
        """Do not stop meanwhile."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                self._used_ms = max(self._used_ms, now_ms)

    def stop(self, now_ms: int) -> None:
        """Stop at once."""
        with self._lock:
            self._settle(now_ms)
            self._end(now_ms)

    def running_seconds(self, now_ms: int) -> float:
        """Simulated seconds that it has run until then, which is what it costs."""
        with self._lock:
            self._settle(now_ms)
            current = 0 if self._ready_at is None else now_ms - self._since_ms
            return (self._ran_ms + current) / 1000

    def _settle(self, now_ms: int) -> None:
        """Stop it as of the time at which it has been idle for long enough."""
        if self._ready_at is None or self._busy or not self.auto_stop_minutes:
            return
        idle_until = self._used_ms + self.auto_stop_minutes * MINUTE_MS
        if now_ms >= idle_until:
            self._end(idle_until)

    def _end(self, now_ms: int) -> None:
        if self._ready_at is not None:
            self._ran_ms += max(0, now_ms - self._since_ms)
            self._ready_at = None
