"""The moment at which a poll gives up. Knows seconds, nothing of what is waited for."""

import threading
from collections.abc import Callable


class Deadline:
    """Time spent waiting for the own request budget moves it; nothing else does. Thread-safe."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seconds = seconds
        self._at = self._waited_until = monotonic()
        self._at += seconds
        self._lock = threading.Lock()

    def remaining(self) -> float:
        """Seconds left; negative when it has passed."""
        return self._at - self._monotonic()

    @property
    def share(self) -> float:
        """Share of the whole time that is left."""
        return self.remaining() / self._seconds if self._seconds else 0.0

    @property
    def passed(self) -> bool:
        """True when nothing may be waited for any more."""
        return self.remaining() <= 0

    def extend(self, wait: float) -> None:
        """Account for a wait that begins now; waits side by side count once."""
        with self._lock:
            now = self._monotonic()
            until = now + wait
            self._at += max(0.0, until - max(now, self._waited_until))
            self._waited_until = max(self._waited_until, until)

    def restart(self) -> None:
        """Give what is under way the whole time again."""
        with self._lock:
            self._at = self._waited_until = self._monotonic()
            self._at += self._seconds

    def end(self) -> None:
        """Let it pass now, so that what still works for its poll stops at the next step."""
        with self._lock:
            self._at = self._waited_until = self._monotonic()
