"""A bucket of tokens: how many requests may come at once, and how often one more."""

from datetime import timedelta


class Bucket:
    """Holds at most `burst` tokens and gains one in each interval. The time is the caller's, in seconds."""

    def __init__(self, interval: timedelta, burst: int, now_s: float) -> None:
        self._interval_s = interval.total_seconds()
        self._burst = burst
        self._tokens = float(burst)
        self._at_s = now_s

    def take(self, now_s: float) -> float:
        """Takes a token; 0 when there was one, otherwise the seconds until there is."""
        gained = (now_s - self._at_s) / self._interval_s
        self._tokens, self._at_s = min(self._burst, self._tokens + gained), now_s
        if self._tokens < 1:
            return (1 - self._tokens) * self._interval_s
        self._tokens -= 1
        return 0.0
