"""The seam between polling and Databricks: what a poll may ask, and the one family of errors an answer can be.

SourceError
├── Unreachable   no answer, a broken one, or a server error
├── Throttled     429 for longer than the deadline allows
├── Refused       the credentials or rights do not suffice
│   └── Ungranted     a system table is missing, not enabled or not granted: the message says what to grant
└── Unreadable    an answer, but not in a form that we understand
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import ClassVar, Protocol

from collector.core.model import Job, Run, Spending, Usage
from collector.core.plan import Window

LONGEST_MESSAGE = 300
"""Characters of a message for people."""


class SourceError(Exception):
    """Databricks could not be asked; the message is for people and holds no secret."""

    reason: ClassVar[str] = "internal"
    """The bounded word for metrics."""


class Unreachable(SourceError):
    """There was no usable answer: connection, time-out, or server error."""

    reason = "unreachable"


class Throttled(SourceError):
    """The workspace asked to slow down for longer than the deadline allows."""

    reason = "throttled"


class Refused(SourceError):
    """The workspace does not accept the credentials, or they lack a right."""

    reason = "refused"


class Ungranted(Refused):
    """A system table cannot be read; from SQL, missing, not enabled and not granted look alike."""


class Unreadable(SourceError):
    """The answer is not what the API documents."""

    reason = "unreadable"


@dataclass(slots=True)
class Tally:
    """What talking cost since it was last taken: requests by endpoint and status, items set aside."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: int = 0
    queries: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Statements sent to the warehouse, by query and outcome (`ok` or the reason of the error)."""
    query_ms: Counter[str] = field(default_factory=Counter)
    """Time that they took, from sending to the last row, by query."""
    rows: Counter[str] = field(default_factory=Counter)
    """Rows that they gave, by query."""

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            requests=self.requests + other.requests,
            unreadable=self.unreadable + other.unreadable,
            queries=self.queries + other.queries,
            query_ms=self.query_ms + other.query_ms,
            rows=self.rows + other.rows,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who and where a workspace is."""

    host: str
    workspace_id: str = ""


class Absence(Enum):
    """Why the workspace answers for a run and does not show it."""

    GONE = "gone"
    """It does not exist."""
    HIDDEN = "hidden"
    """The credentials do not suffice, which may be the matter of this run or of a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTaskRun:
    """A finished task run as the system tables have it."""

    job_run_id: str
    """The run that it belongs to."""
    run_id: str
    task_key: str
    result: str
    ended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedJob:
    """A job definition as the system tables have it."""

    job: Job
    changed: datetime
    deleted: datetime | None


class JobsSource(Protocol):
    """The questions of a poll. Every method raises `SourceError`."""

    def start_deadline(self, seconds: float) -> None:
        """Give everything asked from now on so long; waiting for the own request budget does not count."""

    @property
    def late(self) -> bool:
        """True when so little of the deadline is left that what can wait for the next poll should."""

    def identity(self) -> Identity:
        """Host and id of the workspace."""

    def active(self, windows: Sequence[Window]) -> Iterable[Run]:
        """All runs that have not ended, the windows read side by side."""

    def completed(self, window: Window, stop: Callable[[Sequence[Run]], bool]) -> Iterator[Run]:
        """Finished runs that started in the window, newest first, up to the first page that `stop` says is the last."""

    def all_completed(self, window: Window) -> Iterable[Run]:
        """All finished runs that started in the window; one that moved while they were read may show twice."""

    def completed_windows(self, windows: Sequence[Window]) -> Iterator[tuple[int, Sequence[Run]]]:
        """All finished runs of the windows, several windows side by side, as they come in, each time with the number of
        windows that are left; leaves budget for others.
        """

    def histories(
        self, run_ids: Sequence[str], *, next_lists: float | None = None
    ) -> Iterator[tuple[str, Run | Absence]]:
        """Runs with their history in about this order, or why one is not shown.

        Stops early instead of failing: what is missing is for the next poll. With `next_lists`, the seconds until the
        next poll, only as many as budget and time allow without keeping its lists waiting.
        """

    def jobs(self) -> Iterable[Job]:
        """All job definitions that the credentials may see."""

    @property
    def unreadable(self) -> int:
        """Items set aside since the tally was last taken."""

    def take_tally(self) -> Tally:
        """What was asked since the last call."""

    def close(self) -> None:
        """Give back connections and threads."""


class TablesSource(Protocol):
    """The questions of a pass over the system tables of one workspace. Every method raises `SourceError`.

    Iterators give batches as they come in, and raise at the first batch that cannot be had.
    """

    def burst(self) -> AbstractContextManager[None]:
        """Sessions within it are one: the first one stays open for the next."""

    def session(self, seconds: float) -> AbstractContextManager[None]:
        """One session for everything asked in the block, which gives up after so long; closed at the end."""

    def hours(self, since: datetime) -> Mapping[datetime, int]:
        """How many attempts ended in each clock hour from then on; hours without any are left out."""

    def runs(self, since: datetime, until: datetime) -> Iterator[Sequence[Run]]:
        """Runs of which an attempt ended in the window, each with all its finished attempts as `history` (without
        tasks), and ended like the last of them.
        """

    def task_runs(self, run_ids: Sequence[str]) -> Iterator[Sequence[RecordedTaskRun]]:
        """The finished task runs of these runs."""

    def jobs(self, since: datetime) -> Iterator[Sequence[RecordedJob]]:
        """The latest definition of every job that changed since then."""

    def usage(self, since: date, ingested_since: date) -> Iterator[Sequence[Usage]]:
        """Usage by day, from that day on, of every day, job, product, SKU and unit to which something was added since
        the other day: all currencies of it, also those that are down to 0.
        """

    def spending(self, since: date) -> Iterator[Sequence[Spending]]:
        """What each job used since its last success, or since that day; jobs with nothing are left out."""

    def take_tally(self) -> Tally:
        """What was asked since the last call."""

    def close(self) -> None:
        """Give back connections."""
