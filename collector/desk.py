"""What a poll works with: its terms, what may be asked and written, what is remembered between polls, and the form in
which every collector answers. Knows no collector.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from collector.core.agreement import Words
from collector.core.count import Extent
from collector.core.model import Collector, Increment
from collector.core.tables import HourRead
from collector.sources.source import JobsSource, TablesSource
from collector.store.transaction import Transaction
from collector.store.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one collector of one workspace polls."""

    workspace: str
    collector: Collector
    interval: timedelta
    deadline: timedelta
    lease: timedelta
    overlap: timedelta
    lookback: timedelta
    most_lookups: int
    """Runs that one poll asks for one by one at most: vanished ones, and earlier ones whose details are wanted."""
    history: timedelta
    """How far back the first pass over the system tables reads."""
    discounts: Mapping[str, Decimal]
    """Off the list price, by product."""
    words: Words
    """In which words a job's agreement is written."""
    extent: Extent


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """When the workspace would not show us a run, without a good answer in between."""

    first: datetime
    last: datetime


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a workspace's collectors remember between polls and may forget at any restart."""

    deep_after: datetime | None = None
    """When the whole overlap is to be read again; None means now."""
    gap: bool = True
    """True while runs may have ended that no live poll could see: at the start, and after an outage."""
    looked: bool = False
    """True after the first successful live poll."""
    looked_back: datetime | None = None
    """When the last complete look back began."""
    identified: bool = False
    """True when the workspace has been seen to be the one that the store holds."""
    workspace_id: str = ""
    """Empty until the workspace has told it."""
    hours: dict[datetime, HourRead] = field(default_factory=dict)
    """By clock hour, how the system tables had it when it was last read."""
    read: dict[Collector, datetime] = field(default_factory=dict)
    """When the last successful pass of each collector of the system tables began."""
    holds: bool | None = None
    """Whether this process had the workspace at its last look; None before the first."""
    hidden: dict[str, Refusals] = field(default_factory=dict)
    """By run id, the runs that the last answer for them did not show for want of a right."""
    unrecorded: list[Increment] = field(default_factory=list)
    """Counted about ourselves, not yet in the store."""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that a poll works with."""

    terms: Terms
    source: JobsSource
    tables: TablesSource | None = None
    """None where no warehouse is configured."""
    writer: Writer
    memory: Memory
    holder: str
    """This process, as the lease knows it."""
    now: Callable[[], datetime]
    progress: Callable[[int, int], None]
    """Told how many of how many windows of a look back are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What asking brought, and how to write it."""

    write: Callable[[Transaction, datetime], int]
    """Writes into the poll's transaction and returns how many things changed."""
    written: Callable[[], None] = lambda: None
    """Told when that transaction is committed."""
    seen: int
    complete: bool = True
    error: str = ""
    """Bounded reason why a part of it is missing; what there is counts all the same."""
    message: str = ""
