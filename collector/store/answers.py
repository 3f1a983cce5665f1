"""Runs as people and scripts ask for them: filtered lists, newest first, and single runs with everything that is known.

However many runs the store holds, a page costs about what it shows: each question is put so that an index gives the
order.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, text

from collector.core.records import AttemptRecord, JobIds, RunPage, RunPlace, RunRecord, ids_in
from collector.core.vocabulary import TERMINATED
from collector.store import details
from collector.store.instants import from_ms, maybe_from_ms, to_ms
from collector.store.schema import NOT_SUCCESS, attempts, runs, workspaces
from collector.store.statements import Found, chunks

FEW_JOBS = 50
"""So many jobs are asked one by one, each in the order of its own index; of more, some run is always near."""
WITHOUT_FAILURE = frozenset({"", "SUCCESS"})
"""Results of runs that the index of those that did not succeed leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs are asked for; None asks for all."""

    job_ids: JobIds | None = None
    results: Collection[str] | None = None
    """Of the latest attempt; an empty one means that none has ended."""
    states: Collection[str] | None = None
    since: datetime | None = None
    """Started at or after."""
    until: datetime | None = None
    """Started before."""


def run_page(
    connection: Connection, workspace: str | None, wanted: Wanted, *, limit: int, after: RunPlace | None
) -> RunPage:
    """At most `limit` of the wanted runs, of one workspace or of all, that come after that place."""
    names = [workspace] if workspace is not None else _workspace_names(connection)
    lists = [
        connection.execute(query.limit(limit + 1))
        for name in names
        for query in _queries(name, wanted, after)
    ]
    rows = list(islice(merge(*lists, key=_place, reverse=True), limit + 1))
    shown = rows[:limit]
    return RunPage(
        runs=tuple(_records(connection, shown)),
        next=_left_at(shown[-1]) if len(rows) > limit else None,
    )


def one_run(connection: Connection, run_id: str, workspace: str | None) -> RunRecord | None:
    """The run with its details; without a workspace, that of the first workspace which has a run of this id."""
    query = select(runs).where(runs.c.run_id == run_id).limit(1)
    names = [workspace] if workspace is not None else _workspace_names(connection)
    found = (connection.execute(query.where(runs.c.workspace == name)).first() for name in names)
    row = next((row for row in found if row), None)
    if row is None:
        return None
    (record,) = _records(connection, [row])
    known = details.held(connection, record.workspace, run_id)
    return replace(record, details=known[0], details_seen=known[1]) if known else record


def _workspace_names(connection: Connection) -> list[str]:
    return list(connection.scalars(select(workspaces.c.name).order_by(workspaces.c.name)))


def _place(row: Found) -> tuple[int, str, str]:
    return row.started_ms, row.workspace, row.run_id


def _left_at(row: Found) -> RunPlace:
    return RunPlace(started=from_ms(row.started_ms), workspace=row.workspace, run_id=row.run_id)


def _queries(workspace: str, wanted: Wanted, after: RunPlace | None) -> Iterator[Select[*tuple[object, ...]]]:
    """Questions that have all the wanted runs of the workspace between them, each answered newest first."""
    query = (
        select(runs)
        .where(runs.c.workspace == workspace, *_conditions(wanted), *_beyond(workspace, after))
        .order_by(runs.c.started_ms.desc(), runs.c.run_id.desc())
    )
    if wanted.job_ids is None:
        yield query
        return
    job_ids = list(dict.fromkeys(ids_in(workspace, wanted.job_ids)))
    if len(job_ids) <= FEW_JOBS:
        yield from (query.where(runs.c.job_id == job_id) for job_id in job_ids)
        return
    # the function keeps the database from collecting the runs of all these jobs and sorting them
    of_jobs = func.coalesce(runs.c.job_id, "")
    yield query.where(or_(*(of_jobs.in_(chunk) for chunk in chunks(job_ids))))


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield runs.c.started_ms >= to_ms(wanted.since)
    if wanted.until is not None:
        yield runs.c.started_ms < to_ms(wanted.until)
    if wanted.results is not None:
        yield runs.c.result.in_(sorted(wanted.results))
        if wanted.job_ids is None and not WITHOUT_FAILURE.intersection(wanted.results):
            yield text(NOT_SUCCESS)  # type: ignore[misc] # text is as good as an expression there
    if wanted.states is not None:
        yield runs.c.state.in_(sorted(wanted.states))
        if TERMINATED not in wanted.states:
            yield runs.c.open


def _beyond(workspace: str, after: RunPlace | None) -> Iterator[ColumnElement[bool]]:
    """What comes after a place, in the order of start, workspace and id, the last first."""
    if after is None:
        return
    started_ms = to_ms(after.started)
    if workspace < after.workspace:
        yield runs.c.started_ms <= started_ms
        return
    if workspace > after.workspace:
        yield runs.c.started_ms < started_ms
        return
    yield runs.c.started_ms <= started_ms
    yield or_(
        runs.c.started_ms < started_ms, and_(runs.c.started_ms == started_ms, runs.c.run_id < after.run_id)
    )


def _records(connection: Connection, rows: Sequence[Found]) -> Iterator[RunRecord]:
    """The runs of the rows, in their order, with their attempts."""
    held: dict[tuple[str, str], list[AttemptRecord]] = defaultdict(list)
    for workspace in {row.workspace for row in rows}:
        for chunk in chunks(row.run_id for row in rows if row.workspace == workspace):
            query = (
                select(attempts)
                .where(attempts.c.workspace == workspace, attempts.c.run_id.in_(chunk))
                .order_by(attempts.c.run_id, attempts.c.ended_ms)
            )
            for row in connection.execute(query):
                held[workspace, row.run_id].append(_attempt(row))
    for row in rows:
        yield RunRecord(
            workspace=row.workspace,
            run_id=row.run_id,
            job_id=row.job_id,
            run_type=row.run_type,
            trigger=row.trigger,
            name=row.name,
            creator=row.creator,
            url=row.url,
            started=from_ms(row.started_ms),
            ended=maybe_from_ms(row.ended_ms),
            state=row.state,
            queue_reason=row.queue_reason,
            result=row.result,
            termination_code=row.termination_code,
            termination_type=row.termination_type,
            message=row.message,
            active=row.open,
            seen=from_ms(row.seen_ms),
            attempts=tuple(held.get((row.workspace, row.run_id), ())),
        )


def _attempt(row: Found) -> AttemptRecord:
    return AttemptRecord(
        started=from_ms(row.started_ms),
        ended=from_ms(row.ended_ms),
        duration=timedelta(milliseconds=row.duration_ms),
        queue=timedelta(milliseconds=row.queue_ms),
        result=row.result,
        termination_code=row.termination_code,
        termination_type=row.termination_type,
        by_tables=row.by_tables,
        measured=row.measured,
    )
