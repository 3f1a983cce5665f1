"""What the store remembers of each job beyond its runs: the last start, end and success, and the failures since.

It is read, carried forward in Python and written back under the workspace's lock, so that attempts may arrive in any
order. Pruning never touches it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from sqlalchemy import Connection, case, func, select

from collector.core.model import Attempt, Change, Run
from collector.core.vocabulary import JOB_RUN, Outcome, outcome
from collector.store import statements
from collector.store.instants import span_ms, to_ms
from collector.store.schema import attempts, job_history


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The columns of one job; None and empty until there is a first."""

    name: str = ""
    last_start_ms: int = -1
    last_run_id: str = ""
    last_end_ms: int | None = None
    last_result: str = ""
    last_duration_ms: int | None = None
    last_success_ms: int | None = None
    consecutive_failures: int = 0
    median_ms: int | None = None
    p90_ms: int | None = None
    observations: int = 0
    statistics_due_ms: int = 0


NAMES = tuple(field.name for field in fields(History))
COLUMNS = tuple(job_history.c[name] for name in NAMES)


def save(connection: Connection, workspace: str, revision: int, changes: Iterable[Change]) -> None:
    """The history of every job with a run among the changes takes them in; the attempts are written already."""
    by_job: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.run.run_type == JOB_RUN:
            by_job[change.run.job_id].append(change)
    held = _held(connection, workspace, by_job)
    after = {job_id: _carried(held.get(job_id, History()), of_job) for job_id, of_job in by_job.items()}
    differ = {job_id: history for job_id, history in after.items() if history != held.get(job_id)}
    rows = [
        {"workspace": workspace, "job_id": job_id, "revision": revision, **_row(history)}
        for job_id, history in differ.items()
    ]
    statements.upsert(connection, job_history, rows)
    succeeded = {
        job_id
        for job_id, history in differ.items()
        if history.last_success_ms != held.get(job_id, History()).last_success_ms
    }
    _recount(connection, workspace, revision, succeeded)
    failed_long_ago = {
        job_id for job_id, of_job in by_job.items() if any(map(_failed_before_horizon, of_job))
    }
    _recount(connection, workspace, revision, failed_long_ago - succeeded, at_least_as_held=True)


def _row(history: History) -> dict[str, object]:
    return {name: getattr(history, name) for name in NAMES}  # asdict would copy every value deeply


def _held(connection: Connection, workspace: str, job_ids: Iterable[str]) -> dict[str, History]:
    held: dict[str, History] = {}
    for chunk in statements.chunks(job_ids):
        query = select(job_history.c.job_id, *COLUMNS).where(
            job_history.c.workspace == workspace, job_history.c.job_id.in_(chunk)
        )
        for job_id, *values in connection.execute(query):
            held[job_id] = History(**dict(zip(NAMES, values, strict=True)))
    return held


def _carried(history: History, changes: Sequence[Change]) -> History:
    """The history with the changes taken in, but for the failures that must be counted in the table: those since a
    success that is new, and those before the horizon, which may have been here before they were pruned.
    """
    failures: list[int] = []
    for change in changes:
        history = _started(history, change.run)
        for finished in change.finished:
            history = _ended(history, change.run.run_id, finished.attempt)
            if finished.counted and outcome(finished.attempt.result) is Outcome.FAILURE:
                failures.append(to_ms(finished.attempt.ended))
        for measured in change.measured:
            history = _measured(history, change.run.run_id, measured.attempt)
    since = history.last_success_ms
    more = sum(since is None or ended_ms > since for ended_ms in failures)
    return replace(history, consecutive_failures=history.consecutive_failures + more)


def _started(history: History, run: Run) -> History:
    started_ms = to_ms(run.started)
    if started_ms < history.last_start_ms:
        return history if history.name else replace(history, name=run.name)
    return replace(history, last_start_ms=started_ms, name=run.name or history.name)


def _ended(history: History, run_id: str, attempt: Attempt) -> History:
    ended_ms = to_ms(attempt.ended)
    history = replace(history, statistics_due_ms=0)
    if outcome(attempt.result) is Outcome.SUCCESS and ended_ms > (history.last_success_ms or -1):
        history = replace(history, last_success_ms=ended_ms)
    if history.last_end_ms is not None and (ended_ms, run_id) < (history.last_end_ms, history.last_run_id):
        return history
    return replace(
        history,
        last_run_id=run_id,
        last_end_ms=ended_ms,
        last_result=attempt.result,
        last_duration_ms=span_ms(attempt.duration),
    )


def _measured(history: History, run_id: str, attempt: Attempt) -> History:
    history = replace(history, statistics_due_ms=0)
    if (history.last_end_ms, history.last_run_id) != (to_ms(attempt.ended), run_id):
        return history
    return replace(history, last_duration_ms=span_ms(attempt.duration))


def _failed_before_horizon(change: Change) -> bool:
    return any(
        not finished.counted and outcome(finished.attempt.result) is Outcome.FAILURE
        for finished in change.finished
    )


def _recount(
    connection: Connection,
    workspace: str,
    revision: int,
    job_ids: Iterable[str],
    *,
    at_least_as_held: bool = False,
) -> None:
    """Consecutive failures of the jobs are the failed attempts in the table that ended after their last success;
    or as many as are held, where some of them may have been pruned.
    """
    failures = (
        select(func.count())
        .select_from(attempts)
        .where(
            attempts.c.workspace == job_history.c.workspace,
            attempts.c.job_id == job_history.c.job_id,
            attempts.c.outcome == Outcome.FAILURE.value,
            attempts.c.ended_ms > func.coalesce(job_history.c.last_success_ms, -1),
        )
        .scalar_subquery()
    )
    held = job_history.c.consecutive_failures
    number = case((failures < held, held), else_=failures) if at_least_as_held else failures
    for chunk in statements.chunks(job_ids):
        connection.execute(
            job_history.update()
            .where(job_history.c.workspace == workspace, job_history.c.job_id.in_(chunk))
            .values(consecutive_failures=number, revision=revision)
        )
