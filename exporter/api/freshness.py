"""How old the data of an answer are: when each collector that it rests on last succeeded, and what its tables tell of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from collector.core.model import Collector
from collector.core.snapshot import CollectorState, WorkspaceSnapshot
from exporter.api.models.about import CollectorHealth
from exporter.api.models.answer import Source
from exporter.options import ExporterOptions

MISSED = 3
"""A collector is stale when its last success is more than so many intervals ago."""
TABLES: Mapping[str, str] = {Collector.SYSTEM_TABLES: "run_timeline", Collector.BILLING: "usage"}
"""The query whose newest record says how far a collector of system tables can see."""


class Age(TypedDict):
    """The fields that every answer has."""

    as_of: datetime | None
    age_seconds: float | None
    stale: bool
    demo: bool
    sources: list[Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an answer rests on."""

    needed: Collector
    besides: tuple[Collector, ...] = ()
    """Named as well in workspaces that have them."""


LIVE = Basis(needed=Collector.LIVE)
LIVE_AND_TABLES = Basis(needed=Collector.LIVE, besides=(Collector.SYSTEM_TABLES,))
DEFINITIONS = Basis(needed=Collector.DEFINITIONS)
DEFINITIONS_AND_TABLES = Basis(needed=Collector.DEFINITIONS, besides=(Collector.SYSTEM_TABLES,))
BILLING = Basis(needed=Collector.BILLING)


def age(
    workspaces: Iterable[WorkspaceSnapshot],
    basis: Basis,
    options: ExporterOptions,
    now: datetime,
    *,
    readable: bool,
) -> Age:
    """How old an answer from these workspaces is."""
    sources = [source for workspace in workspaces for source in _sources(workspace, basis, options, now)]
    successes = [source.last_success for source in sources]
    oldest = min((success for success in successes if success), default=None)
    as_of = None if None in successes else oldest
    return Age(
        as_of=as_of,
        age_seconds=seconds_since(as_of, now),
        stale=not readable or any(source.stale for source in sources),
        demo=options.demo,
        sources=sources,
    )


def health(
    workspace: WorkspaceSnapshot, options: ExporterOptions, now: datetime
) -> Iterator[CollectorHealth]:
    """Every collector of the workspace that polled."""
    for state in workspace.collectors:
        source = _source(workspace, state.collector, state, options, now)
        yield CollectorHealth(
            **source.model_dump(),
            up=state.up,
            interval_seconds=state.interval.total_seconds(),
            message=state.message,
        )


def seconds_since(instant: datetime | None, now: datetime) -> float | None:
    """How long ago; nothing that is to come is negative."""
    return None if instant is None else max(0.0, (now - instant).total_seconds())


def _sources(
    workspace: WorkspaceSnapshot, basis: Basis, options: ExporterOptions, now: datetime
) -> Iterator[Source]:
    states = {state.collector: state for state in workspace.collectors}
    yield _source(workspace, basis.needed, states.get(basis.needed), options, now)
    for collector in basis.besides:
        if collector in states:
            yield _source(workspace, collector, states[collector], options, now)


def _source(
    workspace: WorkspaceSnapshot,
    collector: str,
    state: CollectorState | None,
    options: ExporterOptions,
    now: datetime,
) -> Source:
    success = state.last_success if state else None
    return Source(
        workspace=workspace.name,
        collector=collector,
        last_success=success,
        age_seconds=seconds_since(success, now),
        newest_record=_newest(workspace, collector),
        stale=success is None or state is None or now - success > _patience(state, options),
        error=state.error if state else "",
    )


def _patience(state: CollectorState, options: ExporterOptions) -> timedelta:
    """How long ago the last success may be. Live state ages as the metrics have it."""
    if state.collector == Collector.LIVE:
        return options.stale_after
    return max(MISSED * state.interval, options.stale_after)


def _newest(workspace: WorkspaceSnapshot, collector: str) -> datetime | None:
    query = TABLES.get(collector)
    return next((source.newest for source in workspace.sources if source.source == query), None)
