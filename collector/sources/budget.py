"""The request budget of one workspace: a token bucket that everything which calls the workspace shares, and that
429 answers slow down. Knows seconds and tokens, nothing of HTTP.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

BURST_SECONDS = 5.0
"""So many seconds' worth of requests may be sent at once after a quiet time."""
SLOWEST = 0.05
"""Share of the configured rate below which throttling never goes."""
RECOVERY = 1.02
"""Factor by which each good answer brings the rate back."""


class Wait(NamedTuple):
    """Seconds until a request may be sent."""

    own: float
    """Because of the configured rate."""
    imposed: float
    """Because the workspace answered 429."""


class Budget:
    """Requests per second with short bursts. Thread-safe."""

    def __init__(self, rate: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._full_rate = self._rate = rate
        self._capacity = max(1.0, rate * BURST_SECONDS)
        self._tokens = self._capacity
        self._monotonic = monotonic
        self._filled = monotonic()
        self._paused_until = 0.0
        self._lock = threading.Lock()

    def take(self, *, reserve: float = 0.0) -> Wait:
        """Take one request from the budget; it may be sent after the wait.

        `reserve` is the share of the burst that must be left for others.
        """
        with self._lock:
            now = self._refill()
            self._tokens -= 1
            missing = reserve * self._capacity - self._tokens
            return Wait(own=max(0.0, missing / self._rate), imposed=max(0.0, self._paused_until - now))

    def spare(self, seconds: float, needed: float) -> int:
        """How many requests fit into the next `seconds` and leave `needed` for those who begin then; at least one.

        None during a pause. Waiting for the last of them takes at most half of that time. What is needed beyond a full
        burst cannot be saved up, and so it is not.
        """
        with self._lock:
            if self._refill() < self._paused_until:
                return 0
            until_then = self._rate * max(0.0, seconds)
            left = self._tokens + until_then - max(min(needed, self._capacity), until_then / 2)
            return max(1, int(left))

    def throttled(self, pause: float) -> None:
        """Nothing is sent for `pause` seconds, and half as fast afterwards."""
        with self._lock:
            now = self._refill()
            if now >= self._paused_until:
                self._rate = max(self._full_rate * SLOWEST, self._rate / 2)
            self._paused_until = max(self._paused_until, now + pause)

    def answered(self) -> None:
        """A good answer came: the rate may recover a little."""
        with self._lock:
            self._refill()
            self._rate = min(self._full_rate, self._rate * RECOVERY)

    def _refill(self) -> float:
        now = self._monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        return now
