"""Job definitions in the store: as JSON text, and the comparison of a whole list with what is held."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select

from collector.core.model import Job, Target
from collector.store.instants import from_ms, span_ms, to_ms
from collector.store.schema import job_history, jobs, runs, storable
from collector.store.statements import Values, chunks, upsert

SPANS = frozenset({"timeout", "expected_duration"})
FIELDS = frozenset(field.name for field in fields(Job))
SAME_JOB = and_(jobs.c.workspace == job_history.c.workspace, jobs.c.job_id == job_history.c.job_id)


def as_text(job: Job) -> str:
    """The definition as canonical JSON: equal jobs give equal text. What no page could show is replaced."""
    values = {name: _cleaned(getattr(job, name)) for name in FIELDS}
    return json.dumps(values, default=_plain, sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> Job:
    """The job of a definition; a field that this program does not know is passed over, a missing one is its default."""
    values: dict[str, Any] = {
        name: _cleaned(value) for name, value in json.loads(text).items() if name in FIELDS
    }
    values |= {name: timedelta(milliseconds=values[name]) for name in SPANS & values.keys()}
    if values.get("created") is not None:
        values["created"] = from_ms(values["created"])
    return Job(**values)


def save_jobs(
    connection: Connection,
    workspace: str,
    revision: int,
    listed: Mapping[str, tuple[Job, Target | None]],
    *,
    whole: bool = True,
    now: datetime,
) -> int:
    """The listed definitions are held, and with the whole list no other one as not deleted; returns how many differ.

    A job of which only runs were seen is as good as deleted when the whole list does not show it.
    """
    query = select(jobs.c.job_id, jobs.c.definition, jobs.c.sla_ms, jobs.c.sla_source, jobs.c.deleted_ms)
    held = {row.job_id: row for row in connection.execute(query.where(jobs.c.workspace == workspace))}
    now_ms = to_ms(now)
    rows: list[Values] = []
    for job_id, (job, target) in listed.items():
        content = {
            "definition": as_text(job),
            "sla_ms": span_ms(target.sla) if target else None,
            "sla_source": target.source if target else "",
            "deleted_ms": None,
        }
        before = held.get(job_id)
        if before is None or tuple(before[1:]) != tuple(content.values()):
            stamps = {"name": job.name, "changed_ms": now_ms, "revision": revision}
            rows.append({"workspace": workspace, "job_id": job_id, **content, **stamps})
    gone: list[str] = []
    if whole:
        rows += [
            {
                "workspace": workspace,
                "job_id": job_id,
                "definition": as_text(Job(job_id=job_id, name=name)),
                "sla_ms": None,
                "sla_source": "",
                "deleted_ms": now_ms,
                "name": name,
                "changed_ms": now_ms,
                "revision": revision,
            }
            for job_id, name in _without_definition(connection, workspace, now_ms)
            if job_id not in listed
        ]
        gone += [job_id for job_id, row in held.items() if row.deleted_ms is None]
        gone += _run_since_deleted(connection, workspace)
        gone = [job_id for job_id in gone if job_id not in listed]
    upsert(connection, jobs, rows)
    _mark_deleted(connection, workspace, revision, gone, now_ms)
    return len(rows) + len(gone)


def _without_definition(connection: Connection, workspace: str, before_ms: int) -> list[tuple[str, str]]:
    """Ids and names of the jobs of which only runs were seen, none of them open or begun since then."""
    query = (
        select(job_history.c.job_id, job_history.c.name)
        .outerjoin(jobs, SAME_JOB)
        .where(
            job_history.c.workspace == workspace,
            jobs.c.job_id.is_(None),
            job_history.c.last_start_ms < before_ms,
            job_history.c.job_id.not_in(
                select(runs.c.job_id).where(runs.c.workspace == workspace, runs.c.open)
            ),
        )
    )
    return [(row.job_id, row.name) for row in connection.execute(query)]


def _run_since_deleted(connection: Connection, workspace: str) -> list[str]:
    """Ids of the deleted jobs of which a run began since; a job that no list shows must not expire while it runs."""
    query = (
        select(jobs.c.job_id)
        .join(job_history, SAME_JOB)
        .where(jobs.c.workspace == workspace, jobs.c.deleted_ms < job_history.c.last_start_ms)
    )
    return list(connection.scalars(query))


def _cleaned(value: object) -> object:
    """The value with the text in it made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value


def _plain(value: object) -> object:
    """What JSON has no form for: instants and spans as milliseconds, any mapping as an object."""
    if isinstance(value, datetime):
        return to_ms(value)
    if isinstance(value, timedelta):
        return span_ms(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a definition holds {type(value).__name__}")


def _mark_deleted(
    connection: Connection, workspace: str, revision: int, job_ids: list[str], now_ms: int
) -> None:
    for chunk in chunks(job_ids):
        connection.execute(
            jobs.update()
            .where(jobs.c.workspace == workspace, jobs.c.job_id.in_(chunk))
            .values(deleted_ms=now_ms, revision=revision)
        )
