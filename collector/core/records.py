"""A run as the store tells of it: with its attempts, and, once they were read, with its tasks and parameters."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

JobIds = Collection[str] | Mapping[str, Collection[str]]
"""Ids of jobs, in any workspace or by workspace."""
ZERO = timedelta(0)
MASKED = "********"
"""In place of the value of a parameter whose name looks secret."""


# ── details ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter that a run was given."""

    name: str
    value: str
    """`MASKED` where the name looks secret; long ones are cut."""
    default: str = ""
    """What the job declares; masked and cut in the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDetail:
    """One execution of one task; a task that was retried or repaired has several."""

    run_id: str
    """Of the task run, not of the run that it belongs to."""
    task_key: str
    depends_on: tuple[str, ...] = ()
    """Keys of the tasks that come before."""
    kind: str = ""
    """`notebook`, `spark_python`, `sql`, … after the field that says what it runs."""
    attempt: int = 0
    """`attempt_number`: 0 for the first execution of the task in this run."""
    repair_id: str = ""
    """The repair that it belongs to; empty for the original pass."""
    state: str = ""
    result: str = ""
    """Empty until it has ended."""
    started: datetime | None = None
    ended: datetime | None = None
    queue: timedelta = ZERO
    setup: timedelta = ZERO
    execution: timedelta = ZERO
    cleanup: timedelta = ZERO
    termination_code: str = ""
    termination_type: str = ""
    message: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairDetail:
    """A repair of a run, also one that is under way."""

    repair_id: str
    state: str = ""
    result: str = ""
    """Empty until it has ended."""
    started: datetime | None = None
    ended: datetime | None = None
    termination_code: str = ""
    termination_type: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """What only a look at the single run shows."""

    tasks: tuple[TaskDetail, ...] = ()
    """In order of their dependencies; executions of one task in order of their attempts."""
    parameters: tuple[Parameter, ...] = ()
    repairs: tuple[RepairDetail, ...] = ()
    """In the order in which they began; empty for a run that was never repaired."""


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """A finished attempt: the original pass of a run or one of its repairs."""

    started: datetime
    ended: datetime
    duration: timedelta
    """Its own, without the idle time before a repair."""
    queue: timedelta = ZERO
    """The share of the run's queueing that was counted with it."""
    result: str
    termination_code: str = ""
    termination_type: str = ""
    by_tables: bool = False
    """True when no poll saw it, and the system tables brought it."""
    measured: bool = False
    """False while the duration is that which a list showed, which covers all attempts of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as it was last seen."""

    workspace: str
    run_id: str
    job_id: str
    run_type: str
    trigger: str = ""
    name: str = ""
    creator: str = ""
    url: str = ""
    """Its page in Databricks."""
    started: datetime
    ended: datetime | None = None
    """None while active, and of a run that Databricks forgot before it was seen to end."""
    state: str
    queue_reason: str = ""
    result: str = ""
    """Of the latest attempt; empty until one has ended."""
    termination_code: str = ""
    termination_type: str = ""
    message: str = ""
    active: bool
    seen: datetime
    """When it last changed."""
    attempts: tuple[AttemptRecord, ...] = ()
    """In order of their end."""
    details: RunDetails | None = None
    """None in lists, when they were not read yet, and when they are older than the store keeps them."""
    details_seen: datetime | None = None

    @property
    def duration(self) -> timedelta | None:
        """How long its attempts took together; None before one has ended."""
        return sum((attempt.duration for attempt in self.attempts), ZERO) if self.attempts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlace:
    """Where a list of runs was left: the last run that was shown."""

    started: datetime
    workspace: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A part of a list of runs."""

    runs: tuple[RunRecord, ...]
    """Newest start first."""
    next: RunPlace | None = None
    """Where to go on; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """What was used of one SKU on one day, net of corrections."""

    workspace: str
    day: date
    job_id: str
    """Empty where the usage belongs to no job."""
    product: str
    sku: str
    unit: str
    currency: str
    """Empty for what has no list price."""
    quantity: Decimal
    cost: Decimal | None
    """At list price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePage:
    """A part of a list of usage."""

    usage: tuple[UsageRecord, ...]
    """The newest day first."""
    next: UsageRecord | None = None
    """The last one that is shown, after which it goes on; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTotal:
    """What a job used of one SKU in several days, net of corrections."""

    workspace: str
    job_id: str
    product: str
    sku: str
    unit: str
    currency: str
    quantity: Decimal
    cost: Decimal | None
    days: int
    """Days on which it used something."""


def ids_in(workspace: str, job_ids: JobIds) -> Collection[str]:
    """Those of the ids that are meant in this workspace."""
    return job_ids.get(workspace, ()) if isinstance(job_ids, Mapping) else job_ids
