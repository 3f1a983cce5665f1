"""The page of one run: its tasks along time, its attempts, its parameters, and how it ended."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.core.records import RunRecord, TaskDetail
from collector.core.snapshot import JobFacts
from collector.core.vocabulary import Outcome, outcome
from exporter.status import links, words
from exporter.status.charts import stretch, ticks
from exporter.status.collecting import Collecting, collecting
from exporter.status.history import History
from exporter.status.question import Question
from exporter.view import View, WorkspaceView

PHASES = ("queue", "setup", "execution", "cleanup")
MOST_TASKS = 300
"""Task runs in the timeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a bar in the timeline."""

    x: float
    width: float
    kind: str
    """A phase, or how the task ended where phases are not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One execution of a task."""

    detail: TaskDetail
    state: str
    outcome: str
    """`success`, `failure`, `neither` or `active`."""
    duration: timedelta | None
    pieces: tuple[Piece, ...]
    says: str
    """The phases in words."""
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Everything that the page shows."""

    run: RunRecord
    url: str
    facts: JobFacts | None
    """Of its job; None for a one-time run."""
    state: str
    outcome: str
    elapsed: timedelta
    """From the start to the end, or to now."""
    tasks: tuple[TaskRow, ...]
    more_tasks: int
    ticks: tuple[tuple[float, str], ...]
    collecting: Collecting


def run_page(view: View, history: History, workspace: str, run_id: str, now: datetime) -> RunPage | None:
    """The page of this moment; None for a run that the store does not hold. Raises StoreError."""
    home = next((each for each in view.workspaces if each.snapshot.name == workspace), None)
    run = history.run(run_id, workspace) if home else None
    if home is None or run is None:
        return None
    facts = next((facts for facts in home.snapshot.jobs if facts.job_id == run.job_id), None)
    tasks = run.details.tasks if run.details else ()
    begin, finish = _bounds(run, tasks, now)
    finished = not run.active and bool(run.result)
    return RunPage(
        run=run,
        url=links.run_in_databricks(home.snapshot, run.job_id, run.run_id, run.url),
        facts=facts,
        state=run.result if finished else run.state,
        outcome=_outcome(run.result, active=run.active),
        elapsed=finish - begin,
        tasks=tuple(_rows(tasks[:MOST_TASKS], begin, finish, now)),
        more_tasks=max(0, len(tasks) - MOST_TASKS),
        ticks=ticks(finish - begin),
        collecting=_collecting(home, now),
    )


def _collecting(home: WorkspaceView, now: datetime) -> Collecting:
    return next(iter(collecting([home], Question(workspace=home.snapshot.name), now)))


def _bounds(run: RunRecord, tasks: Sequence[TaskDetail], now: datetime) -> tuple[datetime, datetime]:
    """From the first start to the last end, at least a second apart."""
    known = [instant for task in tasks for instant in (task.started, task.ended) if instant]
    begin = min([run.started, *known])
    end = now if run.active else run.ended or max([run.started, *known])
    return begin, max([end, *known, begin + timedelta(seconds=1)])


def _rows(tasks: Iterable[TaskDetail], begin: datetime, finish: datetime, now: datetime) -> Iterator[TaskRow]:
    for task in tasks:
        active = task.started is not None and task.ended is None and not task.result
        end = task.ended or (now if active else None)
        yield TaskRow(
            detail=task,
            state=task.result or task.state,
            outcome=_outcome(task.result, active=active),
            duration=end - task.started if end and task.started else None,
            pieces=tuple(_pieces(task, end, begin, finish)) if end else (),
            says=", ".join(_phases(task)),
            url=links.web_only(task.url),
        )


def _pieces(task: TaskDetail, end: datetime, begin: datetime, finish: datetime) -> Iterator[Piece]:
    """The task's bar, light while it waited for its turn and its cluster."""
    if task.started is None:
        return
    waited = min(task.queue + task.setup, end - task.started)
    if waited > timedelta(0):
        x, width = stretch(task.started, task.started + waited, begin, finish)
        yield Piece(x=x, width=width, kind="waiting")
    if task.started + waited < end or not waited:
        x, width = stretch(task.started + waited, end, begin, finish)
        yield Piece(x=x, width=width, kind=_outcome(task.result, active=not task.result))


def _phases(task: TaskDetail) -> Iterator[str]:
    for phase in PHASES:
        length: timedelta = getattr(task, phase)
        if length:
            yield f"{phase} {words.span(length)}"


def _outcome(result: str, *, active: bool) -> str:
    if active:
        return "active"
    return outcome(result).value if result else Outcome.NEITHER.value
