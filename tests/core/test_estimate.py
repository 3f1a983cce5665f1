"""What watching a workspace costs, against counts by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from collector.core import estimate
from collector.core.estimate import (
    Load,
    Pace,
    never_stops,
    recommended_interval,
    requests,
    warehouse_minutes,
)
from collector.sources import jobs_api

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
USUAL = Pace(
    active=timedelta(seconds=5),
    definitions=5 * MINUTE,
    overlap=10 * MINUTE,
    lookback=timedelta(days=1),
    lookback_interval=HOUR,
)
IDLE = Load(jobs=0, active_runs=0, runs_per_hour=0)


def test_an_idle_workspace_takes_two_requests_per_poll() -> None:
    """One page of active runs and one of finished runs, twelve times a minute; empty lists are asked for as well."""
    expected = requests(IDLE, USUAL)

    assert 24 == expected.live
    assert 0 == expected.details
    assert 1 / 5 == pytest.approx(expected.definitions)
    assert 25 / 60 == pytest.approx(expected.lookback)
    assert 24 + 1 / 5 + 25 / 60 == pytest.approx(expected.total)


@pytest.mark.parametrize(("active", "pages"), [(1, 1), (25, 1), (26, 2), (100, 4), (130, 6), (2000, 80)])
def test_active_runs_take_a_page_for_every_25(active: int, pages: int) -> None:
    """Twelve polls a minute read so many pages, and one of finished runs each; several readers may begin a page more."""
    assert 12 * (pages + 1) == requests(replace(IDLE, active_runs=active), USUAL).live


def test_what_ends_takes_one_request_each_and_once_a_minute_the_overlap() -> None:
    """600 runs an hour are 10 a minute, and 100 or four pages in ten minutes, of which every poll reads the first."""
    expected = requests(replace(IDLE, runs_per_hour=600), USUAL)

    assert 10 == expected.details
    assert 24 + 3 == expected.live
    assert 25 * 24 / 60 == pytest.approx(expected.lookback)


def test_polls_that_are_minutes_apart_read_the_overlap_each_time() -> None:
    """A poll every two minutes reads all four pages of the overlap, not once a minute."""
    expected = requests(replace(IDLE, runs_per_hour=600), replace(USUAL, active=2 * MINUTE))

    assert (1 + 4) / 2 == expected.live


def test_definitions_take_a_page_for_every_100_jobs() -> None:
    """250 jobs are three pages every five minutes, of the size that the Jobs API is asked for."""
    assert 3 / 5 == pytest.approx(requests(replace(IDLE, jobs=250), USUAL).definitions)
    assert estimate.JOBS_PAGE == jobs_api.JOBS_PAGE


@pytest.mark.parametrize(
    ("interval", "auto_stop", "minutes"),
    [
        (5 * MINUTE, 10 * MINUTE, 1440),
        (10 * MINUTE, 10 * MINUTE, 1440),
        (HOUR, 10 * MINUTE, 264),
        (HOUR, HOUR, 1440),
        (24 * HOUR, 10 * MINUTE, 11),
        (7 * 24 * HOUR, timedelta(0), 1440),
    ],
)
def test_each_reading_keeps_the_warehouse_for_its_auto_stop(
    interval: timedelta, auto_stop: timedelta, minutes: int
) -> None:
    """A minute of reading and the auto-stop, as often as the interval fits into a day; never more than the day."""
    assert minutes == warehouse_minutes(interval, auto_stop)
    assert (minutes == 1440) is never_stops(interval, auto_stop)


@pytest.mark.parametrize("auto_stop", [MINUTE, 10 * MINUTE, 45 * MINUTE, 2 * HOUR, 6 * HOUR])
def test_the_recommended_interval_lets_the_warehouse_stop(auto_stop: timedelta) -> None:
    """It stands still for more than half of the day."""
    assert warehouse_minutes(recommended_interval(auto_stop), auto_stop) < 720
