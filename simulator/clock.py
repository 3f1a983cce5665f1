"""Simulated time: real time at a speed, or a time that stands still until it is moved."""

import threading
import time
from datetime import UTC, datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)
SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def milliseconds(span: timedelta) -> int:
    """The span in whole milliseconds."""
    return span // MILLISECOND


def epoch_ms(instant: datetime) -> int:
    """The aware instant in milliseconds since 1970."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // MILLISECOND


def instant(ms: int) -> datetime:
    """The aware instant so many milliseconds after 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + ms * MILLISECOND


class Clock:
    """The time in the simulated workspace; never goes back."""

    def __init__(self, start: datetime | None = None, *, speed: float = 1.0, manual: bool = False) -> None:
        self.start_ms = epoch_ms(start if start is not None else datetime.now(UTC))
        self._speed = 0.0 if manual else speed
        self._began = time.monotonic()
        self._offset_ms = 0
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        """Simulated milliseconds since 1970."""
        elapsed = time.monotonic() - self._began
        return self.start_ms + self._offset_ms + int(elapsed * self._speed * SECOND_MS)

    def advance(self, span_ms: int) -> int:
        """Jump ahead and return the new time; a negative span is a ValueError."""
        if span_ms < 0:
            raise ValueError("the clock cannot go back")
        with self._lock:
            self._offset_ms += span_ms
        return self.now_ms()
