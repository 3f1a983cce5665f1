"""JSON of the Jobs API in, runs and jobs out."""

from datetime import timedelta
from typing import Any

import pytest

from collector.core.records import MASKED, Parameter, RepairDetail, RunDetails, TaskDetail
from collector.sources import parse
from collector.sources.fields import UnreadableItemError
from collector.sources.parameters import secret_names
from tests.make import at

START_MS = int(at(0).timestamp() * 1000)
SUCCESS = {
    "state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"},
    "status": {
        "state": "TERMINATED",
        "termination_details": {"code": "SUCCESS", "type": "SUCCESS", "message": ""},
    },
}
FAILED = {
    "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": "old words"},
    "status": {
        "state": "TERMINATED",
        "termination_details": {
            "code": "RUN_EXECUTION_ERROR",
            "type": "CLIENT_ERROR",
            "message": "Task load failed",
        },
    },
}
RUNNING = {"state": {"life_cycle_state": "RUNNING"}, "status": {"state": "RUNNING"}}


def run_json(**given: Any) -> dict[str, Any]:
    """An active run as `runs/list` shows it."""
    return {
        "job_id": 640812734519001,
        "run_id": 9223372036854775807,
        "run_type": "JOB_RUN",
        "trigger": "PERIODIC",
        "run_name": "orders",
        "start_time": START_MS,
        "end_time": 0,
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "run_duration": 0,
        **RUNNING,
        **given,
    }


def ms(seconds: float) -> int:
    """Epoch milliseconds so many seconds after noon."""
    return START_MS + round(seconds * 1000)


def task_json(run_id: int, key: str, **given: Any) -> dict[str, Any]:
    """A finished task run of a second of each phase."""
    phases = {"setup_duration": 1000, "execution_duration": 2000, "cleanup_duration": 500}
    return {"run_id": run_id, "task_key": key, **phases, **SUCCESS, **given}


def test_ids_keep_all_their_digits() -> None:
    """As text; a float would lose some, and a string on the wire is as good as a number."""
    run = parse.run(run_json(job_id="640812734519001"))

    assert ("9223372036854775807", "640812734519001") == (run.run_id, run.job_id)


def test_an_end_time_of_zero_is_no_end() -> None:
    """The API sends 0, not nothing, while a run is active."""
    run = parse.run(run_json())

    assert run.active
    assert run.latest is None
    assert "RUNNING" == run.state


@pytest.mark.parametrize("life_cycle", ["SKIPPED", "INTERNAL_ERROR"])
def test_skipped_and_internal_error_end_a_run(life_cycle: str) -> None:
    """They are terminal life cycles, and the result where none is given."""
    item = run_json(end_time=START_MS, state={"life_cycle_state": life_cycle}, status={"state": "TERMINATED"})

    run = parse.run(item)

    assert run.latest
    assert (life_cycle, "TERMINATED", timedelta(0)) == (run.latest.result, run.state, run.latest.duration)


@pytest.mark.parametrize(
    ("durations", "seconds"),
    [
        ({"run_duration": 45_000, "setup_duration": 1_000}, 45),
        ({"setup_duration": 1_000, "execution_duration": 20_000, "cleanup_duration": 500}, 21.5),
        ({}, 60),
    ],
)
def test_a_duration_is_found_wherever_the_api_puts_it(durations: dict[str, int], seconds: float) -> None:
    """`run_duration`, else the phases, else end less start."""
    run = parse.run(run_json(end_time=ms(60), **SUCCESS, **durations))

    assert run.latest
    assert timedelta(seconds=seconds) == run.latest.duration


def test_a_timeout_is_told_from_a_cancellation_by_the_old_state() -> None:
    """The new status calls both CANCELED."""
    run = parse.run(
        run_json(
            end_time=ms(60),
            state={"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT"},
            status={"state": "TERMINATED", "termination_details": {"code": "CANCELED", "type": "SUCCESS"}},
        )
    )

    assert run.latest
    assert ("TIMEDOUT", "CANCELED") == (run.latest.result, run.latest.termination_code)


@pytest.mark.parametrize(
    ("code", "result"),
    [("SUCCESS", "SUCCESS"), ("USER_CANCELED", "CANCELED"), ("DRIVER_ERROR", "FAILED"), ("NEW", "FAILED")],
)
def test_the_new_status_alone_gives_a_result(code: str, result: str) -> None:
    """The old state is deprecated and may be gone one day."""
    status = {"state": "TERMINATED", "termination_details": {"code": code}}

    run = parse.run(run_json(end_time=ms(1), state=None, status=status))

    assert run.latest
    assert result == run.latest.result


def test_the_old_state_alone_is_translated() -> None:
    """WAITING_FOR_RETRY is WAITING in the new words."""
    run = parse.run(run_json(state={"life_cycle_state": "WAITING_FOR_RETRY"}, status=None))

    assert "WAITING" == run.state


def test_an_unknown_state_is_kept_and_ends_a_run_only_with_an_end_time() -> None:
    """Words of the future are text."""
    going = parse.run(run_json(state={}, status={"state": "HIBERNATING"}))
    ended = parse.run(run_json(state={}, status={"state": "EVAPORATED"}, end_time=ms(5)))

    assert (True, "HIBERNATING") == (going.active, going.state)
    assert not ended.active


def test_the_queue_reason_comes_with_a_queued_run() -> None:
    """From `status.queue_details.code`."""
    status = {"state": "QUEUED", "queue_details": {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": "…"}}

    run = parse.run(run_json(status=status, state={"life_cycle_state": "QUEUED"}))

    assert ("QUEUED", "MAX_CONCURRENT_RUNS_REACHED") == (run.state, run.queue_reason)


def test_a_history_gives_each_attempt_its_own_time_and_tasks() -> None:
    """A failed run, repaired twice, the second repair still running."""
    item = run_json(
        **RUNNING,
        tasks=[task_json(11, "a"), task_json(12, "b", **FAILED), task_json(13, "b"), task_json(14, "c")],
        repair_history=[
            {
                "type": "ORIGINAL",
                "start_time": ms(0),
                "end_time": ms(60),
                "task_run_ids": [11, 12],
                **FAILED,
            },
            {"type": "REPAIR", "start_time": ms(300), "end_time": ms(330), "task_run_ids": [13], **SUCCESS},
            {"type": "REPAIR", "start_time": ms(400), "end_time": 0, "task_run_ids": [14], **RUNNING},
        ],
    )

    run = parse.run(item, with_history=True)

    assert run.active
    assert run.history
    assert [("FAILED", 60.0, ["a", "b"]), ("SUCCESS", 30.0, ["b"])] == [
        (attempt.result, attempt.duration.total_seconds(), [task.task_key for task in attempt.tasks])
        for attempt in run.history
    ]
    assert timedelta(seconds=1) == run.history[0].tasks[0].setup


def test_a_run_without_history_entries_is_one_attempt_with_all_its_tasks() -> None:
    """A run that was never repaired."""
    item = run_json(end_time=ms(60), **FAILED, tasks=[task_json(11, "a"), task_json(12, "a")])

    run = parse.run(item, with_history=True)

    assert run.history
    assert [2] == [len(attempt.tasks) for attempt in run.history]
    assert "Task load failed" == run.message


@pytest.mark.parametrize(
    "broken",
    [
        {"run_id": None},
        {"run_id": 1.5},
        {"run_id": True},
        {"job_id": "abc"},
        {"start_time": None},
        {"start_time": "yesterday"},
        {"start_time": 10**20},
        {"start_time": -5},
        {"end_time": "soon", **SUCCESS},
        {"end_time": 10**18, **SUCCESS},
        {"queue_duration": 10**30},
        {"state": None, "status": None},
        {"state": "RUNNING", "status": 3},
        {"run_duration": 2**62, "end_time": START_MS, **SUCCESS},
        {"end_time": 253402300799000, "run_duration": 10**15, **SUCCESS},
        {"start_time": 253402300799000},
        {"tasks": [{"task_key": "no id"}], "end_time": START_MS, **SUCCESS},
        {"repair_history": [{"start_time": None, "end_time": START_MS, **SUCCESS}]},
    ],
)
def test_an_item_that_cannot_be_counted_is_unreadable(broken: dict[str, Any]) -> None:
    """Whatever is wrong with it, it is one error that names the field."""
    with pytest.raises(UnreadableItemError):
        parse.run(run_json(**broken), with_history=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout_seconds": 10**15},
        {"timeout_seconds": 2**80},
        {"max_concurrent_runs": 2**63},
        {"trigger": {"periodic": {"interval": 2**63, "unit": "HOURS"}}},
        {"trigger": {"periodic": {"interval": "often", "unit": "HOURS"}}},
        {"health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "value": 2**62}]}},
    ],
)
def test_a_job_with_absurd_values_is_unreadable(settings: dict[str, Any]) -> None:
    """Neither our spans nor a database could hold them."""
    with pytest.raises(UnreadableItemError):
        parse.job({"job_id": 7, "settings": settings})


@pytest.mark.parametrize("item", [None, 3, "run", [], {"run_id": {}}])
def test_what_is_no_item_at_all_is_unreadable(item: Any) -> None:
    """The border lets one kind of error through, also for what nobody thought of."""
    with pytest.raises(UnreadableItemError):
        parse.run(item)


@pytest.mark.parametrize("broken", ["a\0b", "a\ud800b", f"a{chr(0xDFFF)}b"])
def test_text_that_nothing_can_hold_is_cleaned(broken: str) -> None:
    """NUL and half characters come through JSON and would break page and database; whole emoji stay."""
    cleaned = "a\ufffdb"

    run = parse.run(
        run_json(run_name=broken, end_time=START_MS, **SUCCESS, tasks=[task_json(11, broken)]),
        with_history=True,
    )
    job = parse.job({"job_id": 7, "settings": {"name": f"{broken} \U0001f680", "tags": {broken: broken}}})

    assert run.history
    assert (cleaned, cleaned) == (run.name, run.history[0].tasks[0].task_key)
    assert (f"{cleaned} \U0001f680", {cleaned: cleaned}) == (job.name, job.tags)


def test_an_attempt_that_ends_before_it_starts_took_no_time() -> None:
    """Clocks differ; a duration is never negative."""
    entry = {"type": "ORIGINAL", "start_time": ms(60), "end_time": ms(59), **SUCCESS}

    run = parse.run(run_json(end_time=ms(59), **SUCCESS, repair_history=[entry]), with_history=True)

    assert run.history
    assert [timedelta(0)] == [attempt.duration for attempt in run.history]


def test_a_queued_repair_has_not_started() -> None:
    """It is no finished attempt yet, and does not hide those that are."""
    original = {"type": "ORIGINAL", "start_time": ms(0), "end_time": ms(60), **FAILED}
    repair = {"type": "REPAIR", "status": {"state": "QUEUED"}, "state": {"life_cycle_state": "QUEUED"}}

    run = parse.run(run_json(repair_history=[original, repair]), with_history=True)

    assert run.history
    assert ["FAILED"] == [attempt.result for attempt in run.history]


@pytest.mark.parametrize("ids", [17, "17", {"17": 1}, None])
def test_task_run_ids_that_are_no_list_are_none(ids: object) -> None:
    """The attempt counts, and its tasks are those that no other has."""
    entry = {"type": "ORIGINAL", "start_time": ms(0), "end_time": ms(60), "task_run_ids": ids, **SUCCESS}

    run = parse.run(
        run_json(end_time=ms(60), **SUCCESS, repair_history=[entry], tasks=[task_json(17, "load")]),
        with_history=True,
    )

    assert run.history
    assert [["load"]] == [[task.task_key for task in attempt.tasks] for attempt in run.history]


def test_a_run_that_is_over_without_an_end_is_still_active() -> None:
    """Attempts are told apart by their end; the run waits for it as if it were ending."""
    run = parse.run(run_json(**SUCCESS, run_duration=5_000), with_history=True)

    assert (True, "TERMINATING", None, ()) == (run.active, run.state, run.latest, run.history)


@pytest.mark.parametrize(
    "state",
    [
        {"life_cycle_state": "SKIPPED"},
        {"life_cycle_state": "TERMINATED", "result_state": "MAXIMUM_CONCURRENT_RUNS_REACHED"},
    ],
)
def test_a_skipped_run_ended_when_it_began(state: dict[str, str]) -> None:
    """It never did anything, and no end may ever be sent."""
    run = parse.run(run_json(state=state, status={"state": "TERMINATED"}))

    assert run.latest
    assert (at(0), timedelta(0)) == (run.ended, run.latest.duration)


def test_a_job_is_read_with_what_schedules_and_bounds_it() -> None:
    """The facts of `jobs/list` that metrics and alerts need."""
    job = parse.job(
        {
            "job_id": 7,
            "created_time": START_MS,
            "creator_user_name": "etl@example.com",
            "settings": {
                "name": "orders",
                "tags": {"team": "sales"},
                "schedule": {
                    "quartz_cron_expression": "0 0 6 * * ?",
                    "timezone_id": "Europe/Berlin",
                    "pause_status": "PAUSED",
                },
                "queue": {"enabled": True},
                "max_concurrent_runs": 3,
                "timeout_seconds": 600,
                "health": {
                    "rules": [
                        {"metric": "STREAMING_BACKLOG_BYTES", "op": "GREATER_THAN", "value": 1},
                        {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 900},
                    ]
                },
            },
        }
    )

    assert ("SCHEDULE", "0 0 6 * * ?", "Europe/Berlin") == (
        job.trigger_type,
        job.quartz_cron_expression,
        job.timezone_id,
    )
    assert (True, False, True, 3) == (job.paused, job.continuous, job.queueing, job.max_concurrent_runs)
    assert (timedelta(minutes=10), timedelta(minutes=15)) == (job.timeout, job.expected_duration)
    assert {"team": "sales"} == job.tags


@pytest.mark.parametrize(
    ("settings", "kind", "paused"),
    [
        ({"continuous": {"pause_status": "UNPAUSED"}}, "CONTINUOUS", False),
        ({"trigger": {"file_arrival": {"url": "s3://x"}, "pause_status": "PAUSED"}}, "FILE_ARRIVAL", True),
        ({"trigger": {"periodic": {"interval": 4, "unit": "HOURS"}}}, "PERIODIC", False),
        ({"trigger": {"something_new": {}}}, "", False),
        ({}, "", False),
    ],
)
def test_every_kind_of_trigger_is_recognised(settings: dict[str, Any], kind: str, paused: bool) -> None:
    """Including none, and one of the future."""
    job = parse.job({"job_id": 7, "settings": settings})

    assert (kind, paused) == (job.trigger_type, job.paused)


# ── details ──────────────────────────────────────────────────────────────────────────────────────────────────────

REPAIRED = [
    {
        "type": "ORIGINAL",
        "start_time": ms(0),
        "end_time": ms(60),
        "task_run_ids": [901, 902],
        **FAILED,
    },
    {"type": "REPAIR", "id": 77, "start_time": ms(90), "end_time": 0, "task_run_ids": [903], **RUNNING},
]


def details(**given: Any) -> RunDetails:
    """The details of a run that failed."""
    run = parse.run(
        run_json(end_time=ms(60), **FAILED, **given),
        with_history=True,
        secret=secret_names(["password", "^pin$"]),
    )
    assert run.details
    return run.details


def test_a_list_has_no_details() -> None:
    """Only a look at the single run shows them."""
    assert parse.run(run_json(end_time=ms(60), **SUCCESS)).details is None


def test_a_task_is_shown_with_its_state_phases_and_reason() -> None:
    """Everything that people ask about a task run."""
    task = task_json(
        901,
        "load",
        spark_python_task={"python_file": "load.py"},
        depends_on=[{"task_key": "extract"}],
        start_time=ms(1),
        end_time=ms(9),
        attempt_number=2,
        run_page_url="https://run/901",
        **FAILED,
    )

    (found,) = details(tasks=[task]).tasks

    assert (
        TaskDetail(
            run_id="901",
            task_key="load",
            depends_on=("extract",),
            kind="spark_python",
            attempt=2,
            state="TERMINATED",
            result="FAILED",
            started=at(1),
            ended=at(9),
            setup=timedelta(seconds=1),
            execution=timedelta(seconds=2),
            cleanup=timedelta(seconds=0.5),
            termination_code="RUN_EXECUTION_ERROR",
            termination_type="CLIENT_ERROR",
            message="Task load failed",
            url="https://run/901",
        )
        == found
    )


def test_tasks_come_in_order_of_their_dependencies() -> None:
    """Each after those that it depends on, its executions together; what is in a circle comes last."""
    before = {"d": ["b", "c"], "x": ["y"], "c": ["a"], "b": ["a", "gone"], "y": ["x"], "a": []}
    tasks = [
        task_json(
            number, key, attempt_number=attempt, depends_on=[{"task_key": other} for other in before[key]]
        )
        for number, (key, attempt) in enumerate(
            [("d", 0), ("x", 0), ("c", 1), ("b", 0), ("y", 0), ("a", 0), ("c", 0)]
        )
    ]

    found = [(task.task_key, task.attempt) for task in details(tasks=tasks).tasks]

    assert [("a", 0), ("c", 0), ("c", 1), ("b", 0), ("d", 0), ("x", 0), ("y", 0)] == found


def test_a_task_that_never_began_has_a_result() -> None:
    """Nothing may tell when it ended, and yet it is known how."""
    state = {"life_cycle_state": "TERMINATED", "result_state": "UPSTREAM_FAILED"}

    (found,) = details(tasks=[task_json(901, "load", state=state, status={})]).tasks

    assert ("UPSTREAM_FAILED", None, None) == (found.result, found.started, found.ended)


def test_repairs_have_results_and_tasks_of_their_own() -> None:
    """A repair under way is shown as well; each task run knows to which repair it belongs."""
    tasks = [task_json(901, "extract"), task_json(902, "load"), task_json(903, "load", attempt_number=1)]

    found = details(tasks=tasks, repair_history=REPAIRED)

    assert (RepairDetail(repair_id="77", state="RUNNING", started=at(90)),) == found.repairs
    assert ["", "", "77"] == [task.repair_id for task in found.tasks]


def test_secret_parameters_are_masked() -> None:
    """Values and defaults under names that look secret are nowhere in what was parsed."""
    given = [
        {"name": "DB_PassWord", "default": "hunter1", "value": "hunter2"},
        {"name": "pin", "default": "", "value": "hunter3"},
        {"name": "pinned", "default": "a", "value": "b"},
        {"name": "day", "default": "today"},
    ]
    other = {
        "notebook_params": {"password": "hunter4", "n": 7},
        "jar_params": ["hunter5"],
        "sql_params": None,
    }

    found = details(job_parameters=given, overriding_parameters=other)

    assert (
        Parameter(name="DB_PassWord", value=MASKED, default=MASKED),
        Parameter(name="pin", value=MASKED),
        Parameter(name="pinned", value="b", default="a"),
        Parameter(name="day", value="today", default="today"),
        Parameter(name="password", value=MASKED),
        Parameter(name="n", value="7"),
    ) == found.parameters
    assert "hunter" not in repr(found)


def test_every_parameter_is_a_secret_unless_somebody_says_which_are() -> None:
    """A caller who forgets to say so shows nothing."""
    run = parse.run(
        run_json(end_time=ms(60), **SUCCESS, job_parameters=[{"name": "day", "value": "x"}]),
        with_history=True,
    )

    assert run.details
    assert [MASKED] == [parameter.value for parameter in run.details.parameters]


def test_long_texts_are_cut() -> None:
    """One run cannot fill the store."""
    task = task_json(901, "load", end_time=ms(9), start_time=ms(1), **FAILED)
    task["status"] = {**FAILED["status"], "termination_details": {"message": "m" * 100_000}}

    found = details(tasks=[task], job_parameters=[{"name": "day", "value": "v" * 100_000}])

    assert ("m" * 3999 + "…", "v" * 1999 + "…") == (found.tasks[0].message, found.parameters[0].value)


@pytest.mark.parametrize(
    "given",
    [
        {"tasks": [task_json(901, "load", start_time="soon")]},
        {"tasks": [task_json(901, "load", attempt_number=1.5)]},
        {"tasks": [{**task_json(901, "load"), "state": {}, "status": {}}]},
    ],
)
def test_unreadable_details_cost_the_details_alone(given: dict[str, Any]) -> None:
    """The run counts, whatever its tasks look like."""
    run = parse.run(run_json(end_time=ms(60), **FAILED, **given), with_history=True)

    assert run.details is None
    assert run.history


@pytest.mark.parametrize(
    "given",
    [
        {"job_parameters": "none", "overriding_parameters": [], "repair_history": {}},
        {"job_parameters": [{}, {"name": None, "value": {"a": 1}}, 7]},
        {"tasks": [task_json(901, "load", depends_on="extract")]},
    ],
)
def test_odd_details_are_read_as_far_as_they_make_sense(given: dict[str, Any]) -> None:
    """What is not of the documented form is left out."""
    assert details(**given)
