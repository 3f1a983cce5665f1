"""Reads why jobs fail now, and how their latest attempts went. A few lookups per job, however many runs are held."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import Connection, func, select, union_all

from collector.core.failing import Ending, Failing
from collector.core.vocabulary import Outcome
from collector.store.instants import from_ms
from collector.store.schema import attempts, job_history, runs
from collector.store.statements import chunks

NEVER_MS = -1


def failing(connection: Connection, workspace: str, job_ids: Iterable[str]) -> Mapping[str, Failing]:
    """By job id: why those of the jobs fail that do, as far as their runs are held."""
    same_job = (
        attempts.c.workspace == job_history.c.workspace,
        attempts.c.job_id == job_history.c.job_id,
        attempts.c.outcome == Outcome.FAILURE,
    )
    after_success = attempts.c.ended_ms > func.coalesce(job_history.c.last_success_ms, NEVER_MS)
    failures = select(attempts.c.ended_ms).where(*same_job, after_success).correlate(job_history)
    first = failures.with_only_columns(func.min(attempts.c.ended_ms)).scalar_subquery()
    last = failures.with_only_columns(func.max(attempts.c.ended_ms)).scalar_subquery()
    held = failures.with_only_columns(func.count()).scalar_subquery()
    found: dict[str, Failing] = {}
    for chunk in chunks(job_ids):
        jobs = (
            select(
                job_history.c.job_id,
                job_history.c.consecutive_failures,
                first.label("first_ms"),
                last.label("last_ms"),
                held.label("held"),
            )
            .where(
                job_history.c.workspace == workspace,
                job_history.c.job_id.in_(chunk),
                job_history.c.consecutive_failures > 0,
            )
            .subquery()
        )
        query = (
            select(
                jobs.c.job_id,
                jobs.c.consecutive_failures,
                jobs.c.first_ms,
                jobs.c.held,
                attempts.c.run_id,
                attempts.c.ended_ms,
                attempts.c.result,
                attempts.c.termination_code,
                runs.c.url,
                runs.c.message,
            )
            .join(
                attempts,
                (attempts.c.workspace == workspace)
                & (attempts.c.job_id == jobs.c.job_id)
                & (attempts.c.outcome == Outcome.FAILURE)
                & (attempts.c.ended_ms == jobs.c.last_ms),
            )
            .join(runs, (runs.c.workspace == workspace) & (runs.c.run_id == attempts.c.run_id))
        )
        for row in connection.execute(query):
            found[row.job_id] = Failing(
                job_id=row.job_id,
                since=from_ms(row.first_ms) if row.held >= row.consecutive_failures else None,
                run_id=row.run_id,
                url=row.url,
                ended=from_ms(row.ended_ms),
                result=row.result,
                termination_code=row.termination_code,
                message=row.message,
            )
    return found


def endings(
    connection: Connection, workspace: str, job_ids: Iterable[str], *, each: int
) -> Mapping[str, tuple[Ending, ...]]:
    """By job id: its latest attempts, at most so many, the oldest first."""
    return {job_id: _endings(connection, workspace, job_id, each) for job_id in dict.fromkeys(job_ids)}


def _endings(connection: Connection, workspace: str, job_id: str, most: int) -> tuple[Ending, ...]:
    # the index has the outcome before the end, so that each outcome is a walk of its own
    columns = (attempts.c.run_id, attempts.c.ended_ms, attempts.c.duration_ms, attempts.c.result)
    walks = [
        select(*columns)
        .where(attempts.c.workspace == workspace, attempts.c.job_id == job_id, attempts.c.outcome == outcome)
        .order_by(attempts.c.ended_ms.desc())
        .limit(most)
        .subquery()
        for outcome in Outcome
    ]
    latest = union_all(*(select(walk) for walk in walks)).subquery()
    query = select(latest).order_by(latest.c.ended_ms.desc()).limit(most)
    return tuple(
        Ending(
            run_id=row.run_id,
            ended=from_ms(row.ended_ms),
            duration=timedelta(milliseconds=row.duration_ms),
            result=row.result,
        )
        for row in reversed(connection.execute(query).all())
    )
