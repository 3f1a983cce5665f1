"""Runs: those that are active, those of a job, those of many jobs, and single ones with everything that is known."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from starlette.responses import Response

from collector.core import snapshot
from collector.core.model import MILLISECOND
from collector.core.records import RunPlace
from collector.core.snapshot import JobFacts, WorkspaceSnapshot
from collector.store.reader import Reader
from exporter.api import places
from exporter.api.freshness import LIVE, LIVE_AND_TABLES, seconds_since
from exporter.api.models.runs import ActiveRun, ActiveRuns, LiveRuns, MergedRuns, OneRun
from exporter.api.moment import Jobs, Moment, chosen, chosen_ids, is_id, moment, team_of
from exporter.api.parameters import (
    LATEST,
    ActiveStates,
    Cursor,
    JobIdPath,
    JobPattern,
    Limit,
    ManyLimit,
    Results,
    RunDays,
    RunIdPath,
    Since,
    States,
    Team,
    Until,
    Workspace,
    period,
)
from exporter.api.recorded import attempt, live_run, merged_run, run_details
from exporter.api.refusals import NOT_FOUND, answered, missing
from exporter.api.spans import maybe_seconds, seconds
from exporter.pages import Pages

NOT_KEPT = "they were not read yet, or they are no longer kept"
STILL_ACTIVE = "they are read when the run has ended"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = (LATEST - EPOCH) // MILLISECOND

Active = tuple[WorkspaceSnapshot, snapshot.ActiveRun]
Key = tuple[int, str, str]
JobIds = Mapping[str, Collection[str]]


def add_routes(router: APIRouter, pages: Pages, records: Reader) -> None:
    """The endpoints of runs."""

    @router.get("/api/jobs/runs", response_model=MergedRuns, tags=["recorded"])
    def merged_runs(
        *,
        days: RunDays = 7,
        workspace: Workspace = None,
        job: JobPattern = None,
        team: Team = None,
        result: Results = None,
        until: Until = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """Runs of all jobs, merged from what the polls and the system tables say: each run once."""
        seen = moment(pages)
        workspaces = seen.workspaces(workspace)
        since, end = period(seen.now - timedelta(days=days), until)
        page = records.runs(
            workspace,
            job_ids=chosen_ids(workspaces, job, team),
            results=result,
            since=since,
            until=end,
            limit=limit,
            after=_place(cursor),
        )
        return answered(
            MergedRuns(
                **seen.age(workspaces, LIVE_AND_TABLES),
                limit=limit,
                next_cursor=_cursor(page.next),
                runs=[merged_run(run) for run in page.runs],
            )
        )

    @router.get("/api/jobs-api/runs/{job_id}", response_model=LiveRuns, responses=NOT_FOUND, tags=["live"])
    def runs_of_job(
        *,
        job_id: JobIdPath,
        workspace: Workspace = None,
        result: Results = None,
        state: States = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 25,
        cursor: Cursor = None,
    ) -> Response:
        """The runs of a job, the latest first."""
        seen = moment(pages)
        workspaces = seen.workspaces(workspace)
        begin, end = period(since, until)
        page = records.runs(
            workspace,
            job_ids=(job_id,),
            results=result,
            states=state,
            since=begin,
            until=end,
            limit=limit,
            after=_place(cursor),
        )
        if not page.runs and not _is_known(records, workspaces, workspace, job_id):
            raise missing(f"job {job_id}")
        return answered(
            LiveRuns(
                **seen.age(workspaces, LIVE),
                limit=limit,
                next_cursor=_cursor(page.next),
                runs=[live_run(run) for run in page.runs],
            )
        )

    @router.get("/api/jobs-api/active", response_model=ActiveRuns, tags=["live"])
    def active_runs(
        *,
        workspace: Workspace = None,
        job: JobPattern = None,
        team: Team = None,
        state: ActiveStates = None,
        limit: ManyLimit = 2000,
        cursor: Cursor = None,
    ) -> Response:
        """Runs that had not ended at the last look, the oldest first."""
        seen = moment(pages)
        workspaces = seen.workspaces(workspace)
        jobs = chosen(workspaces, None, None)
        found = _active(workspaces, _wanted(workspaces, job, team), state)
        shown, next_cursor = _active_page(found, limit, cursor)
        return answered(
            ActiveRuns(
                **seen.age(workspaces, LIVE),
                limit=limit,
                next_cursor=next_cursor,
                total_active=len(found),
                runs=[_active_run(*active, jobs, seen) for active in shown],
            )
        )

    @router.get("/api/runs/{run_id}", response_model=OneRun, responses=NOT_FOUND, tags=["live"])
    def one_run(run_id: RunIdPath, workspace: Workspace = None) -> Response:
        """A run: its attempts, and, once it has ended, its tasks, parameters and repairs."""
        seen = moment(pages)
        seen.workspaces(workspace)
        run = records.run(run_id, workspace)
        if run is None:
            raise missing(f"run {run_id}")
        details = run_details(run)
        return answered(
            OneRun(
                **seen.age(seen.workspaces(run.workspace), LIVE),
                run=live_run(run),
                attempts=[attempt(finished, repair=place > 0) for place, finished in enumerate(run.attempts)],
                details=details,
                details_missing=None if details else STILL_ACTIVE if run.active else NOT_KEPT,
            )
        )


def _is_known(
    records: Reader, workspaces: Sequence[WorkspaceSnapshot], workspace: str | None, job_id: str
) -> bool:
    """Whether the job is defined, or has runs at all."""
    if any(chosen(workspaces, job_id, None).values()):
        return True
    return bool(records.runs(workspace, job_ids=(job_id,), limit=1).runs)


def _place(cursor: str | None) -> RunPlace | None:
    """Where a list of the store goes on."""
    place = places.read(cursor, int, str, str)
    if place is None:
        return None
    started_ms, workspace, run_id = place
    if not is_id(str(run_id)) or int(started_ms) >= LATEST_MS:
        raise places.bad_cursor()
    return RunPlace(
        started=EPOCH + int(started_ms) * MILLISECOND, workspace=str(workspace), run_id=str(run_id)
    )


def _cursor(place: RunPlace | None) -> str | None:
    return places.written([_ms(place.started), place.workspace, place.run_id]) if place else None


def _wanted(workspaces: Sequence[WorkspaceSnapshot], job: str | None, team: str | None) -> JobIds | None:
    """Ids of the jobs that are asked for, quick to look into."""
    ids = chosen_ids(workspaces, job, team)
    return None if ids is None else {name: frozenset(those) for name, those in ids.items()}


def _active(
    workspaces: Sequence[WorkspaceSnapshot], wanted: JobIds | None, states: Sequence[str] | None
) -> list[Active]:
    found = [
        (workspace, run)
        for workspace in workspaces
        for run in workspace.active_runs
        if (wanted is None or run.job_id in wanted[workspace.name])
        and (states is None or run.state in states)
    ]
    return sorted(found, key=_key)


def _key(active: Active) -> Key:
    workspace, run = active
    return _ms(run.started), workspace.name, run.run_id


def _active_page(
    found: Sequence[Active], limit: int, cursor: str | None
) -> tuple[Sequence[Active], str | None]:
    start = 0
    if place := places.read(cursor, int, str, str):
        start = bisect_right(found, tuple(place), key=_key)
    shown, last = places.page_of(found, start, limit)
    return shown, places.written([*_key(last)]) if last else None


def _active_run(workspace: WorkspaceSnapshot, run: snapshot.ActiveRun, jobs: Jobs, seen: Moment) -> ActiveRun:
    facts: JobFacts | None = jobs[workspace.name].get(run.job_id)
    target = facts.agreement.target if facts else None
    return ActiveRun(
        workspace=workspace.name,
        run_id=run.run_id,
        job_id=run.job_id,
        run_name=run.name,
        state=run.state,
        result_state=None,
        start_time=run.started,
        end_time=None,
        run_page_url=run.url or None,
        run_type=run.run_type,
        trigger=run.trigger,
        queue_reason=run.queue_reason or None,
        team=team_of(facts),
        elapsed_seconds=seconds_since(run.started, seen.now) or 0.0,
        sla_seconds=seconds(target.sla) if target else None,
        median_duration_seconds=maybe_seconds(facts.median) if facts else None,
    )


def _ms(instant: datetime) -> int:
    return (instant - EPOCH) // MILLISECOND
