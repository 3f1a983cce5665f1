"""What a simulated workspace can be told before it starts. Every default gives a small, lively workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One simulated workspace. Rates are probabilities; spans are simulated time unless a field says otherwise."""

    jobs: int = 50
    active_runs: int = 20
    """How many runs are active at a time, about; 0 means that nothing happens by itself."""
    latency: float = 0.0
    """Real seconds that every answer takes, half before the workspace is looked at and half after."""
    seed: int = 1
    """The same seed, start and manual clock give the same workspace."""
    speed: float = 1.0
    """Simulated seconds per real second."""
    manual: bool = False
    """True when the clock moves only by control."""
    start: datetime | None = None
    """Simulated time at the start, aware; the current time when None."""
    history: timedelta = timedelta(days=1)
    """How far back finished runs reach at the start."""
    history_runs: int = 1000
    """At most so many runs lie in the history, however busy the workspace is; each scheduled job has one at least."""
    mean_duration: timedelta = timedelta(minutes=2)
    max_runs: int | None = None
    """No new runs after so many, those active at the start included; repairs of what failed go on."""

    failure_rate: float = 0.12
    repair_rate: float = 0.25
    """Failed attempts that somebody repairs."""
    repair_delay: timedelta = timedelta(minutes=10)
    """Typical wait between a failure and its repair; from seconds to many times as much."""
    retry_rate: float = 0.08
    """Task runs that fail once and succeed when retried, of the tasks that may be retried."""
    short_rate: float = 0.04
    """Runs, and a larger share of repairs, that end within three seconds."""
    long_rate: float = 0.001
    """Runs of many hours."""
    skip_rate: float = 0.02
    """Runs that end when they start."""
    queue_rate: float = 0.06
    """Runs that wait for the workspace, beside those that wait for their own job."""
    one_time_rate: float = 0.1
    """Starts that belong to no job: SUBMIT_RUN and WORKFLOW_RUN."""
    future_rate: float = 0.01
    """Runs that carry a word which no published enumeration has."""
    job_changes_per_hour: float = 2.0
    """Jobs renamed, paused, created and deleted."""

    table_lag: timedelta = timedelta(minutes=8)
    """Typical delay until a run or a job shows in the system tables."""
    late_rate: float = 0.02
    """Runs and jobs that show there up to hours later."""
    billing_lag: timedelta = timedelta(hours=8)
    """Typical delay of usage."""
    correction_rate: float = 0.03
    """Usage that is taken back days later, for the most part in favour of a corrected row."""
    system_catalog: str = "system"
    """What the catalog of the system tables is called."""
    warehouse_start: float = 0.0
    """Real seconds that the stopped warehouse takes to start."""

    workspace_id: str = "4711"
    tokens: tuple[str, ...] = ("simulated-token",)
    """Personal access tokens that are accepted."""
    clients: Mapping[str, str] = field(default_factory=lambda: {"simulated-client": "simulated-secret"})
    """OAuth client ids and their secrets."""
    token_lifetime: float = 3600.0
    """Real seconds until an issued OAuth token expires."""
    page_token_lifetime: float = 300.0
    """Real seconds until a page token expires."""
    hidden_states: frozenset[str] = frozenset()
    """States that `active_only` leaves out: {"BLOCKED", "WAITING"} is the narrowest reading of the reference."""
