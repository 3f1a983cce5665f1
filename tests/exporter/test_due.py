"""When jobs are due, as pages show it and as they keep up with it."""

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

from collector.core.snapshot import JobFacts
from exporter.due import NEVER, Due, Timetable
from exporter.pages import Pages, Variant
from exporter.view import DUE_EVERY, view
from tests.exporter.snapshots import facts, options, snapshot, text, workspace
from tests.exporter.store import Clock, MemoryStore
from tests.make import NOON, at, make_job

HOURLY = {"quartz_cron_expression": "0 30 * * * ?", "timezone_id": "UTC"}
FOUR_HOURS = {"periodic_interval": 4, "periodic_unit": "HOURS"}
EVERY_SECOND = {"quartz_cron_expression": "* * * * * ?", "timezone_id": "UTC"}


def dues(page: str) -> dict[str, datetime]:
    """The due times on a page: `last` and `next`, as far as it shows them."""
    found = re.findall(r"^databricks_job_(last|next)_due_timestamp_seconds{.*} (\S+)$", page, re.MULTILINE)
    return {which: datetime.fromtimestamp(float(value), UTC) for which, value in found}


def test_page_shows_due_times() -> None:
    """A scheduled job shows when it was last due and when it will be."""
    page = text(snapshot(workspace(facts(definition=HOURLY))))

    assert {"last": at(-1800), "next": at(1800)} == dues(page)


@pytest.mark.parametrize(
    "job",
    [
        facts(),
        facts(job=None),
        facts(deleted=at(-60), definition=HOURLY),
        facts(definition={**HOURLY, "paused": True}),
        facts(definition={"continuous": True}),
        facts(definition={**FOUR_HOURS, "paused": True}),
        facts(definition=FOUR_HOURS, last_start=None),
        facts(definition={**FOUR_HOURS, "periodic_unit": "MOONS"}),
    ],
    ids=["by hand", "not defined", "deleted", "paused", "continuous", "paused period", "never seen", "moons"],
)
def test_no_due_times(job: JobFacts) -> None:
    """A job that no schedule will start has no due series."""
    assert {} == dues(text(snapshot(workspace(job))))


@pytest.mark.parametrize(
    ("started", "defined", "last", "following"),
    [
        (-3600, -90_000, -3600, 10_800),
        (-18_000, -90_000, -3600, 10_800),
        (-36_000, -7200, None, 7200),
        (-90_000, -18_000, -3600, 10_800),
    ],
    ids=["in time", "one missed", "resumed since", "missed since resumed"],
)
def test_periodic_triggers(started: float, defined: float, last: float | None, following: float) -> None:
    """Every four hours, counted from the latest start, or from when the definition changed."""
    job = facts(definition=FOUR_HOURS, last_start=at(started), defined=at(defined))

    found = dues(text(snapshot(workspace(job))))

    assert {"next": at(following)} | ({"last": at(last)} if last is not None else {}) == found


def test_new_job_has_missed_nothing() -> None:
    """A due time before the job was created is not shown, also when an older job shares the schedule."""
    old = facts("7", definition={**HOURLY, "created": at(-86_400)})
    new = facts("8", definition={**HOURLY, "created": at(-60)})

    page = text(snapshot(workspace(old, new)))

    assert 'databricks_job_last_due_timestamp_seconds{job_id="7"' in page
    assert 'databricks_job_last_due_timestamp_seconds{job_id="8"' not in page
    assert 'databricks_job_next_due_timestamp_seconds{job_id="8"' in page


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        ({**HOURLY, "quartz_cron_expression": "hourly"}, "'hourly' has 1 fields instead of 6 or 7"),
        ({**HOURLY, "timezone_id": "Moon"}, "no time zone is called 'Moon'"),
    ],
)
def test_unreadable_schedule(schedule: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture) -> None:
    """A schedule that cannot be read costs its own series only, and is logged once with the reason."""
    timetable = Timetable()
    shown = snapshot(workspace(facts("7", definition=schedule), facts("8", definition=HOURLY)))

    with caplog.at_level(logging.WARNING):
        for now in (NOON, at(60)):
            seen = view(shown, options(), now, timetable=timetable)

    assert [NEVER, Due(at(-1800), at(1800))] == [job.due for job in seen.workspaces[0].jobs]
    assert [reason] == [record.getMessage().partition(": ")[2] for record in caplog.records]


def test_view_is_true_until_a_job_is_due() -> None:
    """A view ends just before the next due time, and because of due times alone never within five seconds."""
    lasting = {"stale_after": timedelta(days=1)}
    hourly = snapshot(workspace(facts(definition=HOURLY)))
    often = snapshot(workspace(facts(definition=EVERY_SECOND)))

    assert at(1800) - timedelta.resolution == view(hourly, options(**lasting), NOON).good_until
    assert NOON + DUE_EVERY == view(often, options(**lasting), NOON).good_until


def test_page_follows_the_clock() -> None:
    """When a due time passes the page is rendered again, though the store did not change."""
    clock = Clock()
    shown = snapshot(workspace(facts(definition={**HOURLY, "quartz_cron_expression": "10 * * * * ?"})))
    pages = Pages(MemoryStore(shown), options(), clock)
    pages.refresh()
    before = pages.finished(Variant())

    clock.now = at(10)
    pages.refresh()
    after = pages.finished(Variant())

    assert before
    assert after
    assert {"last": at(-50), "next": at(10)} == dues(before.decode())
    assert {"last": at(10), "next": at(70)} == dues(after.decode())


def test_timetable_answers_like_a_new_one() -> None:
    """What is remembered never differs from what would be computed, in whichever direction the clock moves."""
    jobs = [make_job(**HOURLY), make_job(**EVERY_SECOND), make_job(**HOURLY, created=at(-600))]
    kept = Timetable(most=1)

    for seconds in (0, 1, 1799, 1800, 1801, 7200, -7200, 0):
        for job in jobs:
            assert Timetable().due(facts(job=job), at(seconds)) == kept.due(facts(job=job), at(seconds))
