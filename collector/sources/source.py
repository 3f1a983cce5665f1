"""The seam between polling and Databricks: what a poll may ask, and the one family of errors an answer can be.

SourceError
├── Unreachable   no answer, a broken one, or a server error
├── Throttled     429 for longer than the deadline allows
├── Refused       the credentials or rights do not suffice
└── Unreadable    an answer, but not in a form that we understand
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Protocol

from collector.core.model import Job, Run
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


class Unreadable(SourceError):
    """The answer is not what the API documents."""

    reason = "unreadable"


@dataclass(slots=True)
class Tally:
    """What talking cost since it was last taken: requests by endpoint and status, items set aside."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: int = 0


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


class JobsSource(Protocol):
    """The questions of a poll. Every method raises `SourceError`."""

    def start_deadline(self, seconds: float) -> None:
        """Give everything asked from now on so long; waiting for the own request budget does not count."""

    def identity(self) -> Identity:
        """Host and id of the workspace."""

    def active(self, windows: Sequence[Window]) -> Iterable[Run]:
        """All runs that have not ended, the windows read side by side."""

    def completed(self, window: Window, stop: Callable[[Sequence[Run]], bool]) -> Iterator[Run]:
        """Finished runs that started in the window, newest first, up to the first page that `stop` says is the last."""

    def completed_windows(self, windows: Sequence[Window]) -> Iterator[tuple[Window, Sequence[Run]]]:
        """All finished runs of each window, several windows side by side, as they come in; leaves budget for others."""

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
