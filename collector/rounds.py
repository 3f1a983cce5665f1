"""What one process polls: the collectors of its workspaces, one after another in a round, or each at its interval."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.billing import billing
from collector.core import plan
from collector.core.bill import kept_since
from collector.core.model import Collector, Increment, Measure, Poll
from collector.definitions import definitions
from collector.desk import Desk
from collector.live import live
from collector.logs import event
from collector.lookback import due, lookback
from collector.poll import execute, keep_lease
from collector.readings import due as pass_due
from collector.schedule import Schedule, Task
from collector.store.engine import StoreError
from collector.store.writer import Writer
from collector.system_tables import system_tables

logger = logging.getLogger(__name__)

EVERY_MINUTE = timedelta(minutes=1)
SOON = timedelta(seconds=5)
"""How often it is asked, in memory alone, whether a look back is due."""
POLLS_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The desks of one workspace's collectors."""

    name: str
    live: Desk
    definitions: Desk
    lookback: Desk
    system_tables: Desk | None = None
    """This and the next one are None without a warehouse; they share its sessions."""
    billing: Desk | None = None

    @property
    def desks(self) -> tuple[Desk, ...]:
        """All of them."""
        all_desks = (self.definitions, self.live, self.lookback, self.system_tables, self.billing)
        return tuple(desk for desk in all_desks if desk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collectors:
    """All that polls, over one store."""

    workspaces: tuple[Workspace, ...]
    writer: Writer
    retention: timedelta
    details_retention: timedelta
    now: Callable[[], datetime]

    def once(self) -> Iterator[tuple[str, Poll | None]]:
        """One round of all polls, one after another; what each saw."""
        for workspace in self.workspaces:
            yield workspace.name, execute(workspace.definitions, definitions)
            yield workspace.name, execute(workspace.live, live)
            if due(workspace.lookback, self.now()):
                yield workspace.name, execute(workspace.lookback, lookback)
            for poll in self.burst(workspace):
                yield workspace.name, poll
            self.writer.refresh_statistics(workspace.name, now=self.now())

    def schedule(self) -> Schedule:
        """The same again and again, each at its interval."""
        return Schedule(tuple(task for workspace in self.workspaces for task in self._tasks(workspace)))

    def burst(self, workspace: Workspace) -> Iterator[Poll | None]:
        """The passes over the system tables that are due, in one session, so that the warehouse can stop again."""
        if not (workspace.system_tables and workspace.system_tables.tables and workspace.billing):
            return
        with workspace.system_tables.tables.burst():
            for desk, ask in ((workspace.system_tables, system_tables), (workspace.billing, billing)):
                if pass_due(desk, self.now()):
                    yield execute(desk, ask)

    def _tasks(self, workspace: Workspace) -> Iterator[Task]:
        def task(name: str, interval: timedelta, run: Callable[[], object], desk: Desk | None = None) -> Task:
            return Task(
                name=f"{workspace.name}/{name}",
                interval=interval,
                run=lambda: _said(run),
                missed=lambda: _missed(desk) if desk else None,
            )

        def look_back() -> None:
            if due(workspace.lookback, self.now()):
                execute(workspace.lookback, lookback)

        def keep_house() -> None:
            now = self.now()
            self.writer.refresh_statistics(workspace.name, now=now)
            standing = self.writer.standing(workspace.name, recent_since=now, undetailed=0)
            before = plan.prunable(
                now,
                self.retention,
                standing.watermarks.get(Collector.LOOKBACK),
                workspace.lookback.terms.lookback,
            )
            self.writer.prune(
                workspace.name,
                before=before,
                polls_before=now - POLLS_KEPT,
                details_before=now - self.details_retention,
            )
            self.writer.prune_usage(workspace.name, before=kept_since(now, self.retention))

        yield task(
            "definitions",
            workspace.definitions.terms.interval,
            lambda: execute(workspace.definitions, definitions),
            workspace.definitions,
        )
        yield task(
            "live", workspace.live.terms.interval, lambda: execute(workspace.live, live), workspace.live
        )
        if workspace.system_tables and workspace.billing:
            yield task(
                "system_tables",
                min(workspace.system_tables.terms.interval, workspace.billing.terms.interval),
                lambda: tuple(self.burst(workspace)),
                workspace.system_tables,
            )
        yield task("lookback", min(SOON, workspace.live.terms.interval), look_back)
        yield task("lease", workspace.live.terms.lease / 2, lambda: keep_lease(workspace.live))
        yield task("upkeep", EVERY_MINUTE, keep_house)


def _said(run: Callable[[], object]) -> None:
    """What the store refuses outside polls is said in the log, and tried again."""
    try:
        run()
    except StoreError as failure:
        event(logger, logging.ERROR, "the store does not take the upkeep", error=str(failure))


def _missed(desk: Desk) -> None:
    increment = Increment(measure=Measure.POLLS_MISSED, labels=(desk.terms.collector.value,), amount=1)
    with desk.memory.lock:
        desk.memory.unrecorded.append(increment)
