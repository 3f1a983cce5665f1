"""When a job was last due and when it is due next, by its Quartz schedule and time zone.

Where clocks are set forward or back this follows Quartz, whose `CronExpression.getTimeAfter` walks local times in a
lenient `java.util.Calendar`:

- A local time inside the gap in spring does not exist and is passed over: a job of 02:30 is not due on that day. The
  calendar turns 02:30 into 03:30, which the hour field then refuses.
- A local time that happens twice in autumn is due once, the second time: the calendar reads it with the offset that
  holds after the change. A job of every ten minutes is therefore not due during the first of the two hours.

Due times are those that a Quartz trigger reaches by going from one to the next. Asked out of turn, during the first of
the two hours, `getTimeAfter` would leave out the second as well.

Databricks does not say from where it counts the interval of a periodic trigger. Here it is counted from the job's latest
start, or from when its definition was first seen as it is, whichever is later: the true due time is then or earlier, so
that a run by hand or a trigger that was resumed may make a missed start show late, and never makes one up.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from collector.core.model import Job
from collector.core.quartz import Quartz, days_of, parsed
from collector.core.zones import zone

Cut = Callable[[Sequence[int], int | None], Sequence[int]]
"""Chooses from rising values those up to or from a limit, in the order of the search; all of them where it is None."""

PERIODS = {"HOURS": timedelta(hours=1), "DAYS": timedelta(days=1), "WEEKS": timedelta(weeks=1)}
"""Units of periodic triggers."""


def last_due(job: Job, now: datetime) -> datetime | None:
    """The latest instant up to now at which the job was due.

    None when its schedule does not start it (none, paused, continuous, periodic), or when it was not yet due since it
    was created. Raises ScheduleError for a schedule or time zone that cannot be read.
    """
    if not scheduled(job):
        return None
    return since_created(job, latest(job.quartz_cron_expression, job.timezone_id, now))


def next_due(job: Job, now: datetime) -> datetime | None:
    """The first instant after now at which the job is due.

    None when its schedule does not start it (none, paused, continuous, periodic) or never will again. Raises
    ScheduleError for a schedule or time zone that cannot be read.
    """
    return earliest(job.quartz_cron_expression, job.timezone_id, now) if scheduled(job) else None


def since_created(job: Job, due: datetime | None) -> datetime | None:
    """The due time, or None when the job did not exist then."""
    return None if due and job.created and due < job.created else due


def periodic_due(job: Job, since: datetime, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When a job with a periodic trigger was last due, after `since` and up to now, and when it will be next.

    None twice for a job that no periodic trigger starts (none, paused, continuous, a unit that nobody knows).
    """
    unit = PERIODS.get(job.periodic_unit)
    if unit is None or job.periodic_interval <= 0 or job.paused or job.continuous:
        return None, None
    interval = job.periodic_interval * unit
    passed = max(0, (now - since) // interval)
    return since + passed * interval if passed else None, since + (passed + 1) * interval


def scheduled(job: Job) -> bool:
    """True when the job's runs are started by a Quartz schedule that is not paused."""
    return bool(job.quartz_cron_expression) and not job.paused and not job.continuous


def latest(expression: str, timezone_id: str, now: datetime) -> datetime | None:
    """The latest instant up to now that matches. Raises ScheduleError."""
    quartz, local = parsed(expression), zone(timezone_id)
    limit = now.astimezone(local).replace(tzinfo=None, fold=0)
    found = (_instant(wall, local) for wall in _walls(quartz, limit, _down))
    return next((due for due in found if due and due <= now), None)


def earliest(expression: str, timezone_id: str, now: datetime) -> datetime | None:
    """The first instant after now that matches. Raises ScheduleError."""
    quartz, local = parsed(expression), zone(timezone_id)
    # During the first of two equal hours everything in them is still to come: read with the later offset, now lies
    # before them.
    offset = now.astimezone(local).replace(fold=1).utcoffset() or timedelta(0)
    limit = (now.astimezone(UTC) + offset).replace(tzinfo=None, microsecond=0)
    found = (_instant(wall, local) for wall in _walls(quartz, limit, _up))
    return next((due for due in found if due and due > now), None)


def _instant(wall: datetime, local: tzinfo) -> datetime | None:
    """The instant of a local time: the later one of two, None in a gap. Rising local times have rising instants."""
    instant = wall.replace(tzinfo=local, fold=1).astimezone(UTC)
    return instant if instant.astimezone(local).replace(tzinfo=None) == wall else None


def _walls(quartz: Quartz, limit: datetime, cut: Cut) -> Iterator[datetime]:
    """Local times that match, from the limit onwards in the direction of the cut."""
    for year in cut(quartz.years, limit.year):
        in_year = year == limit.year
        for month in cut(quartz.months, limit.month if in_year else None):
            in_month = in_year and month == limit.month
            for day in cut(days_of(quartz.days, year, month), limit.day if in_month else None):
                in_day = in_month and day == limit.day
                for hour in cut(quartz.hours, limit.hour if in_day else None):
                    in_hour = in_day and hour == limit.hour
                    for minute in cut(quartz.minutes, limit.minute if in_hour else None):
                        in_minute = in_hour and minute == limit.minute
                        for second in cut(quartz.seconds, limit.second if in_minute else None):
                            yield datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # a local time


def _up(values: Sequence[int], limit: int | None) -> Sequence[int]:
    return values if limit is None else values[bisect_left(values, limit) :]


def _down(values: Sequence[int], limit: int | None) -> Sequence[int]:
    return values[::-1] if limit is None else values[: bisect_right(values, limit)][::-1]
