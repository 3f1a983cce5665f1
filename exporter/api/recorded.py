"""Turns what the store tells of runs into what the API answers."""

from collector.core.records import (
    ZERO,
    AttemptRecord,
    Parameter,
    RepairDetail,
    RunRecord,
    TaskDetail,
)
from exporter.api.models import runs as models
from exporter.api.spans import maybe_seconds, seconds


def live_run(run: RunRecord) -> models.LiveRun:
    """The run as the live view names its fields."""
    return models.LiveRun(
        workspace=run.workspace,
        run_id=run.run_id,
        job_id=run.job_id,
        run_name=run.name,
        state=run.state,
        result_state=run.result or None,
        start_time=run.started,
        end_time=run.ended,
        run_page_url=run.url or None,
        run_type=run.run_type,
        trigger=run.trigger,
        creator_user_name=run.creator or None,
        queue_reason=run.queue_reason or None,
        duration_seconds=maybe_seconds(run.duration),
        termination_code=run.termination_code,
        termination_type=run.termination_type,
        message=run.message,
        attempts=len(run.attempts),
    )


def merged_run(run: RunRecord) -> models.MergedRun:
    """The run as the recorded view names its fields."""
    return models.MergedRun(
        workspace=run.workspace,
        run_id=run.run_id,
        job_id=run.job_id,
        run_name=run.name,
        period_start_time=run.started,
        period_end_time=run.ended,
        run_duration_seconds=maybe_seconds(run.duration),
        result_state=run.result or None,
        state=run.state,
        termination_code=run.termination_code,
        attempts=len(run.attempts),
        recovered=any(attempt.by_tables for attempt in run.attempts),
    )


def attempt(finished: AttemptRecord, *, repair: bool) -> models.Attempt:
    """A finished attempt, the first of its run or a repair."""
    return models.Attempt(
        start_time=finished.started,
        end_time=finished.ended,
        duration_seconds=seconds(finished.duration),
        queue_seconds=seconds(finished.queue),
        result_state=finished.result,
        termination_code=finished.termination_code,
        termination_type=finished.termination_type,
        repair=repair,
        recovered=finished.by_tables,
    )


def run_details(run: RunRecord) -> models.RunDetails | None:
    """Tasks, parameters and repairs; None when the store has none."""
    if run.details is None or run.details_seen is None:
        return None
    return models.RunDetails(
        as_of=run.details_seen,
        tasks=[_task(task) for task in run.details.tasks],
        parameters=[_parameter(parameter) for parameter in run.details.parameters],
        repairs=[_repair(repair) for repair in run.details.repairs],
    )


def _task(task: TaskDetail) -> models.Task:
    return models.Task(
        task_key=task.task_key,
        task_run_id=task.run_id,
        depends_on=list(task.depends_on),
        kind=task.kind,
        attempt=task.attempt,
        repair_id=task.repair_id or None,
        state=task.state,
        result_state=task.result or None,
        start_time=task.started,
        end_time=task.ended,
        queue_seconds=seconds(task.queue),
        setup_seconds=seconds(task.setup),
        execution_seconds=seconds(task.execution),
        cleanup_seconds=seconds(task.cleanup),
        duration_seconds=seconds(sum((task.setup, task.execution, task.cleanup), ZERO)),
        termination_code=task.termination_code,
        termination_type=task.termination_type,
        message=task.message,
        run_page_url=task.url or None,
    )


def _parameter(parameter: Parameter) -> models.Parameter:
    return models.Parameter(name=parameter.name, value=parameter.value, default=parameter.default)


def _repair(repair: RepairDetail) -> models.Repair:
    return models.Repair(
        repair_id=repair.repair_id,
        state=repair.state,
        result_state=repair.result or None,
        start_time=repair.started,
        end_time=repair.ended,
        termination_code=repair.termination_code,
        termination_type=repair.termination_type,
        message=repair.message,
    )
