"""The pass over the run history in the system tables, the independent record against which live counts are completed.

What no poll saw is counted, what ended before counting began is remembered. It never touches what is live.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from collector.core.agreement import agreement
from collector.core.diff import completion
from collector.core.model import KnownRun, Run, TaskRun
from collector.core.tables import HourRead, attributed, spans, unread
from collector.desk import Answer, Desk
from collector.poll import save
from collector.readings import Reading, Readings, readings
from collector.store.transaction import Transaction

RUNS, TASK_RUNS, JOBS = "run_timeline", "task_runs", "jobs"
"""Sources, by the names of their queries."""
LATE = timedelta(days=2)
"""How long after it ended an attempt may still arrive in the tables and be found."""
JOBS_LATE = timedelta(hours=6)
"""The same for changes of definitions, which matter less: a list shows them first."""
MOST_ATTEMPTS = 20_000
"""In one statement, so that the first pass shows its progress and can go on after a failure."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def system_tables(desk: Desk, started: datetime) -> Answer:
    """Read definitions, then the runs of all hours that have changed; everything is written as it comes, and medians
    are computed at once, because the first pass brings weeks.
    """
    with readings(desk, started) as all_readings:
        changed = 0
        with all_readings.of(JOBS) as reading:
            changed += _jobs(desk, reading)
        seen = 0
        with all_readings.of(RUNS) as reading:
            seen, finished = _runs(desk, all_readings, reading)
            changed += finished
    desk.writer.refresh_statistics(desk.terms.workspace, now=desk.now())

    def write(transaction: Transaction, now: datetime) -> int:  # noqa: ARG001 – it is written already
        return changed

    return Answer(write=write, seen=seen, error=all_readings.error, message=all_readings.message)


def _jobs(desk: Desk, reading: Reading) -> int:
    """The definitions that changed lately, or all at first; the number of those that differ."""
    changed = 0
    since = reading.watermark - JOBS_LATE if reading.watermark else BEGINNING
    for batch in reading.tables.jobs(since):
        recorded = [
            (item.job, agreement(item.job, desk.terms.words), item.changed, item.deleted) for item in batch
        ]
        with desk.writer.transaction(desk.terms.workspace) as transaction:
            changed += transaction.save_recorded_jobs(recorded, now=desk.now())
        for item in batch:
            reading.tells_of(max(item.changed, item.deleted or item.changed))
    return changed


def _runs(desk: Desk, all_readings: Readings, reading: Reading) -> tuple[int, int]:
    """The runs of the hours that may hold something new: how many, and how many attempts of them the store did not hold."""
    memory, started = desk.memory, all_readings.started
    oldest = started - desk.terms.history
    since = max(oldest, reading.watermark - LATE) if reading.watermark else oldest
    since = since.replace(minute=0, second=0, microsecond=0)
    hours = reading.tables.hours(since)
    memory.hours = {hour: read for hour, read in memory.hours.items() if hour in hours}
    waiting = desk.writer.hours_by_tables_alone(desk.terms.workspace, since)
    wanted = unread(hours, memory.hours, waiting, started)
    portions = spans(wanted, MOST_ATTEMPTS)
    seen = changed = 0
    for done, (first, last) in enumerate(portions, start=1):
        for batch in reading.tables.runs(first, last):
            changed += _complete(desk, all_readings, batch)
            seen += len(batch)
            reading.tells_of(max(run.ended or run.started for run in batch))
        memory.hours |= {
            hour: HourRead(attempts=number, at=started)
            for hour, number in wanted.items()
            if first <= hour < last
        }
        desk.progress(done, len(portions))
    return seen, changed


def _complete(desk: Desk, all_readings: Readings, batch: Sequence[Run]) -> int:
    """Count and record what the store lacks of these runs; the number of such attempts."""
    workspace = desk.terms.workspace
    known = desk.writer.known(workspace, [run.run_id for run in batch])
    news = [run for run in batch if _may_bring(known.get(run.run_id), run)]
    if not news:
        return 0
    counted = [run.run_id for run in news if run.ended and run.ended >= all_readings.horizon]
    tasks = _task_runs(all_readings, counted)
    whole = [attributed(run, tasks.get(run.run_id, ())) for run in news]
    with desk.writer.transaction(workspace) as transaction:
        return save(transaction, whole, desk.terms.extent, desk.now(), completion)


def _may_bring(known: KnownRun | None, run: Run) -> bool:
    """True when the run shows more than is held, or its task runs may."""
    waits = known is not None and any(
        attempt.by_tables and not attempt.detailed for attempt in known.attempts
    )
    return waits or completion(known, run, BEGINNING) is not None


def _task_runs(
    all_readings: Readings, run_ids: Sequence[str]
) -> Mapping[str, Sequence[tuple[datetime, TaskRun]]]:
    """The task runs of these runs with their ends; none when they cannot be read."""
    found: dict[str, list[tuple[datetime, TaskRun]]] = defaultdict(list)
    if not run_ids or TASK_RUNS in all_readings.failures:
        return found
    with all_readings.of(TASK_RUNS) as reading:
        for batch in reading.tables.task_runs(run_ids):
            for item in batch:
                task = TaskRun(run_id=item.run_id, task_key=item.task_key, result=item.result)
                found[item.job_run_id].append((item.ended, task))
                reading.tells_of(item.ended)
    return found
