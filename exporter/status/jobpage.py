"""The page of one job: how it goes, what it is held to, what it costs, and its recent runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.core.records import RunRecord
from collector.core.snapshot import Amount, JobFacts
from collector.core.vocabulary import Outcome, outcome
from exporter.status import links
from exporter.status.charts import MOST_BARS, DurationChart, durations
from exporter.status.collecting import Collecting, collecting
from exporter.status.cost import NOTHING
from exporter.status.failing import fails
from exporter.status.history import History
from exporter.status.jobs import marks
from exporter.status.late import missed
from exporter.status.question import Question
from exporter.status.running import Running, by_need, running
from exporter.view import JobView, View, WorkspaceView

WINDOWS = (("1d", "Last complete day"), ("7d", "7 days"), ("30d", "30 days"), ("mtd", "This month"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run of the job."""

    run_id: str
    url: str
    started: datetime
    active: bool
    state: str
    """The result, of an active run its state."""
    good: bool
    bad: bool
    trigger: str
    attempts: int
    duration: timedelta | None
    queue: timedelta
    termination_code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Everything that the page shows."""

    workspace: str
    facts: JobFacts
    url: str
    marks: tuple[str, ...]
    failing: bool
    missed: datetime | None
    last_due: datetime | None
    next_due: datetime | None
    chart: DurationChart | None
    runs: tuple[RunRow, ...]
    more_runs: bool
    active: tuple[Running, ...]
    costs: tuple[tuple[str, Amount], ...]
    """By the name of the window; empty when billing was never read."""
    complete_until: datetime | None
    used_budget: float | None
    collecting: Collecting

    @property
    def sla(self) -> timedelta | None:
        """How long a run may take."""
        return self.facts.agreement.target.sla if self.facts.agreement.target else None


def job_page(view: View, history: History, workspace: str, job_id: str, now: datetime) -> JobPage | None:
    """The page of this moment; None for a job that nobody has seen. Raises StoreError."""
    home = next((each for each in view.workspaces if each.snapshot.name == workspace), None)
    job = next((each for each in home.jobs if each.facts.job_id == job_id), None) if home else None
    if home is None or job is None:
        return None
    facts, bill = job.facts, home.snapshot.bill
    page = history.runs(workspace, job_ids=[job_id], limit=MOST_BARS)
    target = facts.agreement.target
    budget = facts.agreement.budget
    amounts = job.bill.amounts if job.bill else {}
    asked = Question(workspace=workspace)
    return JobPage(
        workspace=workspace,
        facts=facts,
        url=links.job_in_databricks(home.snapshot, job_id),
        marks=marks(facts),
        failing=fails(job, now),
        missed=missed(job, home.snapshot.horizon, now) if home.live else None,
        last_due=job.due.last,
        next_due=job.due.next,
        chart=durations(
            page.runs, now, median=facts.median, p90=facts.p90, sla=target.sla if target else None
        ),
        runs=tuple(run_row(home, run, now) for run in page.runs),
        more_runs=page.next is not None,
        active=_active(home, job, now),
        costs=tuple((title, amounts.get(window, NOTHING)) for window, title in WINDOWS) if bill else (),
        complete_until=bill.complete_until if bill else None,
        used_budget=float(amounts["mtd"].dbus / budget.dbus) if budget and "mtd" in amounts else None,
        collecting=next(iter(collecting([home], asked, now))),
    )


def run_row(workspace: WorkspaceView, run: RunRecord, now: datetime) -> RunRow:
    """The run as a row of a table."""
    went = outcome(run.result)
    finished = not run.active and bool(run.result)
    return RunRow(
        run_id=run.run_id,
        url=links.run_in_databricks(workspace.snapshot, run.job_id, run.run_id, run.url),
        started=run.started,
        active=run.active,
        state=run.result if finished else run.state,
        good=finished and went is Outcome.SUCCESS,
        bad=finished and went is Outcome.FAILURE,
        trigger=run.trigger,
        attempts=len(run.attempts) + run.active,
        duration=max(timedelta(0), now - run.started) if run.active else run.duration,
        queue=sum((attempt.queue for attempt in run.attempts), timedelta(0)),
        termination_code=run.termination_code,
        message=run.message,
    )


def _active(workspace: WorkspaceView, job: JobView, now: datetime) -> tuple[Running, ...]:
    asked = Question(workspace=workspace.snapshot.name)
    return tuple(by_need([run for run in running(workspace, asked, now) if run.job_id == job.facts.job_id]))
