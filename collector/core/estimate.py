"""What watching a workspace will cost: requests per minute, and minutes of the SQL warehouse per day.

An estimate from how busy the workspace is now, with the sizes of pages and windows that polls ask with.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from collector.core.plan import MOST_WINDOWS, PAGE, PAGES_IN_A_ROW

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
JOBS_PAGE = 100
"""Jobs per page, the most that `jobs/list` gives."""
READING = MINUTE
"""How long the queries of one pass are taken to last."""
OFTEN_ENOUGH = (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)
"""Intervals that are recommended to those whose warehouse never stops, or a day."""
PAUSE = 3
"""So many times as long as auto-stop an interval should be, for the warehouse to stand still most of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy a workspace is."""

    jobs: int
    active_runs: int
    runs_per_hour: float
    """Runs that start, and in the long run end, in an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often it is asked."""

    active: timedelta
    definitions: timedelta
    overlap: timedelta
    lookback: timedelta
    lookback_interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Per minute, by what they are for."""

    live: float
    """Lists of the active and of the finished runs."""
    details: float
    """One for each attempt that finished."""
    definitions: float
    lookback: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.live + self.details + self.definitions + self.lookback


def requests(load: Load, pace: Pace) -> Requests:
    """What the Jobs API is asked in a minute while the workspace stays as busy as this."""
    polls = MINUTE / pace.active
    whole_overlap = _pages(load.runs_per_hour * (pace.overlap / HOUR), PAGE)
    windows = ceil((pace.lookback + pace.lookback_interval) / HOUR)
    return Requests(
        # the first page of the finished runs each time, and the other pages of the overlap once a minute
        live=polls * (_active_pages(load.active_runs) + 1) + min(1, polls) * (whole_overlap - 1),
        details=load.runs_per_hour * (MINUTE / HOUR),
        definitions=_pages(load.jobs, JOBS_PAGE) * (MINUTE / pace.definitions),
        lookback=windows * _pages(load.runs_per_hour, PAGE) * (MINUTE / pace.lookback_interval),
    )


def warehouse_minutes(interval: timedelta, auto_stop: timedelta) -> int:
    """Minutes of a day that a warehouse runs because it is read so often; an `auto_stop` of zero means that it stays on.

    After each reading it waits for so long before it stops, which an interval that is not longer prevents.
    """
    if not auto_stop:
        return DAY // MINUTE
    return round(min(DAY, (DAY / interval) * (auto_stop + READING)) / MINUTE)


def never_stops(interval: timedelta, auto_stop: timedelta) -> bool:
    """True when the warehouse runs around the clock."""
    return warehouse_minutes(interval, auto_stop) >= DAY // MINUTE


def recommended_interval(auto_stop: timedelta) -> timedelta:
    """One that lets the warehouse stand still for most of the day, if its auto-stop makes that possible."""
    return next((interval for interval in OFTEN_ENOUGH if interval >= PAUSE * auto_stop), DAY)


def _active_pages(runs: int) -> int:
    """Pages of the active runs, which as many readers read side by side as are worth it."""
    readers = min(MOST_WINDOWS, runs // (PAGE * PAGES_IN_A_ROW) + 1)
    return readers * _pages(runs / readers, PAGE)


def _pages(items: float, size: int) -> int:
    """Also an empty list takes a request."""
    return max(1, ceil(items / size))
