"""How the exporter is, and who is asking."""

from typing import Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.core.snapshot import Snapshot
from exporter.api.freshness import health
from exporter.api.models.about import Health, Me, WorkspaceHealth
from exporter.api.refusals import answered
from exporter.identity import identity
from exporter.pages import Pages


def add_routes(router: APIRouter, pages: Pages, *, on_databricks_apps: bool) -> None:
    """The endpoints about the exporter itself."""

    @router.get("/api/health", response_model=Health, tags=["exporter"])
    def how_it_is() -> Response:
        """How the exporter and its collectors are. Answers 200 as long as it answers; `status` says the rest."""
        snapshot, options, now, readable = pages.snapshot, pages.options, pages.now(), pages.readable
        workspaces = [
            WorkspaceHealth(
                workspace=workspace.name,
                host=workspace.host,
                workspace_id=workspace.workspace_id,
                jobs=sum(job.deleted is None for job in workspace.jobs),
                active_runs=len(workspace.active_runs),
                collectors=[*health(workspace, options, now)],
            )
            for workspace in (snapshot.workspaces if snapshot else ())
        ]
        well = readable and all(
            collector.up and not collector.stale
            for workspace in workspaces
            for collector in workspace.collectors
        )
        return answered(
            Health(
                status=_status(snapshot, well=well),
                version=options.version,
                timestamp=now,
                demo=options.demo,
                store_readable=readable,
                workspaces=workspaces,
            )
        )

    @router.get("/api/me", response_model=Me, tags=["exporter"])
    def who_asks(request: Request) -> Response:
        """Who is asking, as far as the platform says so."""
        user = identity(request.headers, on_databricks_apps=on_databricks_apps)
        snapshot = pages.snapshot
        workspaces = snapshot.workspaces if snapshot else ()
        only = workspaces[0] if len(workspaces) == 1 else None
        return answered(
            Me(
                display_name=user.name,
                email=user.email or None,
                auth_mode="databricks-apps" if on_databricks_apps else "local",
                workspace_name=only.name if only else None,
                workspace_host=only.host if only else None,
                workspace_id=only.workspace_id if only else None,
                demo=pages.options.demo,
            )
        )


def _status(snapshot: Snapshot | None, *, well: bool) -> Literal["ok", "degraded", "starting"]:
    if snapshot is None:
        return "starting"
    return "ok" if well else "degraded"
