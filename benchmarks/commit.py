"""The transaction of a poll that brings many ended runs, alone: from begin to commit."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import Figure, middle, seconds
from collector.core.count import Extent
from collector.core.model import Attempt, Collector, Poll, Run, TaskRun
from collector.core.records import Parameter, RunDetails, TaskDetail
from collector.poll import save
from collector.store.engine import open_store
from collector.store.writer import Writer

WORKSPACE = "production"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
JOBS = 500


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """Poll after poll, in each of which a hundred runs end with their details; the next ones start in between."""
    active, ending, times = (40, 5, 2) if quick else (2000, 100, 15)
    samples = []
    with tempfile.TemporaryDirectory(prefix="bench-commit-") as folder:
        engine = open_store(f"sqlite:///{Path(folder)}/store.db")
        try:
            writer = Writer(engine)
            writer.register(WORKSPACE, host="https://dbc.example", workspace_id="1", now=NOON)
            with writer.transaction(WORKSPACE) as transaction:
                transaction.begin_counting(NOON)
            _write(writer, [_run(number) for number in range(active)], NOON)
            for number in range(times):
                now = NOON + timedelta(seconds=5 * (number + 1))
                ended = [_ended(_run(number * ending + place), now) for place in range(ending)]
                samples.append(seconds(lambda: _write(writer, ended, now)))  # noqa: B023 – called at once
                _write(writer, [_run(active + number * ending + place) for place in range(ending)], now)
        finally:
            engine.dispose()
    milliseconds = [sample * 1000 for sample in samples]
    yield middle(
        "commit of a poll, begin to commit",
        milliseconds,
        "ms",
        most=50.0,
        note=f"{ending} runs end with details, {active} are open",
    )


def _write(writer: Writer, runs: Sequence[Run], now: datetime) -> None:
    with writer.transaction(WORKSPACE) as transaction:
        changed = save(transaction, runs, Extent(), now)
        poll = Poll(
            collector=Collector.LIVE,
            started=now,
            duration=timedelta(seconds=1),
            interval=timedelta(seconds=5),
            seen=len(runs),
            changed=changed,
        )
        transaction.record(poll)


def _run(number: int) -> Run:
    job = number % JOBS
    return Run(
        run_id=f"{10_000_000 + number}",
        job_id=f"{job}",
        run_type="JOB_RUN",
        trigger="PERIODIC",
        name=f"job {job}",
        creator="etl@example.com",
        url=f"https://dbc.example/#job/{job}/run/{number}",
        started=NOON + timedelta(milliseconds=number),
        state="RUNNING",
    )


def _ended(run: Run, now: datetime) -> Run:
    tasks = tuple(
        TaskRun(
            run_id=f"{run.run_id}{place}",
            task_key=f"step_{place}",
            result="SUCCESS",
            execution=timedelta(seconds=20),
        )
        for place in range(3)
    )
    attempt = Attempt(
        started=run.started,
        ended=now,
        result="SUCCESS",
        termination_code="SUCCESS",
        termination_type="SUCCESS",
        duration=now - run.started,
        tasks=tasks,
    )
    details = RunDetails(
        tasks=tuple(
            TaskDetail(
                run_id=task.run_id,
                task_key=task.task_key,
                kind="notebook",
                state="TERMINATED",
                result=task.result,
                started=run.started,
                ended=now,
                execution=task.execution,
                termination_code="SUCCESS",
                termination_type="SUCCESS",
            )
            for task in tasks
        ),
        parameters=(Parameter(name="day", value="2026-03-02"),),
    )
    return replace(run, ended=now, state="TERMINATED", latest=attempt, history=(attempt,), details=details)
