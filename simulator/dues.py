"""When a scheduled job is due, for the family of Quartz schedules that the simulated jobs use.

Each schedule is made together with its Quartz text, so nothing here reads Quartz; the times of day avoid the hours at
which clocks are set forward or back.
"""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from simulator.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, epoch_ms, instant

ZONES = ("UTC", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney")
WEEKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
DAY_NAMES = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Due times: every `period_ms`, or at a time of day when the period is 0."""

    expression: str = ""
    """Quartz text; empty for a periodic trigger."""
    zone: str = "UTC"
    period_ms: int = 0
    phase_ms: int = 0
    """Where in the period, counted from the full local hour."""
    hour: int = 0
    minute: int = 0
    weekdays: frozenset[int] = EVERY_DAY
    """Monday is 0."""
    month_day: int = 0
    """The only day of the month; 0 means any."""

    @property
    def per_day(self) -> float:
        """How often a day, on average."""
        if self.period_ms:
            return DAY_MS / self.period_ms
        return 1 / 30 if self.month_day else len(self.weekdays) / 7

    def after(self, now_ms: int) -> int:
        """The first due time later than now."""
        local = instant(now_ms).astimezone(ZoneInfo(self.zone))
        if self.period_ms:
            shift = (local.utcoffset() or timedelta()) // timedelta(milliseconds=1) - self.phase_ms
            return ((now_ms + shift) // self.period_ms + 1) * self.period_ms - shift
        day = local.date()
        while True:
            due = epoch_ms(datetime.combine(day, time(self.hour, self.minute), local.tzinfo).astimezone(UTC))
            if due > now_ms and day.weekday() in self.weekdays and self.month_day in {0, day.day}:
                return due
            day += timedelta(days=1)

    def latest(self, most: int, since_ms: int, until_ms: int) -> tuple[int, ...]:
        """The last due times, at most so many, from `since_ms` to `until_ms`."""
        far = int((most + 1) * DAY_MS / self.per_day) + (0 if self.period_ms else 3 * DAY_MS)
        found: deque[int] = deque(maxlen=most)
        due = self.after(max(since_ms, until_ms - far))
        while due <= until_ms:
            found.append(due)
            due = self.after(due)
        return tuple(found)


def draw(rng: Random, most_per_day: float) -> Due:
    """A schedule that is due at most so often, as far as once a day is not too often."""
    due = rng.choices([_minutes, _hourly, _daily, _weekdays, _weekly, _monthly], [2, 4, 8, 4, 2, 1])[0](rng)
    return due if due.per_day <= max(1.0, most_per_day) else _daily(rng)


def _minutes(rng: Random) -> Due:
    every, second = rng.choice((5, 10, 15, 30)), rng.choice((0, 0, 0, 17))
    return Due(
        expression=f"{second} 0/{every} * * * ?",
        zone=rng.choice(ZONES),
        period_ms=every * MINUTE_MS,
        phase_ms=second * SECOND_MS,
    )


def _hourly(rng: Random) -> Due:
    minute = rng.choice((0, 0, rng.randrange(60)))
    return Due(
        expression=f"0 {minute} * * * ?",
        zone=rng.choice(ZONES),
        period_ms=HOUR_MS,
        phase_ms=minute * MINUTE_MS,
    )


def _time_of_day(rng: Random) -> tuple[int, int, str]:
    return rng.randrange(4, 24), rng.choice((0, 0, 30, rng.randrange(60))), rng.choice(ZONES)


def _daily(rng: Random) -> Due:
    hour, minute, zone = _time_of_day(rng)
    return Due(expression=f"0 {minute} {hour} * * ?", zone=zone, hour=hour, minute=minute)


def _weekdays(rng: Random) -> Due:
    hour, minute, zone = _time_of_day(rng)
    return Due(
        expression=f"0 {minute} {hour} ? * MON-FRI", zone=zone, hour=hour, minute=minute, weekdays=WEEKDAYS
    )


def _weekly(rng: Random) -> Due:
    hour, minute, zone = _time_of_day(rng)
    day = rng.randrange(7)
    return Due(
        expression=f"0 {minute} {hour} ? * {DAY_NAMES[day]}",
        zone=zone,
        hour=hour,
        minute=minute,
        weekdays=frozenset({day}),
    )


def _monthly(rng: Random) -> Due:
    hour, minute, zone = _time_of_day(rng)
    return Due(expression=f"0 {minute} {hour} 1 * ?", zone=zone, hour=hour, minute=minute, month_day=1)
