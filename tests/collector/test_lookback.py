"""The look back: what an outage hid is found, each attempt counts once, and a look back that failed is repeated."""

from datetime import timedelta
from typing import Any

from collector.core.model import Collector, Measure
from collector.lookback import due, lookback
from collector.poll import execute
from tests.collector.desks import Office
from tests.sources.scripted import scripted

LIST = "/api/2.2/jobs/runs/list"


def is_due(office: Office) -> bool:
    """Whether a look back is wanted now."""
    return due(office.desk(Collector.LOOKBACK, interval=timedelta(hours=1)), office.simulator.now())


def test_a_look_back_follows_the_first_live_poll_and_then_its_interval(office: Office) -> None:
    """It never comes first, because counting begins with a live poll."""
    control = office.simulator.control

    before = is_due(office)
    office.poll()
    at_start = is_due(office)
    office.poll(Collector.LOOKBACK)
    done = is_due(office)
    for _ in range(8):
        office.poll(after=480)
    hour_later = is_due(office)

    assert (False, True, False, True) == (before, at_start, done, hour_later)
    assert control.requests()["requests"] > 0


def test_what_an_outage_longer_than_the_overlap_hid_is_found(office: Office) -> None:
    """A short run in the middle of a long outage is on no list of a live poll; the look back counts it once."""
    control = office.simulator.control
    office.poll()
    office.poll(Collector.LOOKBACK)
    control.advance(1800)
    control.start("hidden", "orders")
    control.finish("hidden", "FAILED")
    control.advance(1800)

    office.poll()
    missed = office.counted(Measure.RUNS_FINISHED)
    wanted = is_due(office)
    office.poll(Collector.LOOKBACK)
    office.poll(Collector.LOOKBACK)

    assert (0, True) == (missed, wanted)
    assert 1 == office.counted(Measure.RUNS_FINISHED)


def test_a_failed_look_back_is_wanted_again(office: Office) -> None:
    """Its watermark stays, whatever some of its windows have brought."""
    control = office.simulator.control
    office.poll()
    control.fault("forbidden", endpoint=LIST)

    failed = office.poll(Collector.LOOKBACK)
    wanted = is_due(office)
    control.clear_faults()
    repeated = office.poll(Collector.LOOKBACK)

    assert ("refused", True) == (failed.error, wanted)
    assert "" == repeated.error
    assert not is_due(office)


def test_progress_is_told_window_by_window(office: Office) -> None:
    """Three hours are three windows and the piece that is left."""
    office.poll()

    office.poll(Collector.LOOKBACK)

    assert office.progress
    assert [(done, len(office.progress)) for done in range(1, len(office.progress) + 1)] == office.progress


def test_a_run_on_two_pages_of_a_window_counts_once(make_office: Any, workspace: Any) -> None:
    """Pages shift while they are read, so that the last of one is the first of the next."""
    start_ms = round(workspace.now().timestamp() * 1000) + 20_000
    run = {
        "run_id": 815,
        "job_id": 7,
        "run_type": "JOB_RUN",
        "start_time": start_ms,
        "end_time": start_ms + 5_000,
        "run_duration": 5_000,
        "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED"},
    }
    pages = [{}, {}, {"runs": [run], "next_page_token": "more"}, {"runs": [run]}, {}]
    with scripted({"/.well-known/databricks-config": [{}], LIST: pages}) as server:
        office = make_office(url=server.url)
        office.poll()
        workspace.advance(timedelta(seconds=60))

        # one window, so that both pages are its own
        execute(office.desk(Collector.LOOKBACK, lookback=timedelta(minutes=10)), lookback)

    assert 1 == office.counted(Measure.RUNS_STARTED)
    assert 1 == office.counted(Measure.RUNS_FINISHED)
    assert 1 == office.counted(Measure.TERMINATIONS)
