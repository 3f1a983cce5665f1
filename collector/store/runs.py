"""Runs and their attempts: what the store knows of them, and how a change is written."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from collector.core.model import Attempt, Change, KnownAttempt, KnownRun, Run
from collector.core.vocabulary import outcome
from collector.store import statements
from collector.store.instants import from_ms, span_ms, to_ms
from collector.store.schema import attempts, runs

KEPT_WHEN_EMPTY = frozenset({"message", "url", "name", "creator", "trigger"})
"""Lists and single answers do not bring the same fields; what one brought, another's silence does not take away."""

RUN_COLUMNS = (
    runs.c.run_id,
    runs.c.job_id,
    runs.c.run_type,
    runs.c.started_ms,
    runs.c.state,
    runs.c.queue_reason,
    runs.c.open,
)
ATTEMPT_COLUMNS = (
    attempts.c.run_id,
    attempts.c.ended_ms,
    attempts.c.result,
    attempts.c.counted,
    attempts.c.measured,
    attempts.c.detailed,
    attempts.c.queue_ms,
    attempts.c.retries,
    attempts.c.by_tables,
)


def known(connection: Connection, workspace: str, run_ids: Iterable[str]) -> dict[str, KnownRun]:
    """What is held of those of the runs that are held at all."""
    rows = [
        row
        for chunk in statements.chunks(run_ids)
        for row in connection.execute(
            select(*RUN_COLUMNS).where(runs.c.workspace == workspace, runs.c.run_id.in_(chunk))
        ).all()
    ]
    return {run.run_id: run for run in _with_attempts(connection, workspace, rows)}


def open_runs(connection: Connection, workspace: str) -> tuple[KnownRun, ...]:
    """The runs that are believed to be active, oldest first."""
    query = (
        select(*RUN_COLUMNS)
        .where(runs.c.workspace == workspace, runs.c.open)
        .order_by(runs.c.started_ms, runs.c.run_id)
    )
    return tuple(_with_attempts(connection, workspace, connection.execute(query).all()))


def save(connection: Connection, workspace: str, changes: Sequence[Change], *, now: datetime) -> None:
    """The runs are as the changes observed them, and hold the finished and the detailed attempts."""
    now_ms = to_ms(now)
    rows = [_run_row(workspace, change.run, now_ms) for change in changes if change.latest]
    statements.upsert(connection, runs, rows, keep=KEPT_WHEN_EMPTY)
    finished = [
        _attempt_row(workspace, change.run, item.attempt)
        | {
            "counted": item.counted,
            "measured": False,
            "detailed": False,
            "queue_ms": 0,
            "retries": 0,
            "by_tables": item.by_tables,
        }
        for change in changes
        for item in change.finished
    ]
    if finished:
        # Two attempts of one run that end in the same millisecond are one here, and always have been.
        connection.execute(statements.insert(connection, attempts).on_conflict_do_nothing(), finished)
    measured = [
        _place(workspace, change.run, item.attempt)
        | {
            "new_started_ms": to_ms(item.attempt.started),
            "new_duration_ms": span_ms(item.attempt.duration),
        }
        for change in changes
        for item in change.measured
    ]
    if measured:
        connection.execute(_MEASURE, measured)
    retried = [
        _place(workspace, change.run, item.attempt) | {"more_retries": item.more}
        for change in changes
        for item in change.retried
    ]
    if retried:
        connection.execute(_RETRY, retried)
    detailed = [
        _place(workspace, change.run, item.attempt) | {"more_queue_ms": span_ms(item.queue)}
        for change in changes
        for item in change.detailed
    ]
    if detailed:
        connection.execute(_DETAIL, detailed)


def close(connection: Connection, workspace: str, run_ids: Iterable[str], *, details_wanted: bool) -> None:
    """The runs are no longer open, and nobody waits for their details unless they are wanted; when and how they ended
    stays unknown.
    """
    for chunk in statements.chunks(run_ids):
        connection.execute(
            runs.update().where(runs.c.workspace == workspace, runs.c.run_id.in_(chunk)).values(open=False)
        )
        if not details_wanted:
            connection.execute(
                attempts.update()
                .where(attempts.c.workspace == workspace, attempts.c.run_id.in_(chunk))
                .values(detailed=True)
            )


_ATTEMPT = attempts.update().where(
    attempts.c.workspace == bindparam("of_workspace"),
    attempts.c.run_id == bindparam("of_run"),
    attempts.c.ended_ms == bindparam("at_ms"),
)
_MEASURE = _ATTEMPT.values(
    started_ms=bindparam("new_started_ms"),
    duration_ms=bindparam("new_duration_ms"),
    measured=True,
)
"""The result stays the one that was counted."""
_RETRY = _ATTEMPT.values(retries=attempts.c.retries + bindparam("more_retries"))
_DETAIL = _ATTEMPT.values(queue_ms=attempts.c.queue_ms + bindparam("more_queue_ms"), detailed=True)


def _place(workspace: str, run: Run, attempt: Attempt) -> dict[str, object]:
    return {"of_workspace": workspace, "of_run": run.run_id, "at_ms": to_ms(attempt.ended)}


def _with_attempts(
    connection: Connection, workspace: str, rows: Sequence[statements.Found]
) -> Iterator[KnownRun]:
    """The runs of the rows; their attempts by key, for a join lets the database begin at the wrong end."""
    held: dict[str, list[KnownAttempt]] = defaultdict(list)
    for chunk in statements.chunks(row.run_id for row in rows):
        query = (
            select(*ATTEMPT_COLUMNS)
            .where(attempts.c.workspace == workspace, attempts.c.run_id.in_(chunk))
            .order_by(attempts.c.ended_ms)
        )
        for row in connection.execute(query).all():
            held[row.run_id].append(_known_attempt(row))
    for run_id, job_id, run_type, started_ms, state, queue_reason, is_open in rows:
        yield KnownRun(
            run_id=run_id,
            job_id=job_id,
            run_type=run_type,
            started=from_ms(started_ms),
            state=state,
            queue_reason=queue_reason,
            open=is_open,
            attempts=tuple(held.get(run_id, ())),
        )


def _known_attempt(row: statements.Found) -> KnownAttempt:
    return KnownAttempt(
        ended=from_ms(row.ended_ms),
        result=row.result,
        counted=row.counted,
        measured=row.measured,
        detailed=row.detailed,
        queue=timedelta(milliseconds=row.queue_ms),
        retries=row.retries,
        by_tables=row.by_tables,
    )


def _run_row(workspace: str, run: Run, now_ms: int) -> statements.Values:
    latest = run.latest
    return {
        "workspace": workspace,
        "run_id": run.run_id,
        "job_id": run.job_id,
        "run_type": run.run_type,
        "trigger": run.trigger,
        "name": run.name,
        "creator": run.creator,
        "url": run.url,
        "started_ms": to_ms(run.started),
        "ended_ms": to_ms(run.ended) if run.ended else None,
        "state": run.state,
        "queue_reason": run.queue_reason,
        "result": latest.result if latest else "",
        "termination_code": latest.termination_code if latest else "",
        "termination_type": latest.termination_type if latest else "",
        "message": run.message,
        "open": run.active,
        "seen_ms": now_ms,
    }


def _attempt_row(workspace: str, run: Run, attempt: Attempt) -> dict[str, object]:
    return {
        "workspace": workspace,
        "run_id": run.run_id,
        "ended_ms": to_ms(attempt.ended),
        "job_id": run.job_id,
        "started_ms": to_ms(attempt.started),
        "duration_ms": span_ms(attempt.duration),
        "result": attempt.result,
        "outcome": outcome(attempt.result).value,
        "termination_code": attempt.termination_code,
        "termination_type": attempt.termination_type,
    }
