"""A run that is repaired after it failed, as the page tells it."""

from datetime import timedelta
from pathlib import Path

from collector.wiring import collectors
from simulator import Options, Simulator
from tests.end_to_end.collecting import page, round_of, settings, value

QUIET = Options(jobs=0, active_runs=0, manual=True, history=timedelta(0))


def test_a_repaired_run_is_active_again_and_then_one_more_attempt(tmp_path: Path) -> None:
    """Failure, five idle hours, repair and success: two attempts with durations of their own, and no failure in a row."""
    store = f"sqlite:///{tmp_path}/store.db"
    with (
        Simulator(QUIET) as simulator,
        collectors(settings(tmp_path, simulator, store), now=simulator.now) as built,
    ):
        control = simulator.control
        job = str(control.create_job("orders"))

        def shown(name: str, **labels: str) -> float | None:
            return value(page(store, simulator.now()), f"databricks_{name}", **labels)

        def facts() -> dict[str, float | None]:
            round_of(built)
            return {
                "active": shown("job_active_runs", job_id=job),
                "running": shown("active_runs", state="RUNNING"),
                "started": shown("runs_started_total"),
                "failed": shown("job_runs_finished_total", job_id=job, result="FAILED"),
                "succeeded": shown("job_runs_finished_total", job_id=job, result="SUCCESS"),
                "seconds": shown("job_run_duration_seconds_sum", job_id=job),
                "attempts": shown("job_run_duration_seconds_count", job_id=job),
                "last seconds": shown("job_last_run_duration_seconds", job_id=job),
                "in a row": shown("job_consecutive_failures", job_id=job),
                "repairs": shown("job_run_repairs_total", job_id=job),
            }

        nothing = facts()
        control.start("first", "orders")
        running = facts()
        simulator.advance(timedelta(minutes=3))
        control.finish("first", "FAILED")
        failed = facts()
        simulator.advance(timedelta(hours=5))
        control.repair("first")
        repaired = facts()
        simulator.advance(timedelta(minutes=2))
        control.finish("first", "SUCCESS")
        succeeded = facts()

    assert {
        "active": 0, "running": 0, "started": 0, "failed": 0, "succeeded": 0,
        "seconds": 0, "attempts": 0, "last seconds": None, "in a row": 0, "repairs": 0,
    } == nothing  # fmt: skip
    assert nothing | {"active": 1, "running": 1, "started": 1} == running
    first = {"active": 0, "running": 0, "failed": 1, "attempts": 1, "in a row": 1}
    assert running | first | {"seconds": 180, "last seconds": 180} == failed
    assert failed | {"active": 1, "running": 1} == repaired
    second = {"active": 0, "running": 0, "succeeded": 1, "attempts": 2, "in a row": 0, "repairs": 1}
    assert repaired | second | {"seconds": 300, "last seconds": 120} == succeeded
