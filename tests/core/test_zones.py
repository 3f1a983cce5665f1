"""Time zones under the names that Java gives them."""

from datetime import UTC, datetime, timedelta

import pytest

from collector.core.quartz import ScheduleError
from collector.core.zones import JAVA_SHORT_IDS, zone

JULY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timezone_id", "hours"),
    [
        ("UTC", 0),
        ("GMT", 0),
        ("Europe/Berlin", 2),
        ("Asia/Kathmandu", 5.75),
        ("PST", -7),
        ("BST", 6),
        ("GMT+2", 2),
        ("GMT-3", -3),
        ("GMT+0530", 5.5),
        ("GMT-09:30", -9.5),
        ("Etc/GMT-3", 3),
    ],
)
def test_offset(timezone_id: str, hours: float) -> None:
    """A zone has the offset that Java gives it, also where Java alone knows the name."""
    assert timedelta(hours=hours) == JULY.astimezone(zone(timezone_id)).utcoffset()


@pytest.mark.parametrize("short", sorted(JAVA_SHORT_IDS))
def test_short_ids(short: str) -> None:
    """Every short id stands for a zone that exists."""
    assert JAVA_SHORT_IDS[short] == str(zone(short))


@pytest.mark.parametrize(
    "timezone_id", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "GMT+24", "a\0b"]
)
def test_unknown_zone(timezone_id: str) -> None:
    """An id that is no zone is refused by name, whatever it looks like."""
    with pytest.raises(ScheduleError) as refused:
        zone(timezone_id)

    assert f"no time zone is called {timezone_id!r}" == str(refused.value)
