"""When jobs are due: known dates, days on which clocks change, and laws.

The dates on which clocks change were compared with those that Quartz 2.3.2 on Java 17 reaches one after the other.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.model import Job
from collector.core.quartz import ScheduleError
from collector.core.schedule import earliest, last_due, latest, next_due
from tests.make import NOON, at, make_job

MINUTE = timedelta(minutes=1)


def scheduled_job(expression: str = "0 0 6 * * ?", timezone_id: str = "UTC", **given: object) -> Job:
    """A job with a schedule that is not paused."""
    return make_job(quartz_cron_expression=expression, timezone_id=timezone_id, **given)


def utc(text: str) -> datetime:
    """The instant that the text names without an offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due_after(expression: str, timezone_id: str, after: datetime, number: int) -> list[datetime]:
    """The next due times in a row."""
    found: list[datetime] = []
    while len(found) < number and (due := earliest(expression, timezone_id, after)):
        found.append(due)
        after = due
    return found


def due_before(expression: str, timezone_id: str, before: datetime, number: int) -> list[datetime]:
    """The last due times in a row, in rising order."""
    found: list[datetime] = []
    while len(found) < number and (due := latest(expression, timezone_id, before)):
        found.insert(0, due)
        before = due - timedelta.resolution
    return found


# ── known dates ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "last", "following"),
    [
        ("0 0 6 * * ?", "2026-03-02 06:00", "2026-03-03 06:00"),
        ("0 0 12 * * ?", "2026-03-02 12:00", "2026-03-03 12:00"),
        ("1/30 * * * * ?", "2026-03-02 11:59:31", "2026-03-02 12:00:01"),
        ("0 0/15 22-2 * * ?", "2026-03-02 02:45", "2026-03-02 22:00"),
        ("0 0 8 ? * MON-FRI", "2026-03-02 08:00", "2026-03-03 08:00"),
        ("0 0 18 ? * MON-FRI", "2026-02-27 18:00", "2026-03-02 18:00"),
        ("0 0 0 L * ?", "2026-02-28 00:00", "2026-03-31 00:00"),
        ("0 0 0 LW * ?", "2026-02-27 00:00", "2026-03-31 00:00"),
        ("0 0 0 1W * ?", "2026-03-02 00:00", "2026-04-01 00:00"),
        ("0 0 0 ? * 6L", "2026-02-27 00:00", "2026-03-27 00:00"),
        ("0 0 0 ? * MON#5", "2025-12-29 00:00", "2026-03-30 00:00"),
        ("0 0 0 29 2 ?", "2024-02-29 00:00", "2028-02-29 00:00"),
        ("59 59 23 31 12 ?", "2025-12-31 23:59:59", "2026-12-31 23:59:59"),
        ("0 0 0 1 1 ? 2025,2031", "2025-01-01 00:00", "2031-01-01 00:00"),
    ],
)
def test_known_dates(expression: str, last: str, following: str) -> None:
    """Around noon of Monday, 2 March 2026, jobs are due when a calendar says so."""
    job = scheduled_job(expression)

    assert utc(last) == last_due(job, NOON)
    assert utc(following) == next_due(job, NOON)


def test_the_instant_itself() -> None:
    """A job that is due at this very instant was due, and is due next another time; a moment before, it is due next."""
    job = scheduled_job("0 0 12 * * ?")
    moment = timedelta.resolution

    assert (at(0), at(86_400)) == (last_due(job, NOON), next_due(job, NOON))
    assert (at(-86_400), at(0)) == (last_due(job, NOON - moment), next_due(job, NOON - moment))


def test_time_is_local() -> None:
    """Six o'clock is six o'clock in the schedule's zone, in winter and in summer."""
    berlin = due_after("0 0 6 * * ?", "Europe/Berlin", utc("2026-03-28 00:00"), 2)
    kathmandu = due_after("0 0 6 * * ?", "Asia/Kathmandu", utc("2026-03-28 01:00"), 1)

    assert [utc("2026-03-28 05:00"), utc("2026-03-29 04:00")] == berlin
    assert [utc("2026-03-29 00:15")] == kathmandu


@pytest.mark.parametrize(
    ("expression", "last", "following"),
    [
        ("0 0 0 31 2 ?", None, None),
        ("0 0 0 30 2 ? *", None, None),
        ("0 0 0 1 1 ? 2020", "2020-01-01 00:00", None),
        ("0 0 0 1 1 ? 2090", None, "2090-01-01 00:00"),
        ("0 30 2 29 3 ? 2026", None, None),  # in Berlin a time that no clock shows
    ],
)
def test_never(expression: str, last: str | None, following: str | None) -> None:
    """What never was or never will be due has no due time, and is found out without a search through time."""
    job = scheduled_job(expression, "Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")

    assert (last and utc(last).replace(tzinfo=berlin)) == last_due(job, NOON)
    assert (following and utc(following).replace(tzinfo=berlin)) == next_due(job, NOON)


# ── when clocks change ───────────────────────────────────────────────────────────────────────────────────────────

SPRING_AND_AUTUMN = [
    # In spring 02:00–03:00 does not exist: the job of 02:30 is not due on Sunday.
    ("0 30 2 * * ?", "Europe/Berlin", "2026-03-28 00:00", ["2026-03-28 01:30", "2026-03-30 00:30"]),
    ("0 30 2 * * ?", "America/New_York", "2026-03-07 00:00", ["2026-03-07 07:30", "2026-03-09 06:30"]),
    # Hours go on without a break: 01:30, then 03:30.
    ("0 30 * * * ?", "Europe/Berlin", "2026-03-29 00:00", ["2026-03-29 00:30", "2026-03-29 01:30"]),
    # In autumn 02:00–03:00 comes twice: the job of 02:30 is due the second time.
    ("0 30 2 * * ?", "Europe/Berlin", "2026-10-24 12:00", ["2026-10-25 01:30", "2026-10-26 01:30"]),
    ("0 30 1 * * ?", "America/New_York", "2026-10-31 12:00", ["2026-11-01 06:30", "2026-11-02 06:30"]),
    # Hours have a break during the first of the two.
    ("0 0 * * * ?", "Europe/Berlin", "2026-10-24 22:30", ["2026-10-24 23:00", "2026-10-25 01:00"]),
    ("0 0/30 * * * ?", "Europe/Berlin", "2026-10-24 23:00", ["2026-10-24 23:30", "2026-10-25 01:00"]),
    # Asked during the first of the two hours, everything in them is still to come.
    ("0 0/30 * * * ?", "Europe/Berlin", "2026-10-25 00:45", ["2026-10-25 01:00", "2026-10-25 01:30"]),
    # Lord Howe moves by half an hour: 02:00–02:30 is missing in October, 01:30–02:00 comes twice in April.
    ("0 15,45 2 * * ?", "Australia/Lord_Howe", "2026-10-03 12:00", ["2026-10-03 15:45", "2026-10-04 15:15"]),
    ("0 45 1 * * ?", "Australia/Lord_Howe", "2026-04-04 00:00", ["2026-04-04 15:15", "2026-04-05 15:15"]),
    # São Paulo had no midnight on 4 November 2018, had 23:00 twice on 17 February 2018, and changes no more.
    ("0 0 0 * * ?", "America/Sao_Paulo", "2018-11-03 00:00", ["2018-11-03 03:00", "2018-11-05 02:00"]),
    ("0 30 23 * * ?", "America/Sao_Paulo", "2018-02-17 12:00", ["2018-02-18 02:30", "2018-02-19 02:30"]),
    ("0 0 0 * * ?", "America/Sao_Paulo", "2026-11-01 00:00", ["2026-11-01 03:00", "2026-11-02 03:00"]),
]


@pytest.mark.parametrize(("expression", "timezone_id", "after", "expected"), SPRING_AND_AUTUMN)
def test_clocks_change(expression: str, timezone_id: str, after: str, expected: list[str]) -> None:
    """Where clocks change, jobs are due when Quartz would start them."""
    instants = [utc(text) for text in expected]

    assert instants == due_after(expression, timezone_id, utc(after), 2)
    assert instants == due_before(expression, timezone_id, instants[-1], 2)


# ── which jobs ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "job",
    [
        make_job(),
        make_job(periodic_interval=1, periodic_unit="HOURS", created=at(-86_400)),
        scheduled_job(paused=True),
        make_job(continuous=True),
    ],
    ids=["by hand", "periodic", "paused", "continuous"],
)
def test_jobs_without_due_times(job: Job) -> None:
    """Only a Quartz schedule that is not paused makes a job due."""
    assert (None, None) == (last_due(job, NOON), next_due(job, NOON))


def test_not_due_before_it_was_created() -> None:
    """A new job has missed nothing: it was not yet due, but will be."""
    due = at(-6 * 3600)
    older, newer = scheduled_job(created=due), scheduled_job(created=due + timedelta.resolution)

    assert due == last_due(older, NOON)
    assert last_due(newer, NOON) is None
    assert at(18 * 3600) == next_due(newer, NOON)


@pytest.mark.parametrize("question", [last_due, next_due])
@pytest.mark.parametrize(
    ("job", "message"),
    [
        (scheduled_job("at six"), "'at six' has 2 fields instead of 6 or 7"),
        (scheduled_job(timezone_id="Moon"), "no time zone is called 'Moon'"),
    ],
)
def test_unreadable(question: Callable[[Job, datetime], datetime | None], job: Job, message: str) -> None:
    """A schedule that cannot be read raises what is wrong with it."""
    with pytest.raises(ScheduleError) as refused:
        question(job, NOON)

    assert message == str(refused.value)


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
)
NEAR_CHANGES = (
    "2026-03-28",
    "2026-10-24",
    "2026-03-07",
    "2026-10-31",
    "2026-10-03",
    "2026-04-04",
    "2018-11-03",
)
INSTANTS = st.builds(
    lambda day, minutes: utc(day) + minutes * MINUTE, st.sampled_from(NEAR_CHANGES), st.integers(0, 2880)
)


@st.composite
def values(draw: st.DrawFn, least: int, most: int) -> tuple[str, set[int]]:
    """The text of a field with what it matches, told by counting."""
    low, high = sorted((draw(st.integers(least, most)), draw(st.integers(least, most))))
    step = draw(st.integers(1, 20))
    return draw(
        st.sampled_from(
            [
                ("*", set(range(least, most + 1))),
                (f"{low}", {low}),
                (f"{high},{low}", {low, high}),
                (f"{low}-{high}", set(range(low, high + 1))),
                (f"{low}/{step}", {value for value in range(low, most + 1) if (value - low) % step == 0}),
            ]
        )
    )


def _is_last(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


DAYS: list[tuple[str, str, Callable[[date], bool]]] = [
    ("*", "?", lambda _: True),
    ("L", "?", _is_last),
    ("1,15,29", "?", lambda day: day.day in {1, 15, 29}),
    ("?", "SUN", lambda day: day.weekday() == 6),
    ("?", "MON-SAT", lambda day: day.weekday() != 6),
    ("?", "1#1", lambda day: day.weekday() == 6 and day.day <= 7),
    ("?", "SUNL", lambda day: day.weekday() == 6 and day.day > monthrange(day.year, day.month)[1] - 7),
]


@settings(max_examples=60, deadline=None)
@given(values(0, 59), values(0, 23), st.sampled_from(DAYS), st.sampled_from(ZONES), INSTANTS)
def test_nothing_in_between(
    minutes: tuple[str, set[int]],
    hours: tuple[str, set[int]],
    days: tuple[str, str, Callable[[date], bool]],
    timezone_id: str,
    now: datetime,
) -> None:
    """No minute between the last and the next due time is one at which the clock shows what the schedule says."""
    zone = ZoneInfo(timezone_id)
    expression = f"0 {minutes[0]} {hours[0]} {days[0]} * {days[1]}"

    def matches(instant: datetime) -> bool:
        local = instant.astimezone(zone)
        comes_again = local.utcoffset() != local.replace(fold=1).utcoffset()
        return (
            local.minute in minutes[1]
            and local.hour in hours[1]
            and days[2](local.date())
            and not comes_again
        )

    first = next((now + n * MINUTE for n in range(1, 1500) if matches(now + n * MINUTE)), None)
    before = next((now - n * MINUTE for n in range(1500) if matches(now - n * MINUTE)), None)
    last, following = latest(expression, timezone_id, now), earliest(expression, timezone_id, now)

    assert following == first if first else following is None or following >= now + 1500 * MINUTE
    assert last == before if before else last is None or last <= now - 1500 * MINUTE


EXPRESSIONS = st.sampled_from(
    [
        "0 0/7 * * * ?",
        "*/20 * 1-3 * * ?",
        "0 30 2 * * ?",
        "0 0 0 LW * ?",
        "0 59 23 L-3 * ?",
        "30 15 1 15W * ?",
        "0 0 1 ? * 6#5",
        "0 0 3 ? FEB-NOV SUNL",
        "0 0 0 29 2 ?",
        "0 0 0 1 1 ? 2020/5",
    ]
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), INSTANTS, st.integers(0, 10**6))
def test_looking_back_and_forward_agree(
    expression: str, timezone_id: str, now: datetime, microsecond: int
) -> None:
    """Due times found forwards are found again backwards, and `now` lies between the two that enclose it."""
    now += timedelta(microseconds=microsecond)
    row = due_after(expression, timezone_id, now, 5)
    last = latest(expression, timezone_id, now)

    assert row == due_before(expression, timezone_id, row[-1], 5)[-len(row) :]
    assert all(one < other for one, other in pairwise(row))
    assert last == latest(expression, timezone_id, row[0] - timedelta.resolution)
    assert now < row[0]
    assert last is None or last <= now


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), INSTANTS, INSTANTS)
def test_time_never_runs_back(expression: str, timezone_id: str, one: datetime, other: datetime) -> None:
    """Later, neither the last nor the next due time is earlier."""
    sooner, later = sorted((one, other))

    assert (earliest(expression, timezone_id, sooner) or later) <= (
        earliest(expression, timezone_id, later) or later
    )
    assert (latest(expression, timezone_id, sooner) or sooner) <= (
        latest(expression, timezone_id, later) or later
    )
