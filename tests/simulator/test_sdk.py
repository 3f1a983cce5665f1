"""The unmodified databricks-sdk works against the simulated workspace."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from datetime import timedelta
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceDoesNotExist,
    Unauthenticated,
)

from simulator import Control
from tests.simulator.raw import RUNS, ask


def client(sim, **auth) -> WorkspaceClient:
    auth = auth or {"token": sim.token}
    kind = "pat" if "token" in auth else "oauth-m2m"
    return WorkspaceClient(
        config=Config(host=sim.url, auth_type=kind, retry_timeout_seconds=1, http_timeout_seconds=5, **auth)
    )


def test_lists_are_walked_to_their_end(lively):
    """`list_runs` and `jobs.list` give everything there is."""
    workspace = client(lively)

    runs = list(workspace.jobs.list_runs(limit=25))
    jobs = list(workspace.jobs.list(limit=7))

    totals = lively.truth()["totals"]
    assert (totals["runs"], totals["jobs"]) == (len(runs), len(jobs))


def test_expanded_runs_are_completed_by_the_client(make_simulator):
    """A run with more than a hundred tasks is flagged, and the client fetches the rest by itself."""
    sim = make_simulator(jobs=1, active_runs=0)
    sim.control.create_job("wide", tasks=130)
    sim.control.start("alpha", job="wide")
    raw = ask(sim, RUNS, expand_tasks="true").json["runs"][0]

    (run,) = client(sim).jobs.list_runs(expand_tasks=True)

    assert (100, True) == (len(raw["tasks"]), raw["has_more"])
    assert 130 == len({task.run_id for task in run.tasks})


def test_a_run_with_many_tasks_is_merged_from_its_pages(make_simulator):
    """`get_run` gives all tasks and the whole history of a repaired run with 260 task runs."""
    sim = make_simulator(jobs=1, active_runs=0)
    sim.control.create_job("wide", tasks=130)
    started = sim.control.start("alpha", job="wide")
    sim.control.finish("alpha", "FAILED")
    sim.control.repair("alpha")

    run = client(sim).jobs.get_run(started["run_id"], include_history=True)

    assert 260 == len({task.run_id for task in run.tasks})
    assert [130, 130] == [len(item.task_run_ids) for item in run.repair_history]


def test_a_job_with_many_tasks_is_merged_from_its_pages(make_simulator):
    """`jobs.get` gives all tasks, and the owner that the list does not show."""
    sim = make_simulator(jobs=1, active_runs=0)
    job_id = sim.control.create_job("wide", tasks=250)

    job = client(sim).jobs.get(job_id)

    assert 250 == len({task.task_key for task in job.settings.tasks})
    assert job.run_as_user_name


def test_errors_become_the_classes_that_clients_catch(quiet, control):
    """A missing run, a wrong parameter, a refused token and a forbidden call raise what they raise in production."""
    workspace = client(quiet)

    with pytest.raises(ResourceDoesNotExist):
        workspace.jobs.get_run(12)
    with pytest.raises(ResourceDoesNotExist):
        workspace.jobs.get(12)
    with pytest.raises(InvalidParameterValue):
        list(workspace.jobs.list_runs(limit=26))
    with pytest.raises(Unauthenticated):
        list(client(quiet, token="wrong").jobs.list())
    control.fault("forbidden")
    with pytest.raises(PermissionDenied):
        list(workspace.jobs.list())


def test_throttling_exhausts_the_client(quiet, control):
    """A client that is throttled without end gives up when its budget is spent."""
    workspace = client(quiet)
    control.fault("throttled")

    with pytest.raises(TimeoutError):
        list(workspace.jobs.list())

    assert {"429"} == control.requests()["total"]["GET /api/2.2/jobs/list"].keys()


def test_identity_and_warehouses(quiet):
    """The principal, the workspace id and the warehouses are there."""
    workspace = client(quiet)

    (warehouse,) = workspace.warehouses.list()

    assert "simulated@example.com" == workspace.current_user.me().user_name
    assert 4711 == workspace.get_workspace_id()
    assert "STOPPED" == workspace.warehouses.get(warehouse.id).state.value
    assert warehouse.odbc_params.path.endswith(warehouse.id)
    with pytest.raises(ResourceDoesNotExist):
        workspace.warehouses.get("none")


def test_machine_to_machine(quiet, control):
    """A client id and its secret are exchanged for a token."""
    workspace = client(quiet, client_id=quiet.client_id, client_secret=quiet.client_secret)

    list(workspace.jobs.list())

    total = control.requests()["total"]
    assert {"200": 1} == total["POST /oidc/v1/token"]
    assert {"200": 1} == total["GET /api/2.2/jobs/list"]


def test_expired_tokens_are_refused(make_simulator):
    """An OAuth token works for its lifetime and not longer; a client that knows the lifetime renews it."""
    sim = make_simulator(jobs=1, active_runs=0, token_lifetime=0.3)
    token = token_for(sim, sim.client_id, sim.client_secret)
    first = ask(sim, RUNS, token=token).status
    deadline = time.monotonic() + 5
    while ask(sim, RUNS, token=token).status == 200 and time.monotonic() < deadline:
        time.sleep(0.02)

    assert (200, 401) == (first, ask(sim, RUNS, token=token).status)
    workspace = client(sim, client_id=sim.client_id, client_secret=sim.client_secret)
    list(workspace.jobs.list())
    list(workspace.jobs.list())
    assert sim.control.requests()["total"]["POST /oidc/v1/token"]["200"] >= 3


def test_issued_tokens_can_be_ended(quiet, control):
    """`expire_issued` ends the OAuth tokens at once, and no personal access token."""
    token = token_for(quiet, quiet.client_id, quiet.client_secret)

    control.credentials(expire_issued=True)

    assert [401, 200] == [ask(quiet, RUNS, token=token).status, ask(quiet, RUNS).status]


@pytest.mark.parametrize(
    ("secret", "form", "error"),
    [
        ("wrong", {}, (401, "invalid_client")),
        ("simulated-secret", {"grant_type": "password"}, (400, "unsupported_grant_type")),
        ("simulated-secret", {"scope": "everything"}, (400, "invalid_scope")),
    ],
)
def test_the_token_endpoint_is_strict(quiet, secret, form, error):
    """A wrong secret, grant or scope gets no token."""
    with pytest.raises(HTTPError) as refused:
        token_for(quiet, quiet.client_id, secret, **form)

    with refused.value as answer:
        assert error == (answer.code, json.load(answer)["error"])


def token_for(sim, client_id, secret, **form) -> str:
    body = urlencode({"grant_type": "client_credentials", "scope": "all-apis", **form}).encode()
    basic = b64encode(f"{client_id}:{secret}".encode()).decode()
    request = urllib.request.Request(
        sim.url + "/oidc/v1/token", data=body, headers={"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["access_token"]


def test_the_program_says_where_it_is_and_stops():
    """`python -m simulator` prints its address in one line, serves, and ends with SIGTERM."""
    command = [sys.executable, "-m", "simulator", "--jobs", "3", "--active-runs", "2", "--speed", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            url = program.stdout.readline().split()[3]
            jobs = Control(url).truth()["totals"]["jobs"]
        finally:
            program.terminate()

    assert (3, 0) == (jobs, program.returncode)
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 1),
    ):
        pass


def test_ten_thousand_jobs_start_within_seconds(make_simulator):
    """A large workspace is there soon, and as busy as it should be."""
    began = time.monotonic()

    sim = make_simulator(jobs=10_000, active_runs=2_000, history=timedelta(hours=1))

    assert 1_900 <= sim.truth()["totals"]["active"] <= 2_100
    assert time.monotonic() - began < 15
