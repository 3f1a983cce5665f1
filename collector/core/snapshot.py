"""What the store shows to a reader at one moment: the contract between the store and the exporter. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from collector.core.model import Agreement, Job, Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorState:
    """The latest poll of one collector, and when one last succeeded."""

    collector: str
    interval: timedelta
    last_start: datetime
    last_duration: timedelta
    last_success: datetime | None
    error: str
    """Bounded reason of the last failure; empty when the last poll succeeded."""
    message: str

    @property
    def up(self) -> bool:
        """True when the latest poll succeeded."""
        return not self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRun:
    """A run that had not ended when the last poll looked."""

    run_id: str
    job_id: str
    run_type: str
    trigger: str
    name: str
    url: str
    state: str
    queue_reason: str
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """A job and what the store remembers of its attempts."""

    job_id: str
    job: Job | None
    """None while only its runs were seen, not its definition."""
    name: str
    """The definition's name, else the name of its latest run."""
    deleted: datetime | None = None
    defined: datetime | None = None
    """When the definition was first seen as it is."""
    agreement: Agreement = field(default_factory=Agreement)
    last_start: datetime | None = None
    last_end: datetime | None = None
    last_result: str = ""
    last_duration: timedelta | None = None
    last_success: datetime | None = None
    consecutive_failures: int = 0
    median: timedelta | None = None
    """Of the successful attempts of the last 30 days; None without one."""
    p90: timedelta | None = None
    observations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterValue:
    """One counter."""

    job_id: str
    labels: tuple[str, ...]
    value: int
    run_id: str = ""
    """Exemplar; empty when there is none."""
    value_ms: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How one query on the system tables stands."""

    source: str
    """Name of its `.sql` file."""
    newest: datetime | None
    """The latest instant that any of its records tells of."""
    error: str
    """Bounded reason of the last failure; empty when the last reading succeeded."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Usage within a window."""

    dbus: Decimal
    unpriced: Decimal
    """The part of the DBUs that has no list price."""
    costs: tuple[tuple[str, Decimal], ...] = ()
    """List cost by currency, of all units; empty when nothing has a price."""
    net_costs: tuple[tuple[str, Decimal], ...] = ()
    """The same less the configured discounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductAmount:
    """Usage of one product within a window, in one unit."""

    product: str
    sku: str
    unit: str
    window: str
    currency: str
    """Empty for the part without a list price."""
    attributed: bool
    """True for what belongs to a job."""
    quantity: Decimal
    cost: Decimal | None
    net_cost: Decimal | None
    """`cost` less the configured discount of the product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBill:
    """What one job used."""

    amounts: Mapping[str, Amount]
    """By window, every window; 0 where nothing was used."""
    daily_p90: Decimal | None
    """DBUs that nine in ten of its days with usage did not exceed; None after fewer than five such days."""
    since_success: Decimal | None
    """DBUs since its last success; None when nobody could say."""
    success: datetime | None
    """The success from which that is reckoned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Usage and list cost of one workspace as of one reading of the billing tables."""

    made: datetime
    complete_until: datetime
    """End of the last day whose usage is taken to be complete, and of the windows."""
    jobs: Mapping[str, JobBill]
    """By job id: jobs with usage in the longest window or since their last success. One-time runs share an empty id."""
    products: tuple[ProductAmount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSnapshot:
    """Everything the store holds about one workspace that a page may show."""

    name: str
    host: str
    workspace_id: str
    horizon: datetime
    """What ended before it is history and in no counter."""
    collectors: tuple[CollectorState, ...] = ()
    active_runs: tuple[ActiveRun, ...] = ()
    jobs: tuple[JobFacts, ...] = ()
    """In the order of their ids as numbers. Deleted jobs stay until their series expire."""
    counters: Mapping[Measure, tuple[CounterValue, ...]] = field(default_factory=dict)
    undetailed: int = 0
    """Counted attempts whose duration, phases and tasks are still to be read."""
    sources: tuple[SourceState, ...] = ()
    """Of the system tables, once they were asked."""
    bill: Bill | None = None
    """None before the billing tables were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The store at one moment, read in one transaction."""

    revision: int
    """Rises with every commit; equal revisions mean equal content."""
    born: datetime
    """When the store was made: the start of every counter."""
    workspaces: tuple[WorkspaceSnapshot, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows per table; may be some minutes old."""
    size_bytes: int = 0
    """Size of the database on disk; may be some minutes old."""
