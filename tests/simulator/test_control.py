"""Control moves single runs and jobs, and the API shows it."""

from datetime import timedelta
from urllib.request import Request, urlopen

import pytest

from simulator import ControlError
from tests.simulator.raw import JOB, JOBS, RUN, RUNS, ask, walk


def get(sim, run):
    return ask(sim, RUN, run_id=run["run_id"], include_history="true").json


def test_a_started_run_stays_as_it_is(quiet, control):
    """A run that control starts keeps its state until control moves it."""
    run = control.start("alpha", state="PENDING", trigger="PERIODIC")
    control.advance(100_000)

    seen = get(quiet, run)

    assert ("PENDING", "PENDING", "PERIODIC") == (
        seen["status"]["state"],
        seen["state"]["life_cycle_state"],
        seen["trigger"],
    )
    assert (0, 0) == (seen["end_time"], seen["run_duration"])


@pytest.mark.parametrize(
    ("state", "life_cycle"),
    [
        ("PENDING", "PENDING"),
        ("BLOCKED", "BLOCKED"),
        ("RUNNING", "RUNNING"),
        ("WAITING", "WAITING_FOR_RETRY"),
        ("TERMINATING", "TERMINATING"),
        ("NEW_WORD", "NEW_WORD"),
    ],
)
def test_both_spellings_of_a_state(quiet, control, state, life_cycle):
    """Old `state` and new `status` are both sent, each in its own words."""
    run = control.start("alpha")

    control.state("alpha", state)

    seen = get(quiet, run)
    assert (state, life_cycle) == (seen["status"]["state"], seen["state"]["life_cycle_state"])
    assert "result_state" not in seen["state"]
    assert (state == "TERMINATING") == ("termination_details" in seen["status"])


def test_a_queued_run_says_why(quiet, control):
    """A queued run carries the code of the queue, and its queueing time once it has left."""
    run = control.start("alpha", state="QUEUED", code="ACTIVE_RUNS_LIMIT_REACHED")
    queued = get(quiet, run)
    control.advance(30)
    control.state("alpha", "RUNNING")

    running = get(quiet, run)

    assert "ACTIVE_RUNS_LIMIT_REACHED" == queued["status"]["queue_details"]["code"]
    assert "queue_duration" not in queued
    assert 30_000 == running["queue_duration"]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("SUCCESS", ("TERMINATED", "SUCCESS", "SUCCESS")),
        ("SUCCESS_WITH_FAILURES", ("TERMINATED", "SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES")),
        ("FAILED", ("TERMINATED", "FAILED", "RUN_EXECUTION_ERROR")),
        ("TIMEDOUT", ("TERMINATED", "TIMEDOUT", "CANCELED")),
        ("CANCELED", ("TERMINATED", "CANCELED", "USER_CANCELED")),
        ("SKIPPED", ("SKIPPED", None, "SKIPPED")),
        ("INTERNAL_ERROR", ("INTERNAL_ERROR", None, "INTERNAL_ERROR")),
        ("EXCLUDED", ("TERMINATED", "EXCLUDED", "SKIPPED")),
        ("A_RESULT_OF_2031", ("TERMINATED", "A_RESULT_OF_2031", "RUN_EXECUTION_ERROR")),
    ],
)
def test_results_come_in_their_usual_pairs(quiet, control, result, told):
    """Each result is told by both objects as the reference pairs them."""
    run = control.start("alpha")

    control.finish("alpha", result)

    seen = get(quiet, run)
    state, status = seen["state"], seen["status"]
    shown = (state["life_cycle_state"], state.get("result_state"), status["termination_details"]["code"])
    assert told == shown
    assert "TERMINATED" == status["state"]


def test_code_and_type_can_be_chosen(quiet, control):
    """A finish may name any termination code and type."""
    run = control.start("alpha")

    control.finish("alpha", "FAILED", code="CLOUD_FAILURE", type="CLOUD_FAILURE", message="No capacity.")

    details = get(quiet, run)["status"]["termination_details"]
    assert {"code": "CLOUD_FAILURE", "type": "CLOUD_FAILURE", "message": "No capacity."} == details


def test_a_repair_makes_a_run_active_again(quiet, control):
    """Under the same id the run is active again, and ends with the end of the repair."""
    run = control.start("alpha", job=first_job(quiet))
    control.advance(60)
    control.finish("alpha", "FAILED")
    failed = get(quiet, run)
    control.advance(3600)
    control.repair("alpha")
    repairing = get(quiet, run)
    listed = [item["run_id"] for item in walk(quiet, active_only="true")]
    control.advance(20)
    control.finish("alpha", "SUCCESS")

    repaired = get(quiet, run)

    assert ("FAILED", 60_000, False) == (
        failed["state"]["result_state"],
        failed["run_duration"],
        "repair_history" in failed,
    )
    assert ("RUNNING", 0, 60_000) == (
        repairing["status"]["state"],
        repairing["end_time"],
        repairing["run_duration"],
    )
    assert [run["run_id"]] == listed
    assert ("SUCCESS", 80_000) == (repaired["state"]["result_state"], repaired["run_duration"])
    assert failed["end_time"] + 3_620_000 == repaired["end_time"]


def test_the_repair_history_names_the_task_runs(quiet, control):
    """Each attempt of the history has its own result, its own times and its own task runs, under new ids."""
    run = control.start("alpha")
    control.finish("alpha", "FAILED")
    control.advance(5)
    control.repair("alpha")
    control.advance(1)
    control.finish("alpha")

    seen = get(quiet, run)

    original, repair = seen["repair_history"]
    assert ("ORIGINAL", "REPAIR") == (original["type"], repair["type"])
    assert ("FAILED", "SUCCESS") == (original["state"]["result_state"], repair["state"]["result_state"])
    assert ("id" in original, "id" in repair) == (False, True)
    assert 5_000 == repair["start_time"] - original["end_time"]
    assert [task["run_id"] for task in seen["tasks"]] == original["task_run_ids"] + repair["task_run_ids"]
    assert [0, 1] == [task["attempt_number"] for task in seen["tasks"]]


def test_history_is_given_only_when_asked_for(quiet, control):
    """Without `include_history` there is no repair history."""
    run = control.start("alpha")
    control.finish("alpha", "FAILED")
    control.repair("alpha")

    assert "repair_history" not in ask(quiet, RUN, run_id=run["run_id"]).json


def test_phases_of_a_finished_run(quiet, control):
    """Run-level phases are 0; those of its task runs add up to the time after the queue."""
    run = control.start("alpha", state="QUEUED", code="MAX_CONCURRENT_RUNS_REACHED")
    control.advance(10)
    control.state("alpha", "RUNNING")
    control.advance(100)
    control.finish("alpha")

    seen = get(quiet, run)

    names = ("setup_duration", "execution_duration", "cleanup_duration")
    assert [0, 0, 0] == [seen[name] for name in names]
    assert [10_000, 85_000, 5_000] == [seen["tasks"][0][name] for name in names]
    assert (10_000, 110_000) == (seen["queue_duration"], seen["run_duration"])


def test_cancelling_a_run(quiet, control):
    """A cancelled run says that a user did it."""
    run = control.start("alpha")

    control.cancel("alpha")

    seen = get(quiet, run)
    assert ("CANCELED", True) == (
        seen["state"]["result_state"],
        seen["state"]["user_cancelled_or_timedout"],
    )


def test_a_controlled_failure_is_repaired_by_control_only(make_simulator):
    """Activity leaves alone what control started, also where repairs are certain."""
    sim = make_simulator(jobs=20, active_runs=2, repair_rate=1.0, history=timedelta(0))
    control = sim.control
    control.start("alpha", job=first_job(sim))
    control.finish("alpha", "FAILED")

    control.advance(86_400)

    assert 1 == control.run("alpha")["attempts"]


def test_one_time_runs_have_a_job_of_their_own(quiet, control):
    """A submitted run has a job id that neither the job list nor another run has."""
    first, second = control.start("alpha"), control.start("beta", run_type="WORKFLOW_RUN")

    assert first["job_id"] != second["job_id"]
    assert 400 == ask(quiet, JOB, job_id=first["job_id"]).status
    assert ["WORKFLOW_RUN", "SUBMIT_RUN"] == sorted((run["run_type"] for run in walk(quiet)), reverse=True)


def test_jobs_are_created_edited_and_deleted(quiet, control):
    """A job appears first in the list, changes its name, and leaves the list while its runs stay."""
    control.advance(1)
    job_id = control.create_job("nightly", timeout_seconds=60, tags={"team": "ml"})
    created = ask(quiet, JOBS).json["jobs"][0]
    control.edit_job("nightly", new_name="Größe/täglich", tags=None)
    renamed = ask(quiet, JOB, job_id=job_id).json
    run = control.start("alpha", job="Größe/täglich")
    control.delete_job("Größe/täglich")

    remaining = [job["job_id"] for job in walk(quiet, JOBS, "jobs")]

    assert (job_id, "nightly", 60, {"team": "ml"}) == (
        created["job_id"],
        created["settings"]["name"],
        created["settings"]["timeout_seconds"],
        created["settings"]["tags"],
    )
    assert ("Größe/täglich", False) == (renamed["settings"]["name"], "tags" in renamed["settings"])
    assert job_id not in remaining
    assert 400 == ask(quiet, JOB, job_id=job_id).status
    assert [run["run_id"]] == [item["run_id"] for item in walk(quiet, job_id=job_id)]


def test_names_are_compared_without_case(quiet, control):
    """`jobs/list` finds a job by its exact name in any case."""
    job_id = control.create_job("Nightly")

    assert [job_id] == [job["job_id"] for job in walk(quiet, JOBS, "jobs", name="nIGHTLY")]


def test_what_control_cannot_do_it_says(quiet, control):
    """A move that makes no sense is an error with the reason."""
    control.start("alpha")
    control.finish("alpha")

    for wrong in (
        lambda: control.finish("alpha"),
        lambda: control.cancel("alpha"),
        lambda: control.start("alpha"),
        lambda: control.start("beta", job="no such job"),
        lambda: control.finish("gamma"),
        lambda: control.advance(-1),
        lambda: control.fault("flood"),
        lambda: control.delete_job("no such job"),
    ):
        with pytest.raises(ControlError):
            wrong()


def test_activity_can_be_paused(make_simulator):
    """While paused nothing starts, what runs ends, and after resuming runs start again."""
    sim = make_simulator(jobs=20, active_runs=8, long_rate=0.0, history=timedelta(0))
    control = sim.control
    control.pause()
    began = control.truth()["totals"]["runs_started"]
    control.advance(2 * 86_400)
    paused = control.truth()["totals"]
    control.resume()
    control.advance(3600)

    assert (began, 0) == (paused["runs_started"], paused["active"])
    assert control.truth()["totals"]["runs_started"] > began


def test_requests_are_counted(quiet, control):
    """Requests are counted by endpoint and status, in total and since the last reset; control is not."""
    ask(quiet, RUNS)
    ask(quiet, RUNS, limit=99)
    first = control.requests(reset=True)
    ask(quiet, JOBS)

    second = control.requests()

    assert {f"GET {RUNS}": {"200": 1, "400": 1}} == first["total"] == first["since_reset"]
    assert {f"GET {JOBS}": {"200": 1}} == second["since_reset"]
    assert (3, 1) == (second["requests"], second["requests_since_reset"])
    assert 2 <= second["greatest_per_second"] <= 3


def test_control_needs_no_token_and_says_what_it_is(quiet):
    """The control interface answers plain HTTP from this machine."""
    with urlopen(Request(quiet.url + "/simulator/requests"), timeout=10) as answer:
        assert 200 == answer.status


def first_job(sim) -> str:
    return next(iter(sim.world.jobs.values())).name
