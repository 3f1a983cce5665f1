"""What the system tables bring is in the store beside what live polls brought."""

from datetime import timedelta

from collector.core.diff import completion
from collector.core.model import KnownAttempt
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_run, make_task
from tests.store.conftest import WORKSPACE, Stores, observe

FAILED = make_attempt(result="FAILED", tasks=(make_task(run_id="1"), make_task(run_id="2")))
REPAIRED = make_attempt(started=at(300), ended=at(360), tasks=(make_task(run_id="3"),))


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
        KnownAttempt(
            ended=end,
            result=result,
            counted=True,
            measured=True,
            detailed=False,
            by_tables=True,
            retries=retries,
        )
        for end, result, retries in ((at(60), "FAILED", 1), (at(360), "SUCCESS", 0))
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


def test_a_repair_whose_row_comes_before_that_of_what_it_repairs(stores: Stores, writer: Writer) -> None:
    """It is told from an original when the other shows, by whichever source."""
    observe(writer, make_run(REPAIRED, history=True), compare=completion)
    assert "repairs" not in counters(stores)

    observe(writer, make_run(FAILED, REPAIRED, history=True), compare=completion)
    assert 1 == counters(stores)["repairs"]

    observe(writer, make_run(FAILED, REPAIRED, history=True))
    assert 1 == counters(stores)["repairs"]


def test_task_runs_whose_rows_come_later_than_their_run(stores: Stores, writer: Writer) -> None:
    """What the tables did not show of the retries, the history of the run adds."""
    early = make_attempt(result="FAILED", tasks=FAILED.tasks[:1])
    whole = make_attempt(result="FAILED", tasks=(*FAILED.tasks, make_task(run_id="4")))
    observe(writer, make_run(early, history=True), compare=completion)
    assert "task_retries" not in counters(stores)

    observe(writer, make_run(FAILED, history=True), compare=completion)
    assert 1 == counters(stores)["task_retries"]

    for _ in range(2):
        observe(writer, make_run(whole, history=True))
        assert 2 == counters(stores)["task_retries"]


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
    second = make_attempt(started=at(-8000), ended=at(-7950))
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
