"""Rows of the two timelines: one for each piece of an attempt or task run, with the result on the last."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.runs import Attempt, Run, TaskRun
from simulator.warehouse.chance import chance, digest
from simulator.warehouse.schema import ACCOUNT, NEWER_COLUMNS_MS
from simulator.warehouse.slices import Slice, pieces
from simulator.warehouse.spelling import result_state, termination_code, trigger_type

Row = dict[str, Any]
"""Column → value, times in epoch milliseconds; a column that is missing is NULL."""

FILLED_DURATIONS = 0.05
"""Part of the last rows whose duration columns are not all zero."""
FILLED_COMPUTE = 0.03


def run_row(piece: Slice, workspace_id: str, seed: int) -> Row:
    """The row of `job_run_timeline`."""
    run, attempt = piece.run, piece.attempt
    row: Row = {
        **_keys(run, piece, workspace_id),
        "run_id": str(run.run_id),
        "trigger_type": trigger_type(run),
        "run_type": run.run_type,
        "run_name": run.name,
        "compute_ids": _run_compute(seed, run),
        "job_parameters": parameters(run),
    }
    newer = piece.span.start_ms >= NEWER_COLUMNS_MS
    if newer and run.triggered_by:
        row |= {"source_task_run_id": str(run.triggered_by), "root_task_run_id": str(run.triggered_by)}
    if newer:
        row["compute"] = []
    if not piece.last:
        return row
    row |= {
        "result_state": result_state(attempt.ending),
        "termination_code": termination_code(attempt.ending),
    }
    if newer:
        row |= {"termination_type": attempt.ending.kind, **_run_durations(seed, run, attempt)}
    return row


def task_row(piece: Slice, task: TaskRun, workspace_id: str) -> Row:
    """The row of `job_task_run_timeline`."""
    run = piece.run
    cluster = cluster_id(run) if "job_cluster_key" in task.spec.body else ""
    row: Row = {
        **_keys(run, piece, workspace_id),
        "run_id": str(task.run_id),
        "job_run_id": str(run.run_id),
        "parent_run_id": str(run.run_id),
        "task_key": task.spec.key,
        "compute_ids": [cluster] if cluster else [],
    }
    newer = piece.span.start_ms >= NEWER_COLUMNS_MS
    if newer:
        kind = "CLASSIC_CLUSTER" if cluster else "SERVERLESS_COMPUTE"
        row |= {
            "compute": [{"type": kind, "cluster_id": cluster or None, "warehouse_id": None}],
            "task_parameters": {},
        }
    if not piece.last:
        return row
    row |= {"result_state": result_state(task.ending), "termination_code": termination_code(task.ending)}
    if newer:
        row |= {
            "termination_type": task.ending.kind,
            "setup_duration_seconds": (task.running_ms - task.setup_ms) // 1000,
            "execution_duration_seconds": (task.cleanup_ms - task.running_ms) // 1000,
            "cleanup_duration_seconds": (task.ended_ms - task.cleanup_ms) // 1000,
        }
    return row


def task_rows_of(attempt_piece: Slice, workspace_id: str) -> Iterator[Row]:
    """The rows of all task runs of the attempt."""
    run, attempt = attempt_piece.run, attempt_piece.attempt
    for task in attempt.tasks:
        for piece in pieces(run, attempt, task, task.setup_ms, task.ended_ms):
            yield task_row(piece, task, workspace_id)


def cluster_id(run: Run) -> str:
    """The cluster that the run made for itself."""
    return f"1123-{run.run_id % 10**6:06d}-{digest(0, 'cluster', run.run_id) % 36**8:08x}"


def parameters(run: Run) -> Mapping[str, str]:
    """The job parameters of the run."""
    declared = run.job.settings.get("parameters", ()) if run.job else ()
    return {parameter["name"]: parameter["default"] for parameter in declared}


def _keys(run: Run, piece: Slice, workspace_id: str) -> Row:
    return {
        "account_id": ACCOUNT,
        "workspace_id": workspace_id,
        "job_id": str(run.job_id),
        "period_start_time": piece.span.start_ms,
        "period_end_time": piece.span.end_ms,
    }


def _run_compute(seed: int, run: Run) -> list[str] | None:
    drawn = chance(seed, "compute", run.run_id)
    if drawn < FILLED_COMPUTE:
        return [cluster_id(run)]
    return [] if drawn < 0.7 else None


def _run_durations(seed: int, run: Run, attempt: Attempt) -> Row:
    filled = chance(seed, "durations", run.run_id, attempt.repair_id) < FILLED_DURATIONS
    return {
        "setup_duration_seconds": 0,
        "execution_duration_seconds": 0,
        "cleanup_duration_seconds": 0,
        "queue_duration_seconds": attempt.queue_ms // 1000 if filled else 0,
        "run_duration_seconds": attempt.own_ms // 1000 if filled else 0,
    }
