"""Jobs: those that exist with how their runs have gone, and their definitions."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

from fastapi import APIRouter
from starlette.responses import Response

from collector.core.model import Job
from collector.core.snapshot import JobFacts, WorkspaceSnapshot
from exporter.api import places
from exporter.api.freshness import DEFINITIONS, DEFINITIONS_AND_TABLES
from exporter.api.models.jobs import ListedJob, ListedJobs, RecordedJob, RecordedJobs
from exporter.api.moment import chosen, moment, team_of
from exporter.api.parameters import Cursor, JobPattern, Limit, Team, Workspace
from exporter.api.refusals import answered
from exporter.api.spans import maybe_seconds, number, seconds
from exporter.pages import Pages

Known = tuple[WorkspaceSnapshot, JobFacts]
Key = tuple[str, int, str]


class JobFields(TypedDict):
    """The fields that both views have."""

    workspace: str
    job_id: str
    name: str
    creator_user_name: str | None
    team: str | None
    owner: str | None
    tags: dict[str, str]
    paused: bool | None
    trigger_type: str | None


def add_routes(router: APIRouter, pages: Pages) -> None:
    """The endpoints of jobs."""

    @router.get("/api/jobs", response_model=RecordedJobs, tags=["recorded"])
    def recorded_jobs(
        *,
        workspace: Workspace = None,
        job: JobPattern = None,
        team: Team = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
    ) -> Response:
        """Job definitions, those of jobs that are gone for another day, and those that only the system tables show."""
        seen = moment(pages)
        workspaces = seen.workspaces(workspace)
        found = _known(workspaces, job, team)
        shown, next_cursor = _page(found, limit, cursor)
        return answered(
            RecordedJobs(
                **seen.age(workspaces, DEFINITIONS_AND_TABLES),
                limit=limit,
                next_cursor=next_cursor,
                total=len(found),
                jobs=[_recorded(*known) for known in shown],
            )
        )

    @router.get("/api/jobs-api/list", response_model=ListedJobs, tags=["live"])
    def listed_jobs(
        *,
        workspace: Workspace = None,
        job: JobPattern = None,
        team: Team = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
    ) -> Response:
        """Jobs that exist, with what they are held to and how their runs have gone."""
        seen = moment(pages)
        workspaces = seen.workspaces(workspace)
        found = [known for known in _known(workspaces, job, team) if known[1].deleted is None]
        shown, next_cursor = _page(found, limit, cursor)
        active = _active(workspaces)
        return answered(
            ListedJobs(
                **seen.age(workspaces, DEFINITIONS),
                limit=limit,
                next_cursor=next_cursor,
                total=len(found),
                jobs=[_listed(*known, active[known[0].name, known[1].job_id]) for known in shown],
            )
        )


def _known(workspaces: Sequence[WorkspaceSnapshot], job: str | None, team: str | None) -> list[Known]:
    """The jobs that are asked for, by workspace and id."""
    found = chosen(workspaces, job, team)
    known = [(workspace, facts) for workspace in workspaces for facts in found[workspace.name].values()]
    return sorted(known, key=_key)


def _page(known: Sequence[Known], limit: int, cursor: str | None) -> tuple[Sequence[Known], str | None]:
    """A part of the list, and where the next one begins."""
    start = 0
    if place := places.read(cursor, str, str):
        workspace, job_id = map(str, place)
        start = bisect_right(known, (workspace, len(job_id), job_id), key=_key)
    shown, last = places.page_of(known, start, limit)
    return shown, places.written([last[0].name, last[1].job_id]) if last else None


def _key(known: Known) -> Key:
    """Workspaces by name, ids as numbers."""
    workspace, facts = known
    return workspace.name, len(facts.job_id), facts.job_id


def _recorded(workspace: WorkspaceSnapshot, facts: JobFacts) -> RecordedJob:
    job = facts.job
    return RecordedJob(
        **_base(workspace, facts),
        run_as_user_name=(job.run_as or None) if job else None,
        schedule=_schedule(job),
        timezone_id=(job.timezone_id or None) if job else None,
        deleted_time=facts.deleted,
    )


def _listed(workspace: WorkspaceSnapshot, facts: JobFacts, active_runs: int) -> ListedJob:
    job, agreement = facts.job, facts.agreement
    return ListedJob(
        **_base(workspace, facts),
        created_time=job.created if job else None,
        settings_format=(job.format or None) if job else None,
        sla_seconds=seconds(agreement.target.sla) if agreement.target else None,
        budget_monthly_dbus=number(agreement.budget.dbus) if agreement.budget else None,
        active_runs=active_runs,
        last_start_time=facts.last_start,
        last_end_time=facts.last_end,
        last_result=facts.last_result or None,
        last_duration_seconds=maybe_seconds(facts.last_duration),
        last_success_time=facts.last_success,
        consecutive_failures=facts.consecutive_failures,
        median_duration_seconds=maybe_seconds(facts.median),
        p90_duration_seconds=maybe_seconds(facts.p90),
    )


def _base(workspace: WorkspaceSnapshot, facts: JobFacts) -> JobFields:
    job, owner = facts.job, facts.agreement.owner
    return JobFields(
        workspace=workspace.name,
        job_id=facts.job_id,
        name=facts.name,
        creator_user_name=(job.creator or None) if job else None,
        team=team_of(facts),
        owner=owner.name if owner else None,
        tags=dict(job.tags) if job else {},
        paused=job.paused if job else None,
        trigger_type=(job.trigger_type or None) if job else None,
    )


def _schedule(job: Job | None) -> str | None:
    if job is None:
        return None
    if job.periodic_unit:
        return f"every {job.periodic_interval} {job.periodic_unit}"
    return job.quartz_cron_expression or None


def _active(workspaces: Sequence[WorkspaceSnapshot]) -> Counter[tuple[str, str]]:
    """Active runs by workspace and job id."""
    return Counter((workspace.name, run.job_id) for workspace in workspaces for run in workspace.active_runs)
