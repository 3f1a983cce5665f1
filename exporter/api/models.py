"""What the API answers: every field with its meaning and unit, as it stands in the OpenAPI document.

Fields without a word on their origin come from the Jobs API, and are named as there. Instants are ISO 8601 in UTC, spans
are seconds, ids are strings.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Workspace = Annotated[str, Field(description="Name of the workspace in the configuration.")]
RunId = Annotated[str, Field(description="Id of the run; unique within its workspace.")]
JobId = Annotated[
    str, Field(description="Id of the job; unique within its workspace. One-time runs have one each.")
]
RunName = Annotated[str, Field(description="Name of the run, mostly that of its job; free text.")]
State = Annotated[
    str,
    Field(
        description="QUEUED, PENDING, BLOCKED, RUNNING, WAITING, TERMINATING or TERMINATED; new words as they come."
    ),
]
Result = Annotated[
    str | None, Field(description="SUCCESS, FAILED, TIMEDOUT, CANCELED, …; null until an attempt has ended.")
]
Started = Annotated[
    datetime, Field(description="When the run was accepted, before queueing and cluster start.")
]
Ended = Annotated[
    datetime | None, Field(description="When it ended; null while active, and when nobody saw how it ended.")
]
PageUrl = Annotated[
    str | None, Field(description="The run in Databricks; null when Databricks did not tell.")
]
Code = Annotated[str, Field(description="`termination_details.code`; empty until it has ended.")]
Type = Annotated[
    str, Field(description="`termination_details.type`: who is to blame; empty until it has ended.")
]
Message = Annotated[str, Field(description="Why it ended, for people; free text, may be cut.")]
Team = Annotated[str | None, Field(description="Who answers for the job, by tag or configuration.")]
Attempts = Annotated[
    int, Field(description="Finished attempts: the original pass and every repair. What the metrics count.")
]


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


# ── about every answer ───────────────────────────────────────────────────────────────────────────────────────────


class Source(Model):
    """How fresh the data of one collector of one workspace are."""

    workspace: Workspace
    collector: str = Field(description="live, definitions, lookback, system_tables or billing.")
    last_success: datetime | None = Field(
        description="End of its last successful poll; null when none succeeded."
    )
    age_seconds: float | None = Field(description="Seconds since then.")
    newest_record: datetime | None = Field(
        description="The latest instant that the system table behind it tells of, which is minutes to hours late; "
        "null for the Jobs API."
    )
    stale: bool = Field(description="True when the last success is too long ago for its interval.")
    error: str = Field(
        description="Why its latest poll failed: unreachable, throttled, refused, unreadable or internal. "
        "Empty when it succeeded."
    )


class Answer(Model):
    """What every answer says of its data."""

    as_of: datetime | None = Field(
        description="The data are as of then, or later: the oldest of the sources. Null when one never succeeded."
    )
    age_seconds: float | None = Field(description="Seconds since then.")
    stale: bool = Field(description="True when one of the sources is stale, or the store cannot be read.")
    demo: bool = Field(description="True when the data come from a simulated workspace.")
    sources: list[Source] = Field(description="What the answer rests on.")


class Page(Answer):
    """A part of a list."""

    limit: int = Field(description="The most items that this answer may have.")
    next_cursor: str | None = Field(description="Ask with it as `cursor` for the next part; null at the end.")


class Problem(Model):
    """Something wrong with one parameter."""

    parameter: str = Field(description="Its name.")
    problem: str = Field(description="What is wrong.")
    allowed: str = Field(description="What is allowed.")


class Refusal(Model):
    """Why there is no other answer."""

    detail: str = Field(description="In one sentence.")
    problems: list[Problem] = Field(default=[], description="Parameter by parameter, when they are wrong.")


# ── about the exporter ───────────────────────────────────────────────────────────────────────────────────────────


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


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class RunBase(Model):
    """What every list of live runs says of a run."""

    workspace: Workspace
    run_id: RunId
    job_id: JobId
    run_name: RunName
    state: State
    result_state: Result
    start_time: Started
    end_time: Ended
    run_page_url: PageUrl
    run_type: str = Field(description="JOB_RUN, SUBMIT_RUN or WORKFLOW_RUN.")
    trigger: str


class ActiveRun(RunBase):
    """A run that had not ended at the last look."""

    queue_reason: str | None = Field(description="Why it waits, while QUEUED.")
    team: Team
    elapsed_seconds: float = Field(description="Since `start_time`, by the time of the answer.")
    sla_seconds: float | None = Field(description="How long a run of the job may take.")
    median_duration_seconds: float | None = Field(
        description="How long its successful attempts usually take."
    )


class ActiveRuns(Page):
    """Runs that had not ended at the last look."""

    total_active: int = Field(description="Active runs that fit, on all pages.")
    runs: list[ActiveRun] = Field(description="The oldest first.")


class LiveRun(RunBase):
    """A run as it was last seen."""

    creator_user_name: str | None
    queue_reason: str | None = Field(description="Why it waits, while QUEUED.")
    duration_seconds: float | None = Field(
        description="Of its finished attempts together, without the idle time between; null before one has ended."
    )
    termination_code: Code
    termination_type: Type
    message: Message
    attempts: Attempts


class LiveRuns(Page):
    """Runs of a job."""

    runs: list[LiveRun] = Field(description="The one that started last comes first.")


class MergedRun(Model):
    """A run, merged from what the polls and the system tables say: one item per run, however many hours it took."""

    workspace: Workspace
    run_id: RunId
    job_id: JobId
    run_name: RunName
    period_start_time: Started
    period_end_time: Ended
    run_duration_seconds: float | None = Field(
        description="Of its finished attempts together, without the idle time between; null before one has ended."
    )
    result_state: Result
    state: State
    termination_code: Code
    attempts: Attempts
    recovered: bool = Field(description="True when the system tables brought an attempt that no poll saw.")


class MergedRuns(Page):
    """Runs of many jobs."""

    runs: list[MergedRun] = Field(description="The one that started last comes first.")


class Attempt(Model):
    """A finished attempt: the original pass or a repair. What the metrics count."""

    start_time: datetime
    end_time: datetime
    duration_seconds: float = Field(description="Its own.")
    queue_seconds: float = Field(description="Its share of the run's time in the queue.")
    result_state: str
    termination_code: Code
    termination_type: Type
    repair: bool
    recovered: bool = Field(description="True when the system tables brought it, because no poll saw it.")


class Task(Model):
    """One execution of one task. A task that was retried or repaired has several."""

    task_key: str
    task_run_id: str
    depends_on: list[str] = Field(description="Keys of the tasks that come before.")
    kind: str = Field(description="notebook, spark_python, sql, …; empty when unknown.")
    attempt: int = Field(description="0 for the first execution of the task in this run.")
    repair_id: str | None = Field(description="The repair that it belongs to; null for the original pass.")
    state: State
    result_state: Result
    start_time: datetime | None
    end_time: datetime | None
    queue_seconds: float
    setup_seconds: float
    execution_seconds: float
    cleanup_seconds: float
    duration_seconds: float = Field(description="Setup, execution and cleanup together.")
    termination_code: Code
    termination_type: Type
    message: Message
    run_page_url: PageUrl


class Parameter(Model):
    """What the run was given."""

    name: str
    value: str = Field(description="`********` where the name looks secret; cut when it is long.")
    default: str = Field(description="What the job declares.")


class Repair(Model):
    """A repair, also one under way."""

    repair_id: str
    state: State
    result_state: Result
    start_time: datetime | None
    end_time: datetime | None
    termination_code: Code
    termination_type: Type
    message: Message


class RunDetails(Model):
    """What only a look at the single run shows."""

    as_of: datetime = Field(description="When it was read.")
    tasks: list[Task] = Field(description="In order of their dependencies.")
    parameters: list[Parameter]
    repairs: list[Repair] = Field(description="In the order in which they began.")


class OneRun(Answer):
    """A run with everything that is known about it."""

    run: LiveRun
    attempts: list[Attempt] = Field(description="In order of their end.")
    details: RunDetails | None = Field(
        description="Tasks, parameters and repairs; null while they were not read, or when they are no longer kept."
    )
    details_missing: str | None = Field(description="Why there are none.")


# ── usage ────────────────────────────────────────────────────────────────────────────────────────────────────────


class UsageRow(Model):
    """What was used of one SKU on one day, net of corrections."""

    workspace: Workspace
    usage_date: date = Field(description="A day of UTC.")
    job_id: str | None = Field(description="Null for what belongs to no job.")
    cluster_id: None = Field(default=None, description="Always null: usage is kept by job, not by cluster.")
    sku_name: str
    billing_origin_product: str = Field(description="JOBS, SQL, …")
    usage_unit: str = Field(description="DBU for compute; storage and network have units of their own.")
    usage_quantity: float = Field(description="In that unit.")
    total_dbus: float | None = Field(description="The same in DBUs; null for other units.")
    list_cost: float | None = Field(description="At list price, without discounts; null for what has none.")
    currency: str | None


class Usage(Page):
    """Usage by day."""

    usage: list[UsageRow] = Field(description="By workspace; the newest day comes first.")


class JobTotal(Model):
    """What a job used of one SKU, net of corrections."""

    workspace: Workspace
    job_id: JobId
    job_name: str | None = Field(description="Null for one-time runs, and for jobs deleted long ago.")
    team: Team
    sku_name: str
    billing_origin_product: str
    usage_unit: str
    usage_quantity: float = Field(description="In that unit.")
    total_dbus: float | None = Field(description="The same in DBUs; null for other units.")
    list_cost: float | None = Field(description="At list price, without discounts; null for what has none.")
    currency: str | None
    usage_days: int = Field(description="Days on which it used something.")


class JobTotals(Page):
    """Usage by job."""

    total: int = Field(description="Items on all pages.")
    jobs: list[JobTotal] = Field(description="What used most comes first.")
