"""Answers about jobs."""

from datetime import datetime

from pydantic import Field

from exporter.api.models.answer import Model, Page
from exporter.api.models.fields import JobId, Result, Team, Workspace


class JobBase(Model):
    """A job, by either view."""

    workspace: Workspace
    job_id: JobId
    name: str = Field(description="Not unique, and may change.")
    creator_user_name: str | None = Field(description="Null when unknown.")
    team: Team
    owner: str | None = Field(description="By tag or configuration.")
    tags: dict[str, str]
    paused: bool | None = Field(description="Null while only runs of the job were seen.")
    trigger_type: str | None = Field(
        description="SCHEDULE, PERIODIC, FILE_ARRIVAL, CONTINUOUS, …; null when started by hand or unknown."
    )


class ListedJob(JobBase):
    """A job and how its runs have gone."""

    created_time: datetime | None
    settings_format: str | None = Field(description="MULTI_TASK or SINGLE_TASK.")
    sla_seconds: float | None = Field(
        description="How long a run may take, by tag, health rule or configuration."
    )
    budget_monthly_dbus: float | None = Field(description="DBUs that it may use in a month.")
    active_runs: int = Field(description="Runs that were active at the last look.")
    last_start_time: datetime | None
    last_end_time: datetime | None = Field(description="Of the attempt that ended last.")
    last_result: Result
    last_duration_seconds: float | None = Field(description="Of that attempt alone.")
    last_success_time: datetime | None
    consecutive_failures: int = Field(description="Failed attempts since the last success.")
    median_duration_seconds: float | None = Field(
        description="Of the successful attempts of the last 30 days."
    )
    p90_duration_seconds: float | None = Field(description="The 90th percentile of the same.")


class RecordedJob(JobBase):
    """A job definition, as the Jobs API lists it or, for jobs that it does not show us, as the system tables do."""

    run_as_user_name: str | None = Field(description="From the system tables.")
    schedule: str | None = Field(
        description="Quartz expression, or `every N UNIT` for a periodic trigger; null without either."
    )
    timezone_id: str | None = Field(description="In which the schedule is meant.")
    deleted_time: datetime | None = Field(
        description="When it was found to be gone; it is shown for another day."
    )


class ListedJobs(Page):
    """Jobs that exist."""

    total: int = Field(description="Jobs that fit, on all pages.")
    jobs: list[ListedJob] = Field(description="By workspace and id.")


class RecordedJobs(Page):
    """Job definitions."""

    total: int = Field(description="Jobs that fit, on all pages.")
    jobs: list[RecordedJob] = Field(description="By workspace and id.")
