"""Job definitions in the store: as JSON text, and the comparison of a whole list with what is held."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select

from collector.core.model import Agreement, Job
from collector.store import agreements
from collector.store.instants import from_ms, span_ms, to_ms
from collector.store.schema import job_history, jobs, runs, storable
from collector.store.statements import Found, Values, chunks, upsert

JOBS_API, SYSTEM_TABLES, RUNS = "jobs_api", "system_tables", "runs"
"""Where a row of `jobs` comes from: a list showed the job, only the system tables define it, only its runs were seen."""
CONTENT = (jobs.c.definition, *agreements.COLUMNS, jobs.c.origin, jobs.c.run_as, jobs.c.deleted_ms)

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


def content(job: Job, agreement: Agreement, *, origin: str, run_as: str, deleted_ms: int | None) -> Values:
    """What a row of `jobs` says: the columns of `CONTENT`."""
    return {
        "definition": as_text(job),
        **agreements.to_columns(agreement),
        "origin": origin,
        "run_as": storable(run_as),
        "deleted_ms": deleted_ms,
    }


def row(workspace: str, job: Job, said: Values, *, changed_ms: int, revision: int) -> Values:
    """The whole row of a job whose content is new."""
    return {
        "workspace": workspace,
        "job_id": job.job_id,
        "name": job.name,
        **said,
        "changed_ms": changed_ms,
        "revision": revision,
    }


def differs(before: Found | None, said: Values) -> bool:
    """True for a job that is not held with this content."""
    return before is None or any(getattr(before, name) != value for name, value in said.items())


def save_jobs(
    connection: Connection,
    workspace: str,
    revision: int,
    listed: Mapping[str, tuple[Job, Agreement]],
    *,
    whole: bool = True,
    now: datetime,
) -> int:
    """The listed definitions are held, and with the whole list no other one as not deleted; returns how many differ.

    A job of which only runs were seen is as good as deleted when the whole list does not show it. One that only the
    system tables define is not: they say when it is deleted.
    """
    query = select(jobs.c.job_id, *CONTENT).where(jobs.c.workspace == workspace)
    held = {found.job_id: found for found in connection.execute(query)}
    now_ms = to_ms(now)
    rows: list[Values] = []
    for job_id, (job, agreement) in listed.items():
        before = held.get(job_id)
        run_as = before.run_as if before else ""
        said = content(job, agreement, origin=JOBS_API, run_as=run_as, deleted_ms=None)
        if differs(before, said):
            rows.append(row(workspace, job, said, changed_ms=now_ms, revision=revision))
    gone: list[str] = []
    if whole:
        for job_id, name in _without_definition(connection, workspace, now_ms):
            if job_id not in listed:
                bare = Job(job_id=job_id, name=name)
                said = content(bare, Agreement(), origin=RUNS, run_as="", deleted_ms=now_ms)
                rows.append(row(workspace, bare, said, changed_ms=now_ms, revision=revision))
        gone += [
            job_id
            for job_id, found in held.items()
            if found.deleted_ms is None and found.origin != SYSTEM_TABLES
        ]
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
    return [(found.job_id, found.name) for found in connection.execute(query)]


def _run_since_deleted(connection: Connection, workspace: str) -> list[str]:
    """Ids of the deleted jobs of which a run began since; a job that no list shows must not expire while it runs."""
    query = (
        select(jobs.c.job_id)
        .join(job_history, SAME_JOB)
        .where(
            jobs.c.workspace == workspace,
            jobs.c.origin != SYSTEM_TABLES,
            jobs.c.deleted_ms < job_history.c.last_start_ms,
        )
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
