"""Rows of the slowly changing tables: a new row for each change of a job, also for its end."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.runs import Job
from simulator.warehouse.schema import ACCOUNT, NEWER_COLUMNS_MS
from simulator.warehouse.spelling import JOB_TRIGGERS
from simulator.warehouse.timelines import Row
from simulator.world import Edit


def job_row(edit: Edit, workspace_id: str) -> Row:
    """The row of `jobs` that this change gives."""
    job, settings = edit.job, edit.settings
    row: Row = {
        **_change(edit, workspace_id),
        "name": settings["name"],
        "creator_id": str(job.job_id % 10**15),
        "run_as": str(job.job_id % 10**15),
        "tags": settings.get("tags", {}),
    }
    if edit.at_ms < NEWER_COLUMNS_MS:
        return row
    return row | {
        "creator_user_name": job.creator,
        "run_as_user_name": job.creator,
        "create_time": job.created_ms,
        "trigger": _trigger(settings),
        "trigger_type": None
        if job.kind in {"manual", "run_job"}
        else JOB_TRIGGERS.get(job.kind, job.kind.upper()),
        "paused": _paused(settings),
        "timeout_seconds": int(settings.get("timeout_seconds", 0)),
        "health_rules": [
            {"metric": rule["metric"], "operator": rule["op"], "value": rule["value"]}
            for rule in settings.get("health", {}).get("rules", ())
        ],
    }


def task_rows(edit: Edit, workspace_id: str) -> Iterator[Row]:
    """The rows of `job_tasks` that this change gives: tasks come and go with their job."""
    for spec in edit.job.tasks:
        yield {
            **_change(edit, workspace_id),
            "task_key": spec.key,
            "depends_on_keys": list(spec.depends_on),
            **({"timeout_seconds": 0, "health_rules": []} if edit.at_ms >= NEWER_COLUMNS_MS else {}),
        }


def changes_tasks(edit: Edit) -> bool:
    """True when the job comes or goes; a mere edit leaves its tasks alone."""
    return edit.deleted or edit.created


def _change(edit: Edit, workspace_id: str) -> Row:
    return {
        "account_id": ACCOUNT,
        "workspace_id": workspace_id,
        "job_id": str(edit.job.job_id),
        "change_time": edit.at_ms,
        "delete_time": edit.at_ms if edit.deleted else None,
    }


def _paused(settings: Mapping[str, Any]) -> bool:
    parts = (settings.get(part, {}) for part in ("schedule", "trigger", "continuous"))
    return any(part.get("pause_status") == "PAUSED" for part in parts)


def _trigger(settings: Mapping[str, Any]) -> Row | None:
    """The struct, with the member that applies."""
    if "continuous" in settings:
        return {"continuous": {"enabled": not _paused(settings)}}
    if schedule := settings.get("schedule"):
        names = ("quartz_cron_expression", "timezone_id")
        return {"schedule": {name: schedule[name] for name in names}}
    trigger = settings.get("trigger", {})
    if periodic := trigger.get("periodic"):
        return {"periodic": {"interval": periodic["interval"], "units": periodic["unit"]}}
    known = {name: trigger[name] for name in ("file_arrival", "table_update") if name in trigger}
    return known or None


def neighbours_job(job: Job) -> Job:
    """A job of another workspace that happens to have the same id."""
    return Job(
        job_id=job.job_id,
        created_ms=job.created_ms,
        creator="someone.else@example.com",
        settings={"name": f"neighbour of {job.job_id}"},
        tasks=job.tasks[:1],
    )
