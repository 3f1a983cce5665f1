"""The API of the real program against a simulated workspace: it tells what happened, and, while Databricks is down,
how old that is.
"""

import json
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from simulator import Options, Simulator
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import Program, configured, started, workspace

QUIET = Options(jobs=3, active_runs=0, seed=4, repair_rate=0, job_changes_per_hour=0)
CROWDED = Options(jobs=200, active_runs=2000, seed=4)
WAREHOUSE = {"warehouse_id": "0a1b2c3d4e5f6071"}
SECRET = "hunter2hunter2"  # the parameter's, which nobody may see


def ask(program: Program, path: str) -> dict[str, Any]:
    """What the API answers."""
    status, text = program.get(path)
    assert status == 200, text
    answer: dict[str, Any] = json.loads(text)
    return answer


def test_a_repaired_run_with_its_tasks_and_without_its_secrets(tmp_path: Path) -> None:
    """What a run did, how it was repaired and with which parameters, as it happened in the workspace."""
    with Simulator(QUIET) as simulator:
        control = simulator.control
        parameters = [{"name": "api_token", "default": SECRET}, {"name": "day", "default": "today"}]
        control.create_job("orders", tasks=4, parameters=parameters)
        run_id = control.start("first", "orders")["run_id"]
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        with started(tmp_path, "run", "--config", config) as program:
            path = f"/api/runs/{run_id}"
            wait_until(lambda: program.get(path)[0] == 200)
            running = ask(program, path)
            control.finish("first", "FAILED", message="no space left")
            wait_until(lambda: ask(program, path)["details"] is not None)
            control.repair("first")
            wait_until(lambda: ask(program, path)["run"]["state"] == "RUNNING")
            control.finish("first")
            wait_until(lambda: ask(program, path)["run"]["attempts"] == 2)
            wait_until(lambda: bool(ask(program, path)["details"]["repairs"]))
            told, (_, text) = ask(program, path), program.get(path)

    assert ("RUNNING", None) == (running["run"]["state"], running["details"])
    assert ["FAILED", "SUCCESS"] == [attempt["result_state"] for attempt in told["attempts"]]
    details = told["details"]
    assert ["SUCCESS"] == [repair["result_state"] for repair in details["repairs"]]
    assert {"api_token": "********", "day": "today"} == {
        each["name"]: each["value"] for each in details["parameters"]
    }
    assert SECRET not in text
    assert 4 <= len(details["tasks"])
    done: set[str] = set()
    for task in details["tasks"]:
        assert {*task["depends_on"]} <= done
        done.add(task["task_key"])


def test_databricks_is_down(tmp_path: Path) -> None:
    """Every endpoint goes on answering, and says that its data are old."""
    with ExitStack() as databricks:
        simulator = databricks.enter_context(Simulator(QUIET))
        simulator.control.create_job("orders")
        run_id = simulator.control.start("first", "orders")["run_id"]
        config = configured(
            tmp_path,
            workspace(tmp_path, simulator.url, simulator.token) | WAREHOUSE,
            polling={"stale_after": "1s", "system_tables_interval": "1s", "billing_interval": "1s"},
        )
        with started(tmp_path, "run", "--config", config) as program:
            program.wait_for(1, "databricks_exporter_collector_up", collector="billing")
            wait_until(lambda: ask(program, "/api/jobs-api/active")["total_active"] == 1)
            fresh = ask(program, "/api/jobs-api/active")
            paths = [
                "/api/jobs",
                "/api/jobs/runs",
                "/api/billing/usage",
                "/api/billing/by-job",
                "/api/jobs-api/list",
                f"/api/jobs-api/runs/{fresh['runs'][0]['job_id']}",
                "/api/jobs-api/active",
                f"/api/runs/{run_id}",
            ]
            databricks.close()
            wait_until(lambda: ask(program, "/api/jobs-api/active")["stale"])
            wait_until(lambda: ask(program, "/api/jobs")["stale"])
            old = {path: ask(program, path) for path in paths}
            health = ask(program, "/api/health")

    assert not fresh["stale"]
    assert 1 == old["/api/jobs-api/active"]["total_active"]
    assert 1.0 < old["/api/jobs-api/active"]["age_seconds"] < 60.0
    assert all(answer["as_of"] for answer in old.values())
    assert old["/api/billing/usage"]["usage"]
    assert old["/api/jobs/runs"]["runs"]
    assert "degraded" == health["status"]


def test_two_thousand_active_runs(tmp_path: Path) -> None:
    """All of them are answered at once from the store, while polls come one after another."""
    with Simulator(CROWDED) as simulator:
        config = configured(
            tmp_path,
            workspace(tmp_path, simulator.url, simulator.token),
            polling={"active_interval": "1s", "lookback": "0s"},
        )
        with started(tmp_path, "run", "--config", config) as program:
            wait_until(lambda: program.get("/api/jobs-api/active")[0] == 200)
            wait_until(lambda: ask(program, "/api/jobs-api/active")["total_active"] > 1500)
            seconds: list[float] = []
            polls: set[str] = set()

            def three_polls_came() -> bool:
                began = time.perf_counter()
                status, text = program.get("/api/jobs-api/active")
                seconds.append(time.perf_counter() - began)
                answer = json.loads(text)
                assert (200, answer["total_active"]) == (status, len(answer["runs"]))
                polls.add(answer["as_of"])
                return len(polls) > 3

            wait_until(three_polls_came)

    assert median(seconds) < 0.5  # tens of milliseconds on an idle machine; `make bench` measures that
