"""`collect` and `serve` over one store show what `run` shows."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from simulator import Control, Options, Simulator
from tests.end_to_end.collecting import Samples
from tests.end_to_end.program import Program, configured, started, workspace

QUIET = Options(
    jobs=8,
    active_runs=0,
    seed=4,
    history=timedelta(hours=6),
    history_runs=40,
    repair_rate=0,
    job_changes_per_hour=0,
)
OF_THE_PROCESS = ("python_", "process_")
OF_THE_POLLS = (
    "databricks_exporter_api_requests_total",
    "databricks_exporter_collector_duration_seconds",
    "databricks_exporter_collector_last_success_timestamp_seconds",
    "databricks_exporter_polls_missed_total",
    "databricks_exporter_store_bytes",
    "databricks_exporter_store_rows",
)
"""What is equal in name and labels only."""


def act(control: Control, programs: Sequence[Program]) -> None:
    """A run succeeds, one fails and is repaired, one fails and runs on repaired, one waits; all look at each step."""
    control.finish("succeeds")
    control.finish("fails", "FAILED")
    control.finish("runs on", "FAILED")
    for program in programs:
        program.wait_for(3, "databricks_job_run_duration_seconds_count")
    control.repair("fails")
    control.repair("runs on")
    control.finish("fails")
    control.start("waits", "orders", state="QUEUED", code="MAX_CONCURRENT_RUNS_REACHED")
    for program in programs:
        program.wait_for(2, "databricks_job_active_runs")
        program.wait_for(1, "databricks_job_queued_runs")
        program.wait_for(1, "databricks_job_run_repairs_total")
        program.wait_for(4, "databricks_job_run_duration_seconds_count")


def values(shown: Samples) -> Samples:
    """The samples whose values have to be equal."""
    return {
        key: number
        for key, number in shown.items()
        if not key[0].startswith(OF_THE_PROCESS) and key[0] not in OF_THE_POLLS
    }


def test_collect_and_serve_show_the_page_of_run(tmp_path: Path) -> None:
    """Over a quiet workspace, every databricks_ sample is equal but for times, durations and sizes of their own polls."""
    with Simulator(QUIET) as simulator:
        control = simulator.control
        control.pause()
        control.create_job("orders", max_concurrent_runs=10)
        for name in ("succeeds", "fails", "runs on"):
            control.start(name, "orders")
        one, two = tmp_path / "one", tmp_path / "two"
        one.mkdir()
        two.mkdir()
        configs = [
            configured(
                folder, workspace(folder, simulator.url, simulator.token), jobs={"tag_labels": ["team"]}
            )
            for folder in (one, two)
        ]
        with (
            started(one, "run", "--config", configs[0]) as run,
            started(two, "serve", "--config", configs[1], name="serve") as serve,
            started(two, "collect", "--config", configs[1], name="collect") as collect,
        ):
            for program in (run, serve):
                program.wait_for(1, "databricks_exporter_collector_up", collector="lookback")
            act(control, (run, serve))
            pages = [run.samples(), serve.samples()]
            collecting = collect.running

    assert collecting
    assert values(pages[0]) == values(pages[1])
    assert names(pages[0]) == names(pages[1])


def names(shown: Samples) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Everything of the product that is shown, without the values."""
    return {key for key in shown if not key[0].startswith(OF_THE_PROCESS)}
