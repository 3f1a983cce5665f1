"""A history for the pages, made by hand: plain values behind the questions that the store answers."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from collector.core.failing import Ending, Failing
from collector.core.records import AttemptRecord, RunDetails, RunPage, RunRecord, TaskDetail
from collector.store.engine import StoreError
from tests.make import at


class MemoryHistory:
    """Remembers what it was given, unless it is broken."""

    def __init__(self, *runs: RunRecord, failing: Iterable[Failing] = (), broken: bool = False) -> None:
        self._runs = runs
        self._failing = {each.job_id: each for each in failing}
        self.broken = broken

    def failing(self, workspace: str, job_ids: Iterable[str]) -> Mapping[str, Failing]:
        """What it was given."""
        self._fail()
        return {job_id: self._failing[job_id] for job_id in job_ids if job_id in self._failing}

    def endings(
        self, workspace: str, job_ids: Iterable[str], *, each: int
    ) -> Mapping[str, tuple[Ending, ...]]:
        """Of the runs that it was given."""
        self._fail()
        return {
            job_id: tuple(
                Ending(run_id=run.run_id, ended=end.ended, duration=end.duration, result=end.result)
                for run in reversed(self._runs)
                if run.job_id == job_id
                for end in run.attempts
            )[-each:]
            for job_id in job_ids
        }

    def runs(
        self, workspace: str | None = None, *, job_ids: Collection[str] | None = None, limit: int = 100
    ) -> RunPage:
        """Of the runs that it was given, which come newest first."""
        self._fail()
        found = [run for run in self._runs if run.workspace == workspace and run.job_id in (job_ids or ())]
        return RunPage(runs=tuple(found[:limit]))

    def run(self, run_id: str, workspace: str | None = None) -> RunRecord | None:
        """Of the runs that it was given."""
        self._fail()
        return next((run for run in self._runs if (run.workspace, run.run_id) == (workspace, run_id)), None)

    def _fail(self) -> None:
        if self.broken:
            raise StoreError("the disk is gone")


def run_record(run_id: str = "480", **given: Any) -> RunRecord:
    """A run of job 7 in `prod` that succeeded within a minute, ten minutes before noon."""
    result = given.get("result", "SUCCESS")
    fields: dict[str, Any] = {
        "workspace": "prod",
        "run_id": run_id,
        "job_id": "7",
        "run_type": "JOB_RUN",
        "trigger": "PERIODIC",
        "name": "orders",
        "started": at(-660),
        "ended": at(-600),
        "state": "TERMINATED",
        "result": result,
        "active": False,
        "seen": at(-600),
        "attempts": (attempt(result=result),),
    }
    return RunRecord(**(fields | given))


def attempt(**given: Any) -> AttemptRecord:
    """A successful attempt of one minute."""
    fields: dict[str, Any] = {
        "started": at(-660),
        "ended": at(-600),
        "duration": timedelta(minutes=1),
        "result": "SUCCESS",
        "measured": True,
    }
    return AttemptRecord(**(fields | given))


def task(task_key: str = "load", **given: Any) -> TaskDetail:
    """A task that took the whole minute, ten seconds of it for its cluster."""
    fields: dict[str, Any] = {
        "run_id": "900",
        "task_key": task_key,
        "kind": "notebook",
        "state": "TERMINATED",
        "result": "SUCCESS",
        "started": at(-660),
        "ended": at(-600),
        "setup": timedelta(seconds=10),
        "execution": timedelta(seconds=50),
    }
    return TaskDetail(**(fields | given))


def detailed(*tasks: TaskDetail, **given: Any) -> RunDetails:
    """What a look at the single run showed."""
    return RunDetails(tasks=tasks, **given)


def why(job_id: str = "7", **given: Any) -> Failing:
    """A job whose last failure is ten minutes old."""
    fields: dict[str, Any] = {
        "job_id": job_id,
        "since": at(-3600),
        "run_id": "480",
        "url": "https://prod.example.com/?o=1001#job/7/run/480",
        "ended": at(-600),
        "result": "FAILED",
        "termination_code": "RUN_EXECUTION_ERROR",
        "message": "Workload failed, see run output for details",
    }
    return Failing(**(fields | given))
