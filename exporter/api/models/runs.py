"""Answers about runs."""

from datetime import datetime

from pydantic import Field

from exporter.api.models.answer import Answer, Model, Page
from exporter.api.models.fields import (
    Attempts,
    Code,
    Ended,
    JobId,
    Message,
    PageUrl,
    Result,
    RunId,
    RunName,
    Started,
    State,
    Team,
    Type,
    Workspace,
)


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
