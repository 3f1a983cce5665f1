"""Job definitions that only the system tables have, and what the tables tell beyond the list of those that it shows."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from collector.core.model import Agreement, Job
from collector.store import agreements
from collector.store.definitions import CONTENT, JOBS_API, SYSTEM_TABLES, content, differs, from_text, row
from collector.store.instants import to_ms
from collector.store.schema import jobs, storable
from collector.store.statements import Found, Values, chunks, upsert

Recorded = tuple[Job, Agreement, datetime, datetime | None]
"""A definition, what the job is held to, when it became so, and when it was deleted."""
LONG_GONE = timedelta(days=1)
"""So long after its deletion a reader no longer shows a job."""


def save_recorded_jobs(
    connection: Connection, workspace: str, revision: int, recorded: Sequence[Recorded], *, now: datetime
) -> int:
    """Jobs that no list has shown are held as recorded, the others run as recorded; returns how many differ.

    A job that is unknown here and was deleted long ago stays unknown: the tables never forget one.
    """
    held = _held(connection, workspace, [job.job_id for job, _, _, _ in recorded])
    rows: list[Values] = []
    runners: list[Values] = []
    for job, agreement, changed, deleted in recorded:
        before = held.get(job.job_id)
        if before is not None and before.origin == JOBS_API:
            if job.run_as and before.run_as != storable(job.run_as):
                runners.append({"known": job.job_id, "runner": job.run_as})
            continue
        if before is None and deleted is not None and deleted < now - LONG_GONE:
            continue
        deleted_ms = None if deleted is None else to_ms(deleted)
        said = content(job, agreement, origin=SYSTEM_TABLES, run_as=job.run_as, deleted_ms=deleted_ms)
        if differs(before, said):
            rows.append(row(workspace, job, said, changed_ms=to_ms(changed), revision=revision))
    upsert(connection, jobs, rows)
    if runners:
        same = jobs.update().where(jobs.c.workspace == workspace, jobs.c.job_id == bindparam("known"))
        connection.execute(same.values(run_as=bindparam("runner"), revision=revision), runners)
    return len(rows) + len(runners)


def agree(
    connection: Connection, workspace: str, revision: int, agreement: Callable[[Job], Agreement]
) -> int:
    """Jobs that only the system tables define are held to what is said of them now; returns how many differ.

    The tables are asked for what changed in them, and what changed in the configuration is none of that.
    """
    query = select(jobs.c.job_id, *CONTENT).where(
        jobs.c.workspace == workspace, jobs.c.origin == SYSTEM_TABLES, jobs.c.deleted_ms.is_(None)
    )
    changed = 0
    for found in connection.execute(query).all():
        columns = agreements.to_columns(agreement(from_text(found.definition)))
        if differs(found, columns):
            changed += 1
            connection.execute(
                jobs.update()
                .where(jobs.c.workspace == workspace, jobs.c.job_id == found.job_id)
                .values(**columns, revision=revision)
            )
    return changed


def _held(connection: Connection, workspace: str, job_ids: Sequence[str]) -> dict[str, Found]:
    held: dict[str, Found] = {}
    for chunk in chunks(job_ids):
        query = select(jobs.c.job_id, *CONTENT).where(jobs.c.workspace == workspace, jobs.c.job_id.in_(chunk))
        held |= {found.job_id: found for found in connection.execute(query)}
    return held
