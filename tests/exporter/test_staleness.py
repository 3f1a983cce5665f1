"""What time alone takes off the page."""

from datetime import timedelta

import pytest

from collector.core.model import Measure
from collector.core.snapshot import CollectorState
from exporter.view import view
from tests.exporter.snapshots import active, collector, counter, facts, options, snapshot, text, workspace
from tests.make import at

LIVE = (
    "databricks_active_runs",
    "databricks_queued_runs",
    "databricks_job_active_runs",
    "databricks_job_queued_runs",
    "databricks_job_oldest_active_run_start_timestamp_seconds",
    "databricks_job_oldest_queued_run_timestamp_seconds",
)
BUSY = workspace(
    facts(last_end=at(-600)),
    active_runs=(active(state="QUEUED"),),
    counters={Measure.RUNS_FINISHED: (counter(5, "SUCCESS", job_id="7"),)},
)


def families(page: str) -> set[str]:
    """The names that the page announces."""
    return {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}


def test_live_state_ends_at_its_instant() -> None:
    """Up to `stale_after` past the last success the live gauges are shown, and not a moment longer."""
    shown = snapshot(BUSY)

    until = families(text(shown, at(58)))
    after = families(text(shown, at(58.001)))

    assert set(LIVE) <= until
    assert set(LIVE) == until - after


def test_counters_and_timestamps_stay() -> None:
    """An outage of Databricks makes no counter vanish."""
    page = text(snapshot(BUSY), at(86400))

    assert 'job_name="orders",result="SUCCESS",workspace="prod"} 5.0' in page
    assert "databricks_job_last_run_end_timestamp_seconds{" in page
    assert 'databricks_exporter_collector_up{collector="live",workspace="prod"} 1.0' in page


@pytest.mark.parametrize(
    "collectors",
    [(), (collector(last_success=None, error="refused"),), (collector("definitions"),)],
    ids=["no poll", "no success", "another collector"],
)
def test_no_live_state_before_a_success(collectors: tuple[CollectorState, ...]) -> None:
    """A workspace that was never seen does not look idle."""
    page = text(snapshot(workspace(facts(), collectors=collectors)))

    assert not set(LIVE) & families(page)


def test_workspaces_become_stale_one_by_one() -> None:
    """One unreachable workspace takes nothing from the others."""
    lost = workspace(facts(), name="lab", collectors=(collector(last_success=at(-3600)),))

    page = text(snapshot(BUSY, lost))

    assert 'databricks_job_active_runs{job_id="7",job_name="orders",workspace="prod"} 1.0' in page
    assert 'databricks_job_active_runs{job_id="7",job_name="orders",workspace="lab"}' not in page


def test_view_knows_its_next_instant() -> None:
    """The view says until when it is true: the next workspace's end, never one that has passed."""
    lost = workspace(name="lab", collectors=(collector(last_success=at(-3600)),))
    shown = snapshot(BUSY, lost)

    assert at(58) == view(shown, options(), at(0)).good_until
    assert view(shown, options(stale_after=timedelta(0)), at(0)).good_until is None
