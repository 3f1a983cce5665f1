"""A small workspace that lives: each step is something that polls, housekeeping or people do to a store."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from collector.core.bill import bill, first_day
from collector.core.diff import completion
from collector.core.model import Agreement, Attempt, Collector, Named, Run, Spending, Target
from collector.core.records import RunDetails, TaskDetail
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_job, make_run, make_usage
from tests.store.conftest import WORKSPACE, make_poll, observe

RESULTS = ("SUCCESS", "FAILED", "CANCELED", "SOMETHING_NEW")
JOBS = ("7", "8", "10")


@dataclass
class World:
    """What is true in the workspace, and the time there."""

    random: Random
    now: float = 0
    attempts: dict[str, tuple[Attempt, ...]] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)

    def live(self, writer: Writer) -> None:
        """Take one step, an hour long, that leaves its traces in the store."""
        self.now += 3600
        steps = (
            self.poll,
            self.poll,
            self.poll,
            self.fail,
            self.define,
            self.forget,
            self.prune,
            self.compute,
            self.account,
            self.recorded,
            self.complete,
        )
        self.random.choice(steps)(writer)

    def poll(self, writer: Writer) -> None:
        """Some runs start, end or are repaired, and a poll sees them."""
        runs = [
            self._advanced(run_id) for run_id in self.random.sample(range(1, 9), self.random.randint(1, 3))
        ]
        observe(writer, *runs, now=self.now)

    def fail(self, writer: Writer) -> None:
        """A poll fails."""
        with writer.transaction(WORKSPACE) as transaction:
            transaction.record(make_poll(started=self._time(), error="unreachable", message="no route"))

    def define(self, writer: Writer) -> None:
        """Jobs are made, changed, deleted and made again."""
        target = Target(sla=timedelta(minutes=self.random.randint(1, 2)), source="tag")
        listed = {
            job_id: (
                make_job(job_id=job_id, name=f"job {job_id}"),
                Agreement(target=self.random.choice((None, target))),
            )
            for job_id in self.random.sample(JOBS, self.random.randint(0, len(JOBS)))
        }
        with writer.transaction(WORKSPACE) as transaction:
            transaction.save_jobs(listed, now=self._time())
            transaction.record(make_poll(started=self._time(), collector=Collector.DEFINITIONS))

    def recorded(self, writer: Writer) -> None:
        """The system tables show jobs, some of which no list does."""
        team = Named(name=f"team {self.random.randint(1, 2)}", source="config")
        shown = [
            (
                make_job(job_id=job_id, name=f"job {job_id}", run_as="somebody"),
                Agreement(team=self.random.choice((None, team))),
                self._time(),
                self.random.choice((None, self._time())),
            )
            for job_id in self.random.sample((*JOBS, "11"), 2)
        ]
        with writer.transaction(WORKSPACE) as transaction:
            transaction.save_recorded_jobs(shown, now=self._time())

    def complete(self, writer: Writer) -> None:
        """The system tables show some attempts of some runs, a little later than the Jobs API does."""
        runs = []
        for run_id, attempts in self.attempts.items():
            late = timedelta(milliseconds=self.random.randint(0, 300))
            shown = tuple(
                replace(attempt, ended=attempt.ended + late)
                for attempt in attempts
                if self.random.random() < 0.7
            )
            if shown:
                runs.append(make_run(*shown, run_id=run_id, job_id=JOBS[int(run_id) % 3], history=True))
        observe(writer, *runs, now=self.now, compare=completion)

    def forget(self, writer: Writer) -> None:
        """Databricks forgets a run."""
        with writer.transaction(WORKSPACE) as transaction:
            transaction.gone([str(self.random.randint(1, 8))])

    def prune(self, writer: Writer) -> None:
        """Old runs are pruned."""
        before = self._time() - timedelta(hours=self.random.randint(1, 9))
        writer.prune(WORKSPACE, before=before, polls_before=before)

    def compute(self, writer: Writer) -> None:
        """Medians are computed."""
        writer.refresh_statistics(WORKSPACE, now=self._time())

    def account(self, writer: Writer) -> None:
        """The billing tables are read, or cannot be, and a bill is made."""
        rows = [
            make_usage(
                str(self.random.randint(0, 2)),
                day=self._time().date() - timedelta(days=days),
                job_id=job_id,
            )
            for days in range(3)
            for job_id in self.random.sample(("", *JOBS), 2)
        ]
        error = self.random.choice(("", "refused"))
        with writer.transaction(WORKSPACE) as transaction:
            transaction.save_source("usage", watermark=self._time(), newest=self._time(), error=error)
            if error:
                return
            transaction.save_usage(rows)
        held = writer.usage(WORKSPACE, first_day(self._time()))
        spending = [Spending(job_id="7", dbus=Decimal(1), success=at(0))]
        made = bill(held, {"JOBS": Decimal("0.2")}, self._time(), spending=spending)
        with writer.transaction(WORKSPACE) as transaction:
            transaction.save_bill(made)

    def _time(self) -> datetime:
        return at(self.now)

    def _advanced(self, number: int) -> Run:
        run_id = str(number)
        attempts = self.attempts.get(run_id, ())
        if run_id in self.active:
            ended = self._time() - timedelta(minutes=self.random.randint(1, 50))
            started = ended - timedelta(seconds=self.random.randint(1, 600))
            attempts = (
                *attempts,
                make_attempt(started=started, ended=ended, result=self.random.choice(RESULTS)),
            )
            self.active.discard(run_id)
        else:
            self.active.add(run_id)
        self.attempts[run_id] = attempts
        history = self.random.random() < 0.5 or (run_id in self.active and bool(attempts))
        return make_run(
            *attempts,
            active=run_id in self.active,
            history=history,
            details=RunDetails(tasks=(TaskDetail(run_id=f"9{run_id}", task_key="main"),))
            if history
            else None,
            run_id=run_id,
            job_id=JOBS[number % len(JOBS)],
            run_type="SUBMIT_RUN" if number % 4 == 0 else "JOB_RUN",
            started=at(number),
            queue=timedelta(seconds=number),
        )
