"""What the system tables bring is in the store beside what live polls brought."""

from datetime import timedelta

from collector.core.diff import completion
from collector.core.model import KnownAttempt
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_run, make_task
from tests.store.conftest import WORKSPACE, Stores, observe

FAILED = make_attempt(result="FAILED", tasks=(make_task(run_id="1"), make_task(run_id="2")))
REPAIRED = make_attempt(started=at(300), ended=at(360), repair=True, tasks=(make_task(run_id="3"),))


def counters(stores: Stores) -> dict[str, int]:
    """What stands in the counters, summed over their labels; zeros are left out."""
    (workspace,) = stores.reader().snapshot().workspaces
    sums = {
        measure.value: sum(counter.value for counter in values)
        for measure, values in workspace.counters.items()
    }
    return {measure: total for measure, total in sums.items() if total}


def test_a_run_that_no_poll_saw(stores: Stores, writer: Writer) -> None:
    """It is held as it ended, measured, and waits for the details that only the Jobs API has."""
    observe(writer, make_run(FAILED, REPAIRED, history=True), compare=completion)

    expected = tuple(
        KnownAttempt(ended=end, result=result, counted=True, measured=True, detailed=False, by_tables=True)
        for end, result in ((at(60), "FAILED"), (at(360), "SUCCESS"))
    )
    assert expected == writer.known(WORKSPACE, ["1"])["1"].attempts
    found = counters(stores)
    assert (2, 2, 1, 1) == tuple(
        found[name] for name in ("runs_recovered", "duration_count", "repairs", "task_retries")
    )
    assert "phase_time" not in found


def test_the_history_adds_the_details_and_nothing_else(stores: Stores, writer: Writer) -> None:
    """What was counted by the tables, an answer of the Jobs API completes, though its ends differ by a moment."""
    late = timedelta(milliseconds=400)
    shown = (
        make_attempt(
            ended=FAILED.ended + late, result="FAILED", tasks=FAILED.tasks, duration=FAILED.duration
        ),
        make_attempt(
            started=at(300),
            ended=REPAIRED.ended + late,
            repair=True,
            tasks=REPAIRED.tasks,
            duration=REPAIRED.duration,
        ),
    )
    observe(writer, make_run(*shown, history=True), compare=completion)
    before = counters(stores)

    observe(writer, make_run(FAILED, REPAIRED))
    observe(writer, make_run(FAILED, REPAIRED, history=True, queue=timedelta(seconds=9)))

    assert before | {"phase_time": 9000} == counters(stores)
    assert all(attempt.detailed for attempt in writer.known(WORKSPACE, ["1"])["1"].attempts)


def test_an_open_run_stays_as_the_live_poll_saw_it(stores: Stores, writer: Writer) -> None:
    """Counted by the tables, it ends on the live gauges when a live poll sees it end."""
    observe(writer, make_run())

    observe(writer, make_run(FAILED, history=True), compare=completion)

    (workspace,) = stores.reader().snapshot().workspaces
    assert ["1"] == [run.run_id for run in workspace.active_runs]
    assert 1 == counters(stores)["runs_finished"]

    observe(writer, make_run(FAILED))

    (workspace,) = stores.reader().snapshot().workspaces
    assert () == workspace.active_runs
    assert 1 == counters(stores)["runs_finished"]


def test_history_gets_its_own_durations(stores: Stores, writer: Writer) -> None:
    """Of a run repaired before counting began a list knows one attempt with the time of both; the tables tell both apart."""
    first = make_attempt(started=at(-9000), ended=at(-8900), result="FAILED")
    second = make_attempt(started=at(-8000), ended=at(-7950), repair=True)
    both = make_attempt(started=at(-9000), ended=at(-7950), duration=timedelta(seconds=150))
    observe(writer, make_run(both))

    observe(writer, make_run(first, second, history=True), compare=completion)
    writer.refresh_statistics(WORKSPACE, now=at(0))

    (workspace,) = stores.reader().snapshot().workspaces
    (job,) = workspace.jobs
    assert (timedelta(seconds=50), timedelta(seconds=50), 1) == (
        job.last_duration,
        job.median,
        job.observations,
    )
    assert {} == counters(stores)
