"""The nouns of a poll: what was observed, what the store knows already, and what changes. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from collector.core.records import RunDetails

ZERO = timedelta(0)
MILLISECOND = timedelta(milliseconds=1)


# ── observed ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One execution of one task; a retried or repaired task is several."""

    run_id: str
    task_key: str
    result: str = ""
    """Empty until it has ended."""
    queue: timedelta = ZERO
    setup: timedelta = ZERO
    execution: timedelta = ZERO
    cleanup: timedelta = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A run's original pass or one of its repairs: the unit that is counted."""

    started: datetime
    ended: datetime
    """Only finished attempts are attempts; the one under way is the run's own state."""
    result: str
    """`result_state`, or the terminal life cycle where there is none; as spelled by the Jobs API."""
    termination_code: str = ""
    termination_type: str = ""
    tasks: tuple[TaskRun, ...] = ()
    """The task runs of this attempt, from `repair_history[].task_run_ids`, or from the system tables."""
    duration: timedelta
    """The attempt's own length, never the idle time between attempts."""

    @property
    def retries(self) -> int:
        """Task runs beyond the first of their task."""
        return len(self.tasks) - len({task.task_key for task in self.tasks})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as one answer showed it: of the Jobs API, or of the system tables, which tell of what has ended."""

    run_id: str
    job_id: str
    run_type: str
    trigger: str = ""
    name: str = ""
    creator: str = ""
    url: str = ""
    started: datetime
    """`start_time`: when the run was accepted, before queueing and cluster start."""
    ended: datetime | None = None
    """None while active."""
    state: str
    """`status.state`; of the old life cycle where there is no status."""
    queue_reason: str = ""
    """`status.queue_details.code` while queued."""
    queue: timedelta = ZERO
    """`queue_duration`, of the run as a whole."""
    message: str = ""
    """Termination message; free text, for people only."""
    latest: Attempt | None = None
    """The attempt that `ended` and the result describe, when the run has ended."""
    history: tuple[Attempt, ...] | None = None
    """Finished attempts in order of their end, from `runs/get` with history; None when only a list was read."""
    details: RunDetails | None = None
    """For people, from the same answer; nothing is counted by them."""

    @property
    def active(self) -> bool:
        """True until the run has ended; a repair makes it true again."""
        return self.ended is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job definition as `jobs/list` showed it."""

    job_id: str
    name: str
    creator: str = ""
    run_as: str = ""
    created: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    format: str = ""
    trigger_type: str = ""
    """SCHEDULE, PERIODIC, FILE_ARRIVAL, TABLE_UPDATE, CONTINUOUS … or empty when started by hand."""
    quartz_cron_expression: str = ""
    timezone_id: str = ""
    periodic_interval: int = 0
    periodic_unit: str = ""
    paused: bool = False
    continuous: bool = False
    queueing: bool = False
    max_concurrent_runs: int = 1
    timeout: timedelta = ZERO
    """Zero means none."""
    expected_duration: timedelta = ZERO
    """The RUN_DURATION_SECONDS health rule; zero means none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used on one day, net of corrections, by job, product, SKU, unit and currency."""

    day: date
    """`usage_date`, a day of UTC."""
    job_id: str = ""
    """Empty where the usage belongs to no job."""
    product: str = ""
    """`billing_origin_product`."""
    sku: str
    unit: str
    """`DBU` for compute; storage and network have units of their own."""
    currency: str = ""
    """Empty for what has no list price."""
    quantity: Decimal
    cost: Decimal | None = None
    """At the list price that was valid at the time, promotions included; None for what has no list price."""
    newest: datetime
    """End of the latest record in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a job used since it last succeeded, as the system tables know both."""

    job_id: str
    dbus: Decimal
    success: datetime | None
    """End of that success; None when the tables show none."""


# ── known ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAttempt:
    """A finished attempt that the store holds."""

    ended: datetime
    result: str
    counted: bool
    """False for history: it ended before the horizon and is in no counter."""
    measured: bool = False
    """True once its own duration, and what follows from it, was counted (or, for history, recorded)."""
    detailed: bool
    """True once its phases and tasks were counted as well, which the Jobs API alone can tell."""
    queue: timedelta = ZERO
    """The share of the run's queueing that was counted with it."""
    retries: int = 0
    """Retries of its tasks that are known: of the system tables perhaps not yet all."""
    by_tables: bool = False
    """True when the system tables brought it: its end may differ a little from that which the Jobs API gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """A run that the store holds."""

    run_id: str
    job_id: str
    run_type: str
    started: datetime
    state: str
    queue_reason: str = ""
    open: bool
    """True while the store believes the run to be active."""
    attempts: tuple[KnownAttempt, ...] = ()
    """In order of their end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a job is held to."""

    sla: timedelta
    source: str
    """`tag`, `health_rule` or `config`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a job may use in a calendar month."""

    dbus: Decimal
    source: str
    """`tag` or `config`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A team or a person, and who says so."""

    name: str
    source: str
    """`tag` or `config`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a job is held to, and who answers for it; None where nobody says."""

    target: Target | None = None
    budget: Budget | None = None
    team: Named | None = None
    owner: Named | None = None


# ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An attempt that the store did not hold; it is in the counters when `counted`."""

    attempt: Attempt
    counted: bool
    by_tables: bool = False
    """True when no poll of the Jobs API saw it, and the system tables brought it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An attempt whose own duration has become known."""

    attempt: Attempt
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """An attempt of which more retries of tasks have become known."""

    attempt: Attempt
    counted: bool
    more: int
    """Above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detailed:
    """An attempt whose phases and tasks have become known."""

    attempt: Attempt
    counted: bool
    queue: timedelta = ZERO
    """The run's queueing that no earlier attempt has accounted for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one observation of one run changes in the store."""

    run: Run
    started: bool = False
    """True when the run was never seen before and started after the horizon."""
    unseen: bool = False
    """True when the store did not hold the run at all."""
    latest: bool = True
    """True when the run is now as the observation shows it; False when later facts about it are held."""
    finished: tuple[Finished, ...] = ()
    measured: tuple[Measured, ...] = ()
    retried: tuple[Retried, ...] = ()
    detailed: tuple[Detailed, ...] = ()
    repairs: int = 0
    """How many more of the run's measured attempts are now known to be repairs."""
    unknown: tuple[str, ...] = ()
    """Names of the fields in which this observation brought a value outside the vocabulary."""


# ── counted ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Measure(StrEnum):
    """What is counted, independent of metric names. Amounts are integers; durations are milliseconds.

    The comment behind each names its labels beside workspace and job, in order; a measure of single jobs carries the
    job id, which is empty for one-time runs.
    """

    RUNS_STARTED = "runs_started"  # trigger, run_type
    RUNS_FINISHED = "runs_finished"  # job: result
    TERMINATIONS = "terminations"  # termination_code, termination_type
    DURATION_SUM = "duration_sum"  # job
    DURATION_COUNT = "duration_count"  # job
    DURATION_BUCKET = "duration_bucket"  # result, le: seconds, not cumulative, +Inf last
    DURATION_BUCKET_SUM = "duration_bucket_sum"  # result
    JOB_DURATION_BUCKET = "job_duration_bucket"  # job: le; opt-in
    PHASE_TIME = "phase_time"  # job: phase
    REPAIRS = "repairs"  # job
    TASK_RETRIES = "task_retries"  # job
    TASK_RUNS_FINISHED = "task_runs_finished"  # job: task_key, result; opt-in
    SLA_BREACHES = "sla_breaches"  # job
    RUNS_RECOVERED = "runs_recovered"  # –
    UNKNOWN_VALUES = "unknown_values"  # field
    UNREADABLE_ITEMS = "unreadable_items"  # collector
    API_REQUESTS = "api_requests"  # endpoint, code
    COLLECTOR_ERRORS = "collector_errors"  # collector, reason
    POLLS_MISSED = "polls_missed"  # collector
    WAREHOUSE_QUERIES = "warehouse_queries"  # query, outcome
    WAREHOUSE_TIME = "warehouse_time"  # query
    WAREHOUSE_ROWS = "warehouse_rows"  # query


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """An amount to add to one counter of one workspace."""

    measure: Measure
    job_id: str = ""
    labels: tuple[str, ...] = ()
    amount: int
    run_id: str = ""
    """The run to show as exemplar, where one run explains the increment."""
    value_ms: int = 0
    """The exemplar's value: the attempt's duration."""
    at: datetime | None = None
    """When the attempt ended."""


DURATION_BUCKETS = (30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
"""Upper bounds in seconds; a last bucket without bound follows."""


# ── about a poll ─────────────────────────────────────────────────────────────────────────────────────────────────


class Collector(StrEnum):
    """A schedule of its own; the label of the exporter's metrics about itself."""

    LIVE = "live"
    DEFINITIONS = "definitions"
    LOOKBACK = "lookback"
    SYSTEM_TABLES = "system_tables"
    BILLING = "billing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """How one execution of one collector for one workspace went."""

    collector: Collector
    started: datetime
    duration: timedelta
    interval: timedelta
    """How far apart the polls of this collector should be."""
    error: str = ""
    """Bounded reason (`unreachable`, `throttled`, `refused`, `unreadable`, `internal`); empty on success."""
    message: str = ""
    """For people, without secrets."""
    requests: int = 0
    seen: int = 0
    """Runs or jobs in the answers."""
    changed: int = 0
    """Attempts finished, or jobs that differ."""
    complete: bool = True
    """False when the budget or the deadline left work for the next poll."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the store holds of one workspace that a plan needs."""

    horizon: datetime
    """What ended before it is history and is never counted."""
    open_runs: tuple[KnownRun, ...] = ()
    """With the attempts that finished before the one under way."""
    recent: Mapping[str, datetime] = field(default_factory=dict)
    """Run id → end of the closed runs that started lately."""
    undetailed: tuple[KnownRun, ...] = ()
    """Runs with a counted attempt whose details were not read, failures first, then newest end; and the latest ones of
    jobs that fail since before counting began.
    """
    watermarks: Mapping[Collector, datetime] = field(default_factory=dict)
    """Start of the last successful poll of each collector that had one."""
