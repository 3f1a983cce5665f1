"""Counts the requests that the workspace was asked, as a rate limit would see them."""

import threading
import time
from collections import Counter, deque
from typing import Any


class Ledger:
    """Requests by endpoint and status, since the start and since the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total: Counter[tuple[str, str]] = Counter()
        self._recent: Counter[tuple[str, str]] = Counter()
        self._second: deque[float] = deque()
        self._greatest = self._greatest_recent = 0
        self._waiting = 0

    def arrived(self) -> None:
        """A request has come in."""
        now = time.monotonic()
        with self._lock:
            self._waiting += 1
            self._second.append(now)
            while self._second[0] <= now - 1:
                self._second.popleft()
            self._greatest = max(self._greatest, len(self._second))
            self._greatest_recent = max(self._greatest_recent, len(self._second))

    def answered(self, endpoint: str, status: str) -> None:
        """It was answered with this status, or `reset`."""
        with self._lock:
            self._waiting -= 1
            self._total[endpoint, status] += 1
            self._recent[endpoint, status] += 1

    def summary(self, *, reset: bool) -> dict[str, Any]:
        """Both counts, the greatest number of requests in any one second, and how many wait for their answer; `reset`
        begins the second count anew.
        """
        with self._lock:
            answer = {
                "total": _nested(self._total),
                "since_reset": _nested(self._recent),
                "requests": self._total.total(),
                "requests_since_reset": self._recent.total(),
                "greatest_per_second": self._greatest,
                "greatest_per_second_since_reset": self._greatest_recent,
                "waiting": self._waiting,
            }
            if reset:
                self._recent.clear()
                self._second.clear()
                self._greatest_recent = 0
            return answer


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (endpoint, status), number in sorted(counts.items()):
        nested.setdefault(endpoint, {})[status] = number
    return nested
