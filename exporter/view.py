"""A snapshot as the catalogue looks at it: at one instant, with stale parts marked, and cut down to the jobs that
are shown. Knows no metric names.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

from collector.core.bill import nothing_used
from collector.core.model import Collector, Measure
from collector.core.snapshot import ActiveRun, CounterValue, JobBill, JobFacts, Snapshot, WorkspaceSnapshot
from exporter.due import Due, Timetable
from exporter.options import ExporterOptions
from exporter.selection import selection

Counters = Mapping[Measure, tuple[CounterValue, ...]]
Item = TypeVar("Item", ActiveRun, CounterValue)
DUE_EVERY = timedelta(seconds=5)
"""How late a page may be with a due time that has passed: among ten thousand jobs one is due at almost every second."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobView:
    """A job that is shown, or, with an empty id, all one-time runs of the workspace together.

    Compared by identity: while nothing about the job changes, it is the same in one view after another.
    """

    labels: tuple[str, str, str]
    """Values of the labels `workspace`, `job_id` and `job_name`."""
    facts: JobFacts
    options: ExporterOptions
    live: bool
    """False when what is known of its active runs is too old to be shown."""
    active: tuple[ActiveRun, ...]
    counters: Counters
    due: Due
    bill: JobBill | None
    """What it used; None before the billing tables were read."""
    billed: datetime | None
    """When that bill was made."""


_EVERYTHING = attrgetter(*(field.name for field in fields(JobView)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkspaceView:
    """A workspace at the instant of rendering."""

    snapshot: WorkspaceSnapshot
    options: ExporterOptions
    live: bool
    """False when the last successful live poll is too long ago."""
    jobs: tuple[JobView, ...]
    one_time: JobView
    filtered: int
    """Jobs without series because of a selector."""
    over_budget: int
    """Jobs without series because there are more than `max_jobs`."""

    def counters(self, measure: Measure) -> tuple[CounterValue, ...]:
        """The counters of a measure of the whole workspace."""
        return self.snapshot.counters.get(measure, ())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """The store at the instant of rendering."""

    snapshot: Snapshot
    options: ExporterOptions
    readable: bool
    """False when the store could not be read at the last attempt."""
    workspaces: tuple[WorkspaceView, ...]
    good_until: datetime | None
    """The last instant at which this is true: then a workspace becomes stale or a job due. None without an end."""


def view(
    snapshot: Snapshot,
    options: ExporterOptions,
    now: datetime,
    *,
    readable: bool = True,
    timetable: Timetable | None = None,
    before: View | None = None,
) -> View:
    """The snapshot as it may be shown at `now`.

    A timetable that is handed in again and again saves time. Jobs that are as they were in the view before are the same.
    """
    known = timetable or Timetable()
    past = {workspace.snapshot.name: workspace for workspace in before.workspaces} if before else {}
    workspaces = tuple(
        _workspace(workspace, options, now, known, past.get(workspace.name))
        for workspace in snapshot.workspaces
    )
    ends = [stale_at(workspace, options) for workspace in snapshot.workspaces]
    dues = (job.due.next for workspace in workspaces for job in workspace.jobs if job.due.next)
    if due := min(dues, default=None):
        ends.append(max(due - timedelta.resolution, now + DUE_EVERY))
    return View(
        snapshot=snapshot,
        options=options,
        readable=readable,
        workspaces=workspaces,
        good_until=min((end for end in ends if end and end >= now), default=None),
    )


def stale_at(workspace: WorkspaceSnapshot, options: ExporterOptions) -> datetime | None:
    """The instant after which the workspace's live state is not shown; None when no live poll ever succeeded."""
    for state in workspace.collectors:
        if state.collector == Collector.LIVE and state.last_success:
            return state.last_success + options.stale_after
    return None


def _workspace(
    workspace: WorkspaceSnapshot,
    options: ExporterOptions,
    now: datetime,
    timetable: Timetable,
    before: WorkspaceView | None,
) -> WorkspaceView:
    end = stale_at(workspace, options)
    live = end is not None and now <= end
    active = _by_job(workspace.active_runs)
    counters: dict[str, dict[Measure, tuple[CounterValue, ...]]] = defaultdict(dict)
    for measure, values in workspace.counters.items():
        for job_id, own in _by_job(values).items():
            counters[job_id][measure] = tuple(own)
    bill = workspace.bill
    unused = nothing_used(bill) if bill else None
    chosen = selection(workspace.jobs, options)
    past = {job.facts.job_id: job for job in (before.one_time, *before.jobs)} if before else {}

    def job_view(facts: JobFacts) -> JobView:
        fresh = JobView(
            labels=(workspace.name, facts.job_id, facts.name),
            facts=facts,
            options=options,
            live=live,
            active=tuple(active.get(facts.job_id, ())),
            counters=counters.get(facts.job_id, {}),
            due=timetable.due(facts, now),
            bill=bill.jobs.get(facts.job_id, unused) if bill else None,
            billed=bill.made if bill else None,
        )
        held = past.get(facts.job_id)
        return held if held and _EVERYTHING(held) == _EVERYTHING(fresh) else fresh

    return WorkspaceView(
        snapshot=workspace,
        options=options,
        live=live,
        jobs=tuple(job_view(facts) for facts in chosen.jobs),
        one_time=job_view(JobFacts(job_id="", job=None, name="")),
        filtered=chosen.filtered,
        over_budget=chosen.over_budget,
    )


def _by_job(items: Iterable[Item]) -> dict[str, list[Item]]:
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        grouped[item.job_id].append(item)
    return grouped
