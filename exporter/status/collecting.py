"""How the data came here: each collector with its age and last error, and how recent the system tables are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.core.snapshot import CollectorState, SourceState
from exporter.status.question import Question
from exporter.view import WorkspaceView

LATE_AFTER = 3
"""Intervals without success after which a collector is late."""
SLACK = timedelta(seconds=30)

WORDS = {
    "live": "active and just finished runs",
    "lookback": "runs that no poll saw",
    "definitions": "names, tags and schedules",
    "system_tables": "run history of the system tables",
    "billing": "usage and prices",
}
"""What each collector is there for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorRow:
    """One collector."""

    name: str
    purpose: str
    verdict: str
    """`up`, `late` or `down`."""
    last_success: datetime | None
    interval: timedelta
    duration: timedelta
    error: str
    """Reason and message of the last failure; empty after a success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """One workspace."""

    name: str
    host: str
    live: bool
    """False when its live state is too old to be shown."""
    seen: datetime | None
    """The last successful live poll."""
    collectors: tuple[CollectorRow, ...]
    sources: tuple[SourceState, ...]
    jobs: int
    filtered: int
    over_budget: int

    @property
    def verdict(self) -> str:
        """The worst of its collectors'."""
        found = {row.verdict for row in self.collectors} or {"down"}
        return next((word for word in ("down", "late") if word in found), "up" if self.live else "down")


def collecting(workspaces: Iterable[WorkspaceView], asked: Question, now: datetime) -> Iterator[Collecting]:
    """The workspaces that were asked for."""
    for workspace in workspaces:
        shown = workspace.snapshot
        if not asked.workspace or asked.workspace == shown.name:
            yield Collecting(
                name=shown.name,
                host=shown.host,
                live=workspace.live,
                seen=_seen(shown.collectors),
                collectors=tuple(_row(state, now) for state in sorted(shown.collectors, key=_order)),
                sources=shown.sources,
                jobs=len(workspace.jobs),
                filtered=workspace.filtered,
                over_budget=workspace.over_budget,
            )


def _row(state: CollectorState, now: datetime) -> CollectorRow:
    return CollectorRow(
        name=state.collector,
        purpose=WORDS.get(state.collector, ""),
        verdict=_verdict(state, now),
        last_success=state.last_success,
        interval=state.interval,
        duration=state.last_duration,
        error=": ".join(text for text in (state.error, state.message) if text),
    )


def _verdict(state: CollectorState, now: datetime) -> str:
    if not state.up:
        return "down"
    late = state.last_success is None or now - state.last_success > LATE_AFTER * state.interval + SLACK
    return "late" if late else "up"


def _seen(states: Iterable[CollectorState]) -> datetime | None:
    return next((state.last_success for state in states if state.collector == "live"), None)


def _order(state: CollectorState) -> int:
    return list(WORDS).index(state.collector) if state.collector in WORDS else len(WORDS)
