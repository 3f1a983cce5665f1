"""The overview: the top of every table, or one of them in full, as far as the reader's filters let it through."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from collector.store.engine import StoreError
from exporter.status import jobs
from exporter.status.charts import SPARK_BARS
from exporter.status.collecting import Collecting, collecting
from exporter.status.cost import Costs, Spent, costs
from exporter.status.failing import FailingJob, by_news, explained, failing
from exporter.status.history import History
from exporter.status.jobs import JobRow
from exporter.status.late import LateJob, late
from exporter.status.paging import Table, paged, top
from exporter.status.question import Question, Show
from exporter.status.running import SLOW_PACES, Running, by_need, running, team_of
from exporter.view import View, WorkspaceView

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the tiles say. None where it is not known."""

    running: int | None
    queued: int | None
    slow: int | None
    late: int | None
    failing: int
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that the page shows."""

    asked: Question
    workspaces: tuple[str, ...]
    """All names, for the filter."""
    teams: tuple[str, ...]
    counts: Counts
    unknown: tuple[Collecting, ...]
    """The workspaces whose live state is too old to be shown."""
    failing: Table[FailingJob]
    late: Table[LateJob]
    active: Table[Running]
    costs: Costs
    spent: Table[Spent]
    teams_spent: Table[Spent]
    jobs: Table[JobRow]
    collecting: tuple[Collecting, ...]
    history_missing: bool
    """True when the store did not say why jobs fail."""

    def shows(self, *parts: Show) -> bool:
        """True when one of these parts is on the page."""
        return self.asked.show in {Show.OVERVIEW, *parts}

    @property
    def several(self) -> bool:
        """True when rows have to say their workspace."""
        return len(self.workspaces) > 1 and not self.asked.workspace


def overview(view: View, history: History, asked: Question, now: datetime) -> Overview:
    """The page of this moment."""
    wanted = [each for each in view.workspaces if asked.workspace in {"", each.snapshot.name}]
    runs = by_need([run for workspace in wanted for run in running(workspace, asked, now)])
    failed = by_news([job for workspace in wanted for job in failing(workspace, asked, now)])
    overdue = sorted((job for workspace in wanted for job in late(workspace, asked, now)), key=_by_due)
    every_job = [job for workspace in wanted for job in jobs.jobs(workspace, asked)]
    spent = costs(wanted, asked, now)
    collected = tuple(collecting(wanted, asked, now))
    shown_failed, missing = _explained(_cut(asked, failed, Show.FAILING), wanted, history)
    chosen_runs = [run for run in runs if _chosen(run, asked.show)]
    return Overview(
        asked=asked,
        workspaces=tuple(each.snapshot.name for each in view.workspaces),
        teams=_teams(view.workspaces),
        counts=_counts(wanted, runs, len(overdue), len(failed), len(every_job)),
        unknown=tuple(each for each in collected if not each.live),
        failing=shown_failed,
        late=_cut(asked, overdue, Show.LATE),
        active=_cut(asked, chosen_runs, Show.ACTIVE, Show.RUNNING, Show.QUEUED, Show.SLOW),
        costs=spent,
        spent=_cut(asked, spent.jobs, Show.COST).drawn(spent.spent),
        teams_spent=top(spent.teams, 100 if asked.show is Show.COST else 10),
        jobs=_cut(asked, jobs.by_name(every_job), Show.JOBS).drawn(jobs.row),
        collecting=collected,
        history_missing=missing,
    )


def _cut(asked: Question, rows: Sequence[Row], *parts: Show) -> Table[Row]:
    """A page of the table when it is the one that is asked for, else its top."""
    return paged(rows, asked.page) if asked.show in parts else top(rows)


def _chosen(run: Running, show: Show) -> bool:
    match show:
        case Show.RUNNING:
            return not run.queued
        case Show.QUEUED:
            return run.queued
        case Show.SLOW:
            return run.pace in SLOW_PACES
        case _:
            return True


def _counts(
    wanted: Sequence[WorkspaceView], runs: Sequence[Running], overdue: int, failed: int, known: int
) -> Counts:
    live = any(workspace.live for workspace in wanted)
    queued = sum(run.queued for run in runs)
    return Counts(
        running=len(runs) - queued if live else None,
        queued=queued if live else None,
        slow=sum(run.pace in SLOW_PACES for run in runs) if live else None,
        late=overdue if live else None,
        failing=failed,
        jobs=known,
    )


def _teams(workspaces: Iterable[WorkspaceView]) -> tuple[str, ...]:
    found = {team_of(facts) for workspace in workspaces for facts in workspace.snapshot.jobs}
    return tuple(sorted(found - {""}, key=str.casefold))


def _explained(
    table: Table[FailingJob], workspaces: Iterable[WorkspaceView], history: History
) -> tuple[Table[FailingJob], bool]:
    """The rows with what the store tells of their runs, and whether it failed to."""
    by_name = {workspace.snapshot.name: workspace for workspace in workspaces}
    told: dict[tuple[str, str], FailingJob] = {}
    missing = False
    for name, group in groupby(sorted(table.rows, key=_workspace), key=_workspace):
        of_workspace = list(group)
        ids = [job.job_id for job in of_workspace]
        try:
            why, ends = history.failing(name, ids), history.endings(name, ids, each=SPARK_BARS)
        except StoreError:
            missing = True
            continue
        told |= {(name, job.job_id): explained(job, by_name[name], why, ends) for job in of_workspace}
    rows = tuple(told.get((job.workspace, job.job_id), job) for job in table.rows)
    return replace(table, rows=rows), missing


def _workspace(job: FailingJob) -> str:
    return job.workspace


def _by_due(job: LateJob) -> tuple[datetime, str]:
    return job.due, job.job_id
