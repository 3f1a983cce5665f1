"""Turns jobs and runs into the JSON of the Jobs API 2.2, field by field as the reference lists them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.endings import LIFE_CYCLES, MAX_CONCURRENT, Ending
from simulator.runs import Attempt, Job, Phase, Run, TaskRun, TaskSpec

ARRAY_PAGE = 100
"""Elements of `tasks` and its like in one answer."""

Json = dict[str, Any]

JOB_CLUSTERS: tuple[Json, ...] = (
    {
        "job_cluster_key": "main",
        "new_cluster": {"spark_version": "16.4.x-scala2.12", "num_workers": 2, "node_type_id": "i3.xlarge"},
    },
)
QUEUE_MESSAGES = {
    MAX_CONCURRENT: "Queued due to reaching maximum concurrent runs.",
    "ACTIVE_RUNS_LIMIT_REACHED": "Queued due to reaching the limit of running tasks in the workspace.",
    "ACTIVE_RUN_JOB_TASKS_LIMIT_REACHED": "Queued due to reaching the limit of Run Job tasks in the workspace.",
}


def text(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def listed_run(run: Run, now_ms: int, url: str) -> str:
    """The run as an element of `runs/list` without tasks; remembered until it changes."""
    depends = (len(run.attempts), run.latest.phase_index(now_ms), run.active)
    if run.rendered and run.rendered[0] == depends:
        return run.rendered[1]
    rendered = text(run_fields(run, now_ms, url))
    run.rendered = (depends, rendered)
    return rendered


def expanded_run(run: Run, now_ms: int, url: str) -> str:
    """The run as an element of `runs/list` with its first tasks and clusters."""
    arrays = run_arrays(run, now_ms, with_history=False)
    more = any(len(array) > ARRAY_PAGE for array in arrays.values())
    first = {name: array[:ARRAY_PAGE] for name, array in arrays.items() if array}
    return text(run_fields(run, now_ms, url) | first | ({"has_more": True} if more else {}))


def run_arrays(run: Run, now_ms: int, *, with_history: bool) -> dict[str, Sequence[Json]]:
    """The arrays that `runs/get` gives page by page."""
    shown = [task for attempt in run.attempts for task in attempt.tasks if task.visible_ms <= now_ms]
    repaired = with_history and len(run.attempts) > 1
    return {
        "tasks": [_task_run(task, now_ms, run) for task in shown],
        "job_clusters": JOB_CLUSTERS if _needs_cluster(run.tasks) else (),
        "job_parameters": _job_parameters(run),
        "repair_history": [_history_item(run, attempt, now_ms) for attempt in run.attempts]
        if repaired
        else (),
    }


def run_fields(run: Run, now_ms: int, url: str) -> Json:
    """Everything but the arrays."""
    phase = run.phase(now_ms)
    ended = [attempt for attempt in run.attempts if not run.active or attempt is not run.latest]
    fields: Json = {
        "job_id": run.job_id,
        "run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "job_run_id": run.run_id,
        "attempt_number": 0,
        "run_name": run.name,
        "run_type": run.run_type,
        "run_page_url": f"{url}#job/{run.job_id}/run/{run.run_id}",
        "trigger": run.trigger,
        "start_time": run.started_ms,
        "end_time": 0 if run.active else run.latest.ended_ms,
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "run_duration": sum(attempt.own_ms for attempt in ended),
        **_outcome(phase, run.latest.ending),
        "effective_performance_target": "STANDARD",
    }
    if run.creator:
        fields["creator_user_name"] = run.creator
    if run.triggered_by:
        fields["trigger_info"] = {"run_id": run.triggered_by}
    if run.job and run.trigger == "PERIODIC" and "schedule" in run.job.settings:
        fields["schedule"] = run.job.settings["schedule"]
    if phase.state != "QUEUED":
        fields["queue_duration"] = run.attempts[0].queue_ms
    return fields


def _outcome(phase: Phase, ending: Ending) -> Json:
    """The old `state` and the new `status` of a run, a task run or an attempt."""
    over = phase.state == "TERMINATED"
    state: Json = {
        "life_cycle_state": ending.life_cycle if over else LIFE_CYCLES.get(phase.state, phase.state),
        "state_message": ending.message if over else "",
        "user_cancelled_or_timedout": over and ending.interrupted,
    }
    if over and ending.result:
        state["result_state"] = ending.result
    status: Json = {"state": phase.state}
    if phase.state == "QUEUED":
        message = QUEUE_MESSAGES.get(phase.queue_code, "Queued.")
        state["queue_reason"] = message
        status["queue_details"] = {"code": phase.queue_code, "message": message}
    if over or phase.state == "TERMINATING":
        status["termination_details"] = {"code": ending.code, "type": ending.kind, "message": ending.message}
    return {"state": state, "status": status}


def _task_run(task: TaskRun, now_ms: int, run: Run) -> Json:
    state = task.state(now_ms)
    begun, over = now_ms >= task.setup_ms, state == "TERMINATED"
    fields: Json = {
        "task_key": task.spec.key,
        "run_id": task.run_id,
        "job_run_id": run.run_id,
        "attempt_number": task.number,
        "run_if": "ALL_SUCCESS",
        **task.spec.body,
        "start_time": task.setup_ms if begun else run.started_ms,
        "end_time": task.ended_ms if over else 0,
        "setup_duration": task.running_ms - task.setup_ms if over else 0,
        "execution_duration": task.cleanup_ms - task.running_ms if over else 0,
        "cleanup_duration": task.ended_ms - task.cleanup_ms if over else 0,
        **_outcome(Phase(now_ms, state), task.ending),
    }
    if task.spec.depends_on:
        fields["depends_on"] = [{"task_key": key} for key in task.spec.depends_on]
    if task.spec.max_retries:
        fields["max_retries"] = task.spec.max_retries
        fields["min_retry_interval_millis"] = task.spec.retry_interval_ms
    return fields


def _history_item(run: Run, attempt: Attempt, now_ms: int) -> Json:
    over = not run.active or attempt is not run.latest
    phase = Phase(attempt.ended_ms, "TERMINATED") if over else run.phase(now_ms)
    item: Json = {
        "type": "REPAIR" if attempt.repair_id else "ORIGINAL",
        "start_time": attempt.started_ms,
        "end_time": attempt.ended_ms if over else 0,
        **_outcome(phase, attempt.ending),
        "task_run_ids": [task.run_id for task in attempt.tasks if task.visible_ms <= now_ms],
    }
    return item | ({"id": attempt.repair_id} if attempt.repair_id else {})


def _job_parameters(run: Run) -> Sequence[Json]:
    declared = run.job.settings.get("parameters", ()) if run.job else ()
    return [parameter | {"value": parameter["default"]} for parameter in declared]


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def listed_job(job: Job, *, expand: bool) -> Json:
    """The job as an element of `jobs/list`."""
    if not expand:
        return _job_fields(job, job.settings)
    arrays = job_arrays(job)
    more = {"has_more": True} if any(len(array) > ARRAY_PAGE for array in arrays.values()) else {}
    first = {name: list(array[:ARRAY_PAGE]) for name, array in arrays.items() if array}
    return _job_fields(job, job.settings | first) | more


def one_job(job: Job, arrays: Mapping[str, Sequence[Json]]) -> Json:
    """The job as `jobs/get` answers, with this page of its arrays."""
    settings = {name: value for name, value in job.settings.items() if name != "parameters"}
    return _job_fields(job, {**settings, **arrays}) | {"run_as_user_name": job.creator}


def job_arrays(job: Job) -> dict[str, Sequence[Json]]:
    """The arrays in the settings that `jobs/get` gives page by page."""
    return {
        "tasks": [_task_settings(spec) for spec in job.tasks],
        "job_clusters": JOB_CLUSTERS if _needs_cluster(job.tasks) else (),
        "parameters": job.settings.get("parameters", ()),
        "environments": (),
    }


def _job_fields(job: Job, settings: Mapping[str, Any]) -> Json:
    return {
        "job_id": job.job_id,
        "created_time": job.created_ms,
        "creator_user_name": job.creator,
        "settings": settings,
    }


def _task_settings(spec: TaskSpec) -> Json:
    depends_on = {"depends_on": [{"task_key": key} for key in spec.depends_on]} if spec.depends_on else {}
    retries = {"max_retries": spec.max_retries, "min_retry_interval_millis": spec.retry_interval_ms}
    return {"task_key": spec.key, "run_if": "ALL_SUCCESS", **spec.body, **depends_on, **retries}


def _needs_cluster(specs: Sequence[TaskSpec]) -> bool:
    return any("job_cluster_key" in spec.body for spec in specs)
