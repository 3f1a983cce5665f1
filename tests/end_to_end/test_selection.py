"""`max_jobs` and the filters choose what the page shows, and never what is counted."""

from datetime import timedelta
from pathlib import Path

from collector.wiring import collectors
from exporter.exposition import Format, Renderer
from exporter.options import ExporterOptions
from exporter.view import view
from simulator import Options, Simulator
from tests.end_to_end.collecting import (
    Samples,
    catch_up,
    failures,
    round_of,
    samples,
    settings,
    snapshot,
    value,
)
from tests.truth import counted, differences, expected

OPTIONS = Options(
    jobs=12,
    active_runs=6,
    seed=9,
    manual=True,
    repair_rate=0,
    history=timedelta(0),
    job_changes_per_hour=0,
    one_time_rate=0,
)


def test_jobs_that_are_not_shown_are_counted_all_the_same(tmp_path: Path) -> None:
    """Whatever is filtered, the store's counters equal the truth and the workspace's totals are the same."""
    store = f"sqlite:///{tmp_path}/store.db"
    with (
        Simulator(OPTIONS) as simulator,
        collectors(settings(tmp_path, simulator, store), now=simulator.now) as built,
    ):
        round_of(built)
        for _ in range(20):
            simulator.advance(timedelta(minutes=1))
            assert set() == failures(round_of(built))
        catch_up(built)
        now, seen = simulator.now(), snapshot(store)
        truth = simulator.truth(seen.workspaces[0].horizon)

    def page(**options: object) -> Samples:
        shown = view(seen, ExporterOptions(**options), now)  # type: ignore[arg-type]  # the tests' own names
        return samples(Renderer(process=False).page(shown, Format.TEXT).decode())

    hidden = seen.workspaces[0].jobs[0].name
    whole, few, without = page(), page(max_jobs=3), page(exclude=(hidden,))
    finished = truth["totals"]["attempts_finished"]

    assert {} == differences(expected(truth), counted(seen.workspaces[0]))
    assert 12 == len(_jobs(whole))
    assert 3 == len(_jobs(few))
    assert 11 == len(_jobs(without))
    assert 9 == value(few, "databricks_exporter_series_dropped", reason="max_jobs")
    assert 1 == value(without, "databricks_exporter_series_dropped", reason="filter")
    for shown in (whole, few, without):
        assert finished == value(shown, "databricks_run_duration_seconds_count")
        assert finished == value(shown, "databricks_run_terminations_total")
        assert truth["totals"]["active"] == value(shown, "databricks_active_runs")


def _jobs(shown: Samples) -> set[str]:
    """The ids of the jobs with series of their own."""
    labels = (dict(pairs) for name, pairs in shown if name == "databricks_job_active_runs")
    return {own["job_id"] for own in labels if own["job_id"]}
