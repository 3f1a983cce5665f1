"""Reads Quartz cron expressions, and names the days and times of day that they match. Knows no time zone and no clock.

What Quartz takes without meaning it (a step after a name, further fields, `W` or `L` in a list) is refused here: no due
time is better than a wrong one.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

YEARS = range(1970, 2100)
SUNDAY, SATURDAY = 1, 7
"""Quartz counts the days of the week from Sunday."""
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
NUMBER = r"[0-9]{1,4}"
"""Digits that are worth reading: `int` accepts those of every script, and refuses thousands of them."""


class ScheduleError(ValueError):
    """A schedule that cannot be read; the message says which part, and why."""


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDays:
    """These days of the month, where the month has them."""

    days: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """The last day of the month (`L`), or so many days before it (`L-3`)."""

    before: int = 0
    weekday: bool = False
    """True when the nearest Monday to Friday of the same month is meant (`LW`, `L-3W`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestWeekday:
    """The Monday to Friday nearest to a day, within its month (`15W`)."""

    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDays:
    """Each of these days of the week, 1 being Sunday."""

    days: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWeekDay:
    """The last such day of the week in the month (`6L`)."""

    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NthWeekDay:
    """The first to fifth such day of the week in the month (`6#3`); months without it are passed over."""

    day: int
    nth: int


Days = MonthDays | LastDay | NearestWeekday | WeekDays | LastWeekDay | NthWeekDay


@dataclass(frozen=True, slots=True, kw_only=True)
class Quartz:
    """An expression that was read. Every tuple is in rising order and holds what matches."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    years: tuple[int, ...]


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def days_of(days: Days, year: int, month: int) -> tuple[int, ...]:
    """The days of a month that match, in rising order."""
    length = monthrange(year, month)[1]
    match days:
        case MonthDays(days=chosen):
            return tuple(day for day in chosen if day <= length)
        case LastDay(before=before, weekday=weekday):
            day = length - before
            return () if day < 1 else (_nearest_weekday(year, month, day) if weekday else day,)
        case NearestWeekday(day=day):
            return () if day > length else (_nearest_weekday(year, month, day),)
        case WeekDays(days=chosen):
            return tuple(day for day in range(1, length + 1) if _day_of_week(year, month, day) in chosen)
        case LastWeekDay(day=day):
            return (_all_of(year, month, day)[-1],)
        case NthWeekDay(day=day, nth=nth):
            return tuple(_all_of(year, month, day)[nth - 1 : nth])


def _all_of(year: int, month: int, day_of_week: int) -> range:
    first = 1 + (day_of_week - _day_of_week(year, month, 1)) % 7
    return range(first, monthrange(year, month)[1] + 1, 7)


def _day_of_week(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + SUNDAY


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Quartz moves to Friday or Monday, and by two days where one would leave the month."""
    match _day_of_week(year, month, day):
        case 7:
            return day - 1 if day > 1 else day + 2
        case 1:
            return day + 1 if day < monthrange(year, month)[1] else day - 2
        case _:
            return day


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    wraps: bool = True

    def value(self, text: str) -> int:
        if text in self.names:
            return self.names.index(text) + 1
        if not re.fullmatch(NUMBER, text):
            raise ScheduleError(f"{self.name}: {text!r} is not a value")
        if not self.least <= int(text) <= self.most:
            raise ScheduleError(f"{self.name}: {text} is not between {self.least} and {self.most}")
        return int(text)

    def values(self, text: str) -> tuple[int, ...]:
        """What a list of values, ranges and steps matches."""
        return tuple(sorted({value for item in text.split(",") for value in self._item(item)}))

    def _item(self, item: str) -> Iterator[int]:
        span, slash, step = item.partition("/")
        if slash and any(name in span for name in self.names):
            raise ScheduleError(f"{self.name}: {item!r} has a step after a name, which Quartz passes over")
        first, last = self._span(span, open_ended=bool(slash))
        if last < first and not self.wraps:
            raise ScheduleError(f"{self.name}: {span} ends before it begins")
        size = self.most - self.least + 1
        for value in range(first, last + (size if last < first else 0) + 1, self._step(step) if slash else 1):
            yield (value - self.least) % size + self.least

    def _span(self, span: str, *, open_ended: bool) -> tuple[int, int]:
        if span == "*" or (open_ended and not span):
            return self.least, self.most
        start, dash, end = span.partition("-")
        first = self.value(start)
        if dash:
            return first, self.value(end)
        return first, self.most if open_ended else first

    def _step(self, text: str) -> int:
        if not re.fullmatch(NUMBER, text) or int(text) < 1:
            raise ScheduleError(f"{self.name}: {text!r} is not a step")
        return int(text)


SECONDS = _Field(name="seconds", least=0, most=59)
MINUTES = _Field(name="minutes", least=0, most=59)
HOURS = _Field(name="hours", least=0, most=23)
DAY_OF_MONTH = _Field(name="day of month", least=1, most=31)
MONTHS = _Field(name="month", least=1, most=12, names=MONTH_NAMES)
DAY_OF_WEEK = _Field(name="day of week", least=SUNDAY, most=SATURDAY, names=DAY_NAMES)
YEAR = _Field(name="year", least=YEARS[0], most=YEARS[-1], wraps=False)


@lru_cache(maxsize=20_000)
def parsed(expression: str) -> Quartz:
    """The expression's meaning. Raises ScheduleError."""
    fields = expression.upper().split()
    if len(fields) not in {6, 7}:
        raise ScheduleError(f"{expression!r} has {len(fields)} fields instead of 6 or 7")
    seconds, minutes, hours, day_of_month, months, day_of_week, *year = fields
    return Quartz(
        seconds=SECONDS.values(seconds),
        minutes=MINUTES.values(minutes),
        hours=HOURS.values(hours),
        days=_days(day_of_month, day_of_week),
        months=MONTHS.values(months),
        years=YEAR.values(year[0] if year else "*"),
    )


def _days(day_of_month: str, day_of_week: str) -> Days:
    match day_of_month, day_of_week:
        case "?", "?":
            raise ScheduleError("day of month and day of week are both '?'")
        case _, "?":
            return _days_of_month(day_of_month)
        case "?", _:
            return _days_of_week(day_of_week)
        case _:
            raise ScheduleError("day of month and day of week are both given: one must be '?'")


def _days_of_month(text: str) -> Days:
    if last := re.fullmatch(r"L(?:-(\d{1,2}))?(W?)", text, re.ASCII):
        before = int(last[1] or 0)
        if before > 30:
            raise ScheduleError(f"day of month: {text} is more than 30 days before the last")
        return LastDay(before=before, weekday=bool(last[2]))
    if nearest := re.fullmatch(r"(\d+)W", text, re.ASCII):
        return NearestWeekday(day=DAY_OF_MONTH.value(nearest[1]))
    return MonthDays(days=DAY_OF_MONTH.values(text))


def _days_of_week(text: str) -> Days:
    if text == "L":
        return WeekDays(days=(SATURDAY,))
    if last := re.fullmatch(r"(\w+)L", text, re.ASCII):
        return LastWeekDay(day=DAY_OF_WEEK.value(last[1]))
    if nth := re.fullmatch(r"(\w+)#([1-5])", text, re.ASCII):
        return NthWeekDay(day=DAY_OF_WEEK.value(nth[1]), nth=int(nth[2]))
    return WeekDays(days=DAY_OF_WEEK.values(text))
