"""Answers about the exporter itself."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from exporter.api.models.answer import Model, Source
from exporter.api.models.fields import Workspace


class CollectorHealth(Source):
    """A collector and how its latest poll went."""

    up: bool = Field(description="True when its latest poll succeeded.")
    interval_seconds: float = Field(description="How far apart its polls should be.")
    message: str = Field(description="What went wrong, for people.")


class WorkspaceHealth(Model):
    """A workspace and its collectors."""

    workspace: Workspace
    host: str = Field(description="Its address; empty before it was first reached.")
    workspace_id: str = Field(description="Its id in Databricks; empty when unknown.")
    jobs: int = Field(description="Jobs that are known.")
    active_runs: int = Field(description="Runs that were active at the last look.")
    collectors: list[CollectorHealth]


class Health(Model):
    """How the exporter is."""

    status: Literal["ok", "degraded", "starting"] = Field(
        description="starting: nothing was read from the store yet. degraded: the store cannot be read, or a collector "
        "fails or is stale."
    )
    version: str
    timestamp: datetime = Field(description="The time of the answer.")
    demo: bool = Field(description="True when the data come from a simulated workspace.")
    store_readable: bool
    workspaces: list[WorkspaceHealth]


class Me(Model):
    """Who is asking."""

    display_name: str = Field(description="User name; `local-dev-user` outside Databricks Apps.")
    email: str | None
    auth_mode: Literal["databricks-apps", "local"] = Field(
        description="databricks-apps: the platform's proxy says who it is. local: nobody does."
    )
    workspace_name: str | None = Field(description="The workspace, when there is exactly one.")
    workspace_host: str | None = Field(description="Its address.")
    workspace_id: str | None = Field(description="Its id in Databricks.")
    demo: bool = Field(description="True when the data come from a simulated workspace.")
