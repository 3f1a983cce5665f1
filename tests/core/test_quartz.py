"""What a Quartz expression means, against calendars that were read by eye."""

import pytest

from collector.core.quartz import ScheduleError, days_of, parsed

FRIDAYS_OF_MARCH = (6, 13, 20, 27)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", (7,)),
        ("3,1,2,3", (1, 2, 3)),
        ("10-13", (10, 11, 12, 13)),
        ("58-1", (0, 1, 58, 59)),
        ("*/20", (0, 20, 40)),
        ("/20", (0, 20, 40)),
        ("5/20", (5, 25, 45)),
        ("0/15,7", (0, 7, 15, 30, 45)),
        ("10-20/4", (10, 14, 18)),
        ("50-10/7", (4, 50, 57)),
        ("5/70", (5,)),
    ],
)
def test_values(text: str, expected: tuple[int, ...]) -> None:
    """Values, lists, ranges and steps match what Quartz says they match."""
    assert expected == parsed(f"0 {text} * * * ?").minutes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", tuple(range(24))),
        ("22-2", (0, 1, 2, 22, 23)),
        ("22-2/2", (0, 2, 22)),
        ("8-18/5", (8, 13, 18)),
    ],
)
def test_hours(text: str, expected: tuple[int, ...]) -> None:
    """A range of hours may reach over midnight, and its step goes on there."""
    assert expected == parsed(f"0 0 {text} * * ?").hours


@pytest.mark.parametrize(
    ("text", "expected"),
    [("JAN", (1,)), ("nov-feb", (1, 2, 11, 12)), ("3/4", (3, 7, 11)), ("JAN,12,apr-MAY", (1, 4, 5, 12))],
)
def test_months(text: str, expected: tuple[int, ...]) -> None:
    """Months have names in either case, and ranges reach over the end of the year."""
    assert expected == parsed(f"0 0 0 1 {text} ?").months


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2027", (2027,)), ("2030-2032", (2030, 2031, 2032)), ("2090/4", (2090, 2094, 2098))],
)
def test_years(text: str, expected: tuple[int, ...]) -> None:
    """The seventh field holds years up to 2099."""
    assert expected == tuple(parsed(f"0 0 0 1 1 ? {text}").years)


def test_every_year() -> None:
    """Without a seventh field every year from 1970 to 2099 matches."""
    assert tuple(range(1970, 2100)) == tuple(parsed("0 0 0 1 1 ?").years)


@pytest.mark.parametrize(
    ("text", "month", "expected"),
    [
        ("31", (2026, 4), ()),
        ("29", (2028, 2), (29,)),
        ("29", (2026, 2), ()),
        ("29", (2100, 2), ()),
        ("28-3", (2026, 2), (1, 2, 3, 28)),
        ("1/10", (2026, 2), (1, 11, 21)),
        ("L", (2026, 2), (28,)),
        ("L", (2028, 2), (29,)),
        ("L-3", (2026, 3), (28,)),
        ("L-30", (2026, 2), ()),
        ("LW", (2026, 2), (27,)),  # the 28th is a Saturday
        ("LW", (2026, 5), (29,)),  # the 31st is a Sunday
        ("LW", (2026, 3), (31,)),  # a Tuesday
        ("L-3W", (2026, 3), (27,)),  # the 28th is a Saturday
        ("15W", (2026, 8), (14,)),  # the 15th is a Saturday
        ("15W", (2026, 2), (16,)),  # the 15th is a Sunday
        ("15W", (2026, 4), (15,)),  # a Wednesday
        ("1W", (2026, 8), (3,)),  # the 1st is a Saturday, and July is another month
        ("1W", (2026, 3), (2,)),  # the 1st is a Sunday
        ("31W", (2026, 5), (29,)),  # the 31st is a Sunday, and June is another month
        ("31W", (2026, 4), ()),
    ],
)
def test_days_of_the_month(text: str, month: tuple[int, int], expected: tuple[int, ...]) -> None:
    """`L` and `W` stay within the month, and days that a month lacks are passed over."""
    assert expected == days_of(parsed(f"0 0 0 {text} * ?").days, *month)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6", FRIDAYS_OF_MARCH),
        ("fri", FRIDAYS_OF_MARCH),
        ("1", (1, 8, 15, 22, 29)),
        ("L", (7, 14, 21, 28)),  # alone it means Saturday
        ("FRI-MON", (1, 2, 6, 7, 8, 9, 13, 14, 15, 16, 20, 21, 22, 23, 27, 28, 29, 30)),
        ("2-6/2", (2, 4, 6, 9, 11, 13, 16, 18, 20, 23, 25, 27, 30)),
        ("TUE,THU", (3, 5, 10, 12, 17, 19, 24, 26, 31)),
        ("*", tuple(range(1, 32))),
        ("6L", (27,)),
        ("FRIL", (27,)),
        ("3L", (31,)),
        ("6#3", (20,)),
        ("FRI#3", (20,)),
        ("1#1", (1,)),
        ("MON#5", (30,)),
        ("FRI#5", ()),
    ],
)
def test_days_of_the_week(text: str, expected: tuple[int, ...]) -> None:
    """Days of the week begin with Sunday as 1; March 2026 begins on a Sunday."""
    assert expected == days_of(parsed(f"0 0 0 ? * {text}").days, 2026, 3)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "'' has 0 fields instead of 6 or 7"),
        ("0 6 * * *", "'0 6 * * *' has 5 fields instead of 6 or 7"),
        ("0 0 6 * * ? * *", "'0 0 6 * * ? * *' has 8 fields instead of 6 or 7"),
        ("60 0 6 * * ?", "seconds: 60 is not between 0 and 59"),
        ("0 ? 6 * * ?", "minutes: '?' is not a value"),
        ("0 ١ 6 * * ?", "minutes: '١' is not a value"),
        (f"0 {'1' * 5000} 6 * * ?", f"minutes: '{'1' * 5000}' is not a value"),
        ("0 0 6, * * ?", "hours: '' is not a value"),
        ("0 0 5-24 * * ?", "hours: 24 is not between 0 and 23"),
        ("0 0/0 6 * * ?", "minutes: '0' is not a step"),
        ("0 0/x 6 * * ?", "minutes: 'X' is not a step"),
        ("0 */ 6 * * ?", "minutes: '' is not a step"),
        ("0 0 6 0 * ?", "day of month: 0 is not between 1 and 31"),
        ("0 0 6 32W * ?", "day of month: 32 is not between 1 and 31"),
        ("0 0 6 L-31 * ?", "day of month: L-31 is more than 30 days before the last"),
        ("0 0 6 1W,15W * ?", "day of month: '1W' is not a value"),
        ("0 0 6 L,15 * ?", "day of month: 'L' is not a value"),
        ("0 0 6 1 FOO ?", "month: 'FOO' is not a value"),
        ("0 0 6 ? * 8", "day of week: 8 is not between 1 and 7"),
        ("0 0 6 ? * 0L", "day of week: 0 is not between 1 and 7"),
        ("0 0 6 ? * 6#6", "day of week: '6#6' is not a value"),
        ("0 0 6 ? * 2,6#3", "day of week: '6#3' is not a value"),
        (
            "0 0 6 ? * MON-FRI/2",
            "day of week: 'MON-FRI/2' has a step after a name, which Quartz passes over",
        ),
        ("0 0 6 ? * ?", "day of month and day of week are both '?'"),
        ("0 0 6 * * *", "day of month and day of week are both given: one must be '?'"),
        ("0 0 6 1 1 ? 1969", "year: 1969 is not between 1970 and 2099"),
        ("0 0 6 1 1 ? 2030-2026", "year: 2030-2026 ends before it begins"),
    ],
)
def test_what_cannot_be_read(expression: str, message: str) -> None:
    """An expression that cannot be read is refused with the field and the reason."""
    with pytest.raises(ScheduleError) as refused:
        parsed(expression)

    assert message == str(refused.value)
