"""Runs that have not ended: how long they take, against what their job usually takes and what it is held to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from collector.core.snapshot import ActiveRun, JobFacts
from collector.core.vocabulary import JOB_RUN, Outcome, outcome
from exporter.status import links
from exporter.status.charts import Meter, meter
from exporter.status.question import Question
from exporter.view import WorkspaceView

AT_RISK = 0.8
"""Part of its SLA after which a run is at risk."""
SLOW_FACTOR, SLOW_BY, SLOW_OBSERVATIONS = 2, timedelta(minutes=10), 5
"""How often, and by how much more than, what nine in ten runs take makes a run slow; and how many runs it takes to
tell. The same as the alerting rules say.
"""
LONG_QUEUED = timedelta(minutes=15)
QUEUED = "QUEUED"


class Pace(StrEnum):
    """How a run does, the worst first."""

    BREACHED = "over SLA"
    AT_RISK = "near SLA"
    SLOW = "slow"
    WAITING = "waits long"
    FINE = ""


SLOW_PACES = frozenset({Pace.BREACHED, Pace.AT_RISK, Pace.SLOW})
RANKS = {pace: rank for rank, pace in enumerate(Pace)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One active run."""

    workspace: str
    job_id: str
    """Empty for a one-time run."""
    name: str
    team: str
    run_id: str
    url: str
    """The run in Databricks; empty when no address is known."""
    state: str
    queue_reason: str
    trigger: str
    started: datetime
    elapsed: timedelta
    median: timedelta | None
    sla: timedelta | None
    pace: Pace
    meter: Meter

    @property
    def queued(self) -> bool:
        """True until it may run."""
        return self.state == QUEUED


def running(workspace: WorkspaceView, asked: Question, now: datetime) -> Iterator[Running]:
    """The workspace's active runs that were asked for; none when what is known of them is too old."""
    if not workspace.live:
        return
    facts = {facts.job_id: facts for facts in workspace.snapshot.jobs}
    for run in workspace.snapshot.active_runs:
        job = facts.get(run.job_id)
        team = team_of(job)
        name = job.name if job else run.name
        if asked.fits(workspace.snapshot.name, team, name, run.name, run.job_id, run.run_id):
            yield _running(workspace, run, job, name, now)


def by_need(runs: list[Running]) -> list[Running]:
    """Those first that somebody should look at, then the longest."""
    return sorted(runs, key=lambda run: (RANKS[run.pace], run.started, run.run_id))


def team_of(facts: JobFacts | None) -> str:
    """The team that answers for the job; empty when nobody says."""
    return facts.agreement.team.name if facts and facts.agreement.team else ""


def elapsed(run: ActiveRun, job: JobFacts | None, now: datetime) -> timedelta:
    """How long the attempt under way has taken since it was accepted.

    A repair keeps the start of its run: where only one run goes at a time, it cannot have begun before the end of the
    attempt before.
    """
    began = run.started
    alone = job is not None and job.job is not None and job.job.max_concurrent_runs == 1
    if job and alone and job.last_end and outcome(job.last_result) is not Outcome.NEITHER:
        began = max(began, job.last_end)
    return max(timedelta(0), now - began)


def _running(
    workspace: WorkspaceView, run: ActiveRun, job: JobFacts | None, name: str, now: datetime
) -> Running:
    taken = elapsed(run, job, now)
    endless = job is not None and job.job is not None and job.job.continuous
    sla = job.agreement.target.sla if job and job.agreement.target and not endless else None
    median = job.median if job and not endless else None
    return Running(
        workspace=workspace.snapshot.name,
        job_id=run.job_id if run.run_type == JOB_RUN or job else "",
        name=name,
        team=team_of(job),
        run_id=run.run_id,
        url=links.run_in_databricks(workspace.snapshot, run.job_id, run.run_id, run.url),
        state=run.state,
        queue_reason=run.queue_reason,
        trigger=run.trigger,
        started=run.started,
        elapsed=taken,
        median=median,
        sla=sla,
        pace=pace(run, job, taken),
        meter=meter(taken, median, sla),
    )


def pace(run: ActiveRun, job: JobFacts | None, taken: timedelta) -> Pace:
    """How a run does that has taken so long."""
    if run.state == QUEUED:
        return Pace.WAITING if taken > LONG_QUEUED else Pace.FINE
    if job is None or (job.job and job.job.continuous):
        return Pace.FINE
    sla = job.agreement.target.sla if job.agreement.target else None
    if sla and taken >= sla:
        return Pace.BREACHED
    if sla and taken >= AT_RISK * sla:
        return Pace.AT_RISK
    usual = job.p90 if job.observations >= SLOW_OBSERVATIONS else None
    slow = usual is not None and taken > SLOW_FACTOR * usual and taken - usual > SLOW_BY
    return Pace.SLOW if slow else Pace.FINE
