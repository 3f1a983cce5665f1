"""What a poll writes is there as a whole or not at all, and reads back as it was."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from collector.core.diff import completion
from collector.core.model import Agreement, Collector, Increment, KnownAttempt, KnownRun, Measure, Target
from collector.store.engine import StoreError
from collector.store.failure import ForeignWorkspaceError
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_job, make_run
from tests.store.conftest import WORKSPACE, Stores, make_poll, observe, watch


class Crash(Exception):
    """The program ends here."""


def known(writer: Writer, *run_ids: str, workspace: str = WORKSPACE) -> dict[str, KnownRun]:
    """What the store holds of the runs."""
    with writer.transaction(workspace) as transaction:
        return transaction.known(run_ids)


def started(count: int) -> Increment:
    """An increment of the runs started by hand."""
    return Increment(measure=Measure.RUNS_STARTED, labels=("ONE_TIME", "JOB_RUN"), amount=count)


def finished_count(stores: Stores, result: str = "SUCCESS", workspace: str = WORKSPACE) -> int:
    """How many attempts are counted with the result."""
    snapshots = {found.name: found for found in stores.reader().snapshot().workspaces}
    counters = snapshots[workspace].counters.get(Measure.RUNS_FINISHED, ())
    return sum(counter.value for counter in counters if counter.labels == (result,))


def test_active_run(writer: Writer) -> None:
    """An active run is known as it was observed."""
    observe(writer, make_run(state="QUEUED", queue_reason="MAX_CONCURRENT_RUNS_REACHED"))

    expected = KnownRun(
        run_id="1",
        job_id="7",
        run_type="JOB_RUN",
        started=at(0),
        state="QUEUED",
        queue_reason="MAX_CONCURRENT_RUNS_REACHED",
        open=True,
    )
    assert {"1": expected} == known(writer, "1", "2")


def test_finished_run(writer: Writer) -> None:
    """A finished run has its attempt, without details until they are read."""
    observe(writer, make_run(make_attempt(result="FAILED")))

    attempt = KnownAttempt(ended=at(60), result="FAILED", counted=True, detailed=False)
    assert (attempt,) == known(writer, "1")["1"].attempts
    assert not known(writer, "1")["1"].open


def test_details(writer: Writer) -> None:
    """Details come with the queueing they account for, at once or later, and leave the result that was counted."""
    attempts = (
        make_attempt(result="FAILED"),
        make_attempt(ended=at(200), duration=timedelta(seconds=20)),
    )
    observe(writer, make_run(attempts[0]))

    observe(writer, make_run(*attempts, history=True, queue=timedelta(seconds=5)))

    expected = (
        KnownAttempt(
            ended=at(60),
            result="FAILED",
            counted=True,
            measured=True,
            detailed=True,
            queue=timedelta(seconds=5),
        ),
        KnownAttempt(ended=at(200), result="SUCCESS", counted=True, measured=True, detailed=True),
    )
    assert expected == known(writer, "1")["1"].attempts


def test_history_before_the_horizon(writer: Writer) -> None:
    """An attempt that ended before the horizon is held and not counted."""
    observe(writer, make_run(make_attempt(started=at(-9000), ended=at(-8000))))

    assert [False] == [attempt.counted for attempt in known(writer, "1")["1"].attempts]


def test_silence_keeps_words(stores: Stores, writer: Writer) -> None:
    """A name and an address that an answer leaves out stay; what it brings takes their place."""
    observe(writer, make_run(name="orders", url="https://run/1"))
    observe(writer, make_run(name="", url="", state="TERMINATING"))

    run = stores.reader().snapshot().workspaces[0].active_runs[0]
    assert ("orders", "https://run/1", "TERMINATING") == (run.name, run.url, run.state)

    observe(writer, make_run(name="orders daily", state="RUNNING"))

    run = stores.reader().snapshot().workspaces[0].active_runs[0]
    assert ("orders daily", "https://run/1", "RUNNING") == (run.name, run.url, run.state)


def test_many_runs(writer: Writer) -> None:
    """More runs than fit into one statement are known and unknown as few are."""
    observe(writer, *(make_run(make_attempt(), run_id=str(number)) for number in range(2500)))

    found = known(writer, *(str(number) for number in range(5000)))

    assert {str(number) for number in range(2500)} == found.keys()
    assert all(len(run.attempts) == 1 for run in found.values())


def test_two_attempts_in_one_millisecond(stores: Stores, writer: Writer) -> None:
    """Two attempts that end at the same time do not keep a poll from committing, nor count more later."""
    run = make_run(make_attempt(result="FAILED"), make_attempt(), history=True)
    observe(writer, run)
    before = finished_count(stores, "FAILED") + finished_count(stores)

    observe(writer, run)

    assert before == finished_count(stores, "FAILED") + finished_count(stores)


def test_words_no_database_holds(stores: Stores, writer: Writer) -> None:
    """A name with NUL or half a character is kept with a mark in its place, also in labels and definitions."""
    odd = "a\0b\ud800c ü"
    observe(writer, make_run(name=odd, message=odd))
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({"7": (make_job(name=odd, tags={odd: odd}), Agreement())}, now=at(100))
        transaction.add(
            [Increment(measure=Measure.TASK_RUNS_FINISHED, job_id="7", labels=(odd, "SUCCESS"), amount=1)]
        )

    workspace = stores.reader().snapshot().workspaces[0]
    even = "a\N{REPLACEMENT CHARACTER}b?c ü"
    assert even == workspace.active_runs[0].name
    assert make_job(name=even, tags={even: even}) == workspace.jobs[0].job
    assert (even, "SUCCESS") == workspace.counters[Measure.TASK_RUNS_FINISHED][0].labels


def test_odd_words_are_no_difference(writer: Writer) -> None:
    """A definition whose words had to be changed is the same definition at the next poll."""
    listed = {"7": (make_job(name="a\0b", tags={"\ud800": "x"}), Agreement())}
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs(listed, now=at(0))

        assert 0 == transaction.save_jobs(listed, now=at(10))


def test_gone_runs(stores: Stores, writer: Writer) -> None:
    """A run that Databricks forgot is no longer open, is counted nowhere, and opens again when it is seen."""
    observe(writer, make_run(), make_run(run_id="2"))

    with writer.transaction(WORKSPACE) as transaction:
        transaction.gone(["1"])

    workspace = stores.reader().snapshot().workspaces[0]
    assert ["2"] == [run.run_id for run in workspace.active_runs]
    assert Measure.RUNS_FINISHED not in workspace.counters

    observe(writer, make_run())

    assert ["1", "2"] == [run.run_id for run in stores.reader().snapshot().workspaces[0].active_runs]


def test_crash_before_commit(stores: Stores, writer: Writer) -> None:
    """A poll that ends before its commit leaves everything as it was, and the next one counts once."""
    observe(writer, make_run())
    before = stores.reader().snapshot()

    with contextlib.suppress(Crash), writer.transaction(WORKSPACE) as transaction:
        transaction.add([started(5)])
        transaction.record(make_poll())
        raise Crash

    assert before == stores.reader().snapshot()

    observe(writer, make_run(make_attempt()))

    assert 1 == finished_count(stores)


def test_increments_add(stores: Stores, writer: Writer) -> None:
    """Amounts for one counter add up, within a transaction and over several."""
    for amounts in ((1, 2), (3,), (0,)):
        with writer.transaction(WORKSPACE) as transaction:
            transaction.add(started(amount) for amount in amounts)

    counters = stores.reader().snapshot().workspaces[0].counters
    assert [6] == [counter.value for counter in counters[Measure.RUNS_STARTED]]


def test_born_at_zero(stores: Stores, writer: Writer) -> None:
    """A zero makes a counter, and nothing of it is larger than 32 bits too large."""
    with writer.transaction(WORKSPACE) as transaction:
        transaction.add([started(0)])
        transaction.add([Increment(measure=Measure.DURATION_SUM, job_id="7", amount=2**40)])

    counters = stores.reader().snapshot().workspaces[0].counters
    assert [0] == [counter.value for counter in counters[Measure.RUNS_STARTED]]
    assert [2**40] == [counter.value for counter in counters[Measure.DURATION_SUM]]


@pytest.mark.parametrize("order", [("early", "late"), ("late", "early")])
def test_exemplar_is_the_latest(stores: Stores, writer: Writer, order: tuple[str, ...]) -> None:
    """A counter shows the run that ended last, in whatever order runs are counted."""
    ends = {"early": at(10), "late": at(20)}
    for run_id in order:
        exemplar = Increment(
            measure=Measure.RUNS_FINISHED, job_id="7", amount=1, run_id=run_id, value_ms=5, at=ends[run_id]
        )
        with writer.transaction(WORKSPACE) as transaction:
            transaction.add([exemplar])
            transaction.add([Increment(measure=Measure.RUNS_FINISHED, job_id="7", amount=1)])

    (counter,) = stores.reader().snapshot().workspaces[0].counters[Measure.RUNS_FINISHED]
    assert (4, "late", 5, at(20)) == (counter.value, counter.run_id, counter.value_ms, counter.at)


def test_definitions(stores: Stores, writer: Writer) -> None:
    """A list of definitions is all there is: the number of differences is told, missing ones are deleted, not lost."""
    target = Target(sla=timedelta(minutes=5), source="tag")
    full = make_job(
        job_id="9",
        name="full",
        created=at(-99),
        tags={"team": "a"},
        timeout=timedelta(hours=1),
        expected_duration=timedelta(minutes=7),
        paused=True,
        periodic_interval=4,
    )

    def save(now: float, *jobs: tuple[str, Target | None]) -> int:
        listed = {
            job_id: (full if job_id == "9" else make_job(job_id=job_id), Agreement(target=held))
            for job_id, held in jobs
        }
        with writer.transaction(WORKSPACE) as transaction:
            return transaction.save_jobs(listed, now=at(now))

    assert 2 == save(1, ("9", target), ("10", None))
    assert 0 == save(2, ("9", target), ("10", None))
    assert 1 == save(3, ("9", target))
    assert 0 == save(4, ("9", target))
    assert 2 == save(5, ("9", None), ("10", target))
    assert 1 == save(6, ("10", target))

    facts = stores.reader().snapshot().workspaces[0].jobs
    assert [("9", full, at(6), None), ("10", make_job(job_id="10"), None, target)] == [
        (job.job_id, job.job, job.deleted, job.agreement.target) for job in facts
    ]


def test_targets(writer: Writer) -> None:
    """Only jobs that are held to something have a target."""
    target = Target(sla=timedelta(minutes=5), source="config")
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs(
            {"7": (make_job(), Agreement(target=target)), "8": (make_job(job_id="8"), Agreement())}, now=at(0)
        )

        assert {"7": target} == transaction.targets(["7", "8", "9"])


def test_watermark(stores: Stores, writer: Writer) -> None:
    """A successful poll moves the watermark to its start; one that failed leaves it and tells why."""
    with writer.transaction(WORKSPACE) as transaction:
        transaction.record(make_poll(started=at(10), duration=timedelta(seconds=2)))
    with writer.transaction(WORKSPACE) as transaction:
        transaction.record(make_poll(started=at(20), error="throttled", message="429"))

    standing = writer.standing(WORKSPACE, recent_since=at(0), undetailed=0)
    (state,) = stores.reader().snapshot().workspaces[0].collectors
    assert {Collector.LIVE: at(10)} == standing.watermarks
    assert (at(20), at(12), "throttled", "429") == (
        state.last_start,
        state.last_success,
        state.error,
        state.message,
    )


def test_standing(writer: Writer) -> None:
    """A plan gets the open runs with their attempts, the recent ends, and what waits for details: failures, then newest."""
    observe(
        writer,
        make_run(make_attempt(), active=True, history=True, run_id="repairing"),
        make_run(make_attempt(ended=at(30)), run_id="older"),
        make_run(make_attempt(ended=at(40)), run_id="newer"),
        make_run(make_attempt(ended=at(35), result="CANCELED"), run_id="cancelled"),
        make_run(make_attempt(ended=at(20), result="FAILED"), run_id="failed"),
        make_run(make_attempt(), history=True, run_id="detailed"),
        make_run(make_attempt(started=at(-9000), ended=at(-8000)), run_id="history"),
    )

    standing = writer.standing(WORKSPACE, recent_since=at(0), undetailed=3)

    ends = {"older": at(30), "newer": at(40), "cancelled": at(35), "failed": at(20), "detailed": at(60)}
    assert [("repairing", at(60))] == [(run.run_id, run.attempts[0].ended) for run in standing.open_runs]
    assert ends == standing.recent
    assert ["failed", "newer", "cancelled"] == [run.run_id for run in standing.undetailed]
    assert at(-3600) == standing.horizon


def test_standing_during_a_transaction(writer: Writer) -> None:
    """Reading for a plan does not wait for a poll that writes."""
    observe(writer, make_run())

    with writer.transaction(WORKSPACE) as transaction:
        transaction.gone(["1"])
        standing = writer.standing(WORKSPACE, recent_since=at(0), undetailed=5)

    assert ["1"] == [run.run_id for run in standing.open_runs]


def test_two_writers(stores: Stores, writer: Writer) -> None:
    """Two collectors that see the same runs at the same time count each attempt once."""
    writers = (writer, stores.writer())
    runs = [make_run(make_attempt(), run_id=str(number)) for number in range(40)]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: observe(writers[number % 2], *runs[number // 4 * 4 :]), range(40)))

    assert 40 == finished_count(stores)


def test_workspaces_do_not_mix(stores: Stores, writer: Writer) -> None:
    """Equal ids in two workspaces are different runs, jobs and counters."""
    watch(writer, "staging")
    observe(writer, make_run(make_attempt()))

    observe(writer, make_run(make_attempt(result="FAILED"), job_id="8"), workspace="staging")

    assert "7" == known(writer, "1")["1"].job_id
    assert "8" == known(writer, "1", workspace="staging")["1"].job_id
    assert (1, 0) == (finished_count(stores), finished_count(stores, workspace="staging"))


def test_nothing_counts_before_counting_begins(stores: Stores) -> None:
    """What is recorded before then is history, even what ended after the look with which counting began."""
    writer = stores.writer()
    writer.register(WORKSPACE, host="", workspace_id="", now=at(-3600))
    observe(writer, make_run(make_attempt(ended=at(50)), history=True), compare=completion)

    with writer.transaction(WORKSPACE) as transaction:
        transaction.begin_counting(at(40))
    observe(writer, make_run(make_attempt(ended=at(50)), history=True))
    observe(writer, make_run(make_attempt(ended=at(51)), history=True, run_id="2"))

    assert at(50.001) == stores.reader().snapshot().workspaces[0].horizon
    assert 1 == finished_count(stores)


def test_register_again(stores: Stores, writer: Writer) -> None:
    """A workspace that is there keeps its horizon, its birth, and a host or id that is not given."""
    writer.register(WORKSPACE, host="", workspace_id="42", now=at(500))

    snapshot = stores.reader().snapshot()
    (workspace,) = snapshot.workspaces
    assert at(-3600) == snapshot.born == workspace.horizon
    assert ("https://dbc.example", "42") == (workspace.host, workspace.workspace_id)


@pytest.mark.parametrize(
    ("host", "workspace_id"), [("https://dbc.example", "43"), ("https://other.example", "")]
)
def test_another_workspace_under_the_name_is_refused(writer: Writer, host: str, workspace_id: str) -> None:
    """Its runs would be counted into the first one's counters."""
    with pytest.raises(
        ForeignWorkspaceError, match=r"holds workspace 'production' as https://dbc\.example \(id 42\)"
    ):
        writer.register(WORKSPACE, host=host, workspace_id=workspace_id, now=at(500))


def test_a_host_that_is_spelled_differently_is_the_same(writer: Writer) -> None:
    """Scheme, case and a slash at the end do not make another workspace."""
    writer.register(WORKSPACE, host="HTTPS://DBC.example/", workspace_id="", now=at(500))


def test_unknown_workspace(writer: Writer) -> None:
    """A workspace that was never registered is an error wherever it is used."""
    with (
        pytest.raises(StoreError, match=r"workspace elsewhere is not registered"),
        writer.transaction("elsewhere"),
    ):
        pass
    with pytest.raises(StoreError, match=r"workspace elsewhere is not registered"):
        writer.standing("elsewhere", recent_since=at(0), undetailed=1)


@pytest.mark.parametrize(
    ("holder", "now", "expected"),
    [("first", at(1), True), ("second", at(9), False), ("second", at(10), True)],
    ids=["renewed", "refused", "expired"],
)
def test_lease(writer: Writer, holder: str, now: datetime, expected: bool) -> None:
    """A lease is renewed by its holder, and taken by others once it has expired."""
    assert writer.lease(WORKSPACE, holder="first", now=at(0), until=at(10))

    taken = writer.lease(WORKSPACE, holder=holder, now=now, until=at(20))

    assert expected == taken
    assert not writer.lease(WORKSPACE, holder="third", now=at(9), until=at(20))


def test_release(stores: Stores, writer: Writer) -> None:
    """A released lease can be taken at once; somebody else's is not released with it."""
    watch(writer, "staging", since=0)
    writer.lease(WORKSPACE, holder="first", now=at(0), until=at(10))
    writer.lease("staging", holder="second", now=at(0), until=at(10))

    writer.release("first")

    other = stores.writer()
    assert other.lease(WORKSPACE, holder="third", now=at(1), until=at(10))
    assert not other.lease("staging", holder="third", now=at(1), until=at(10))


def test_one_takes_the_lease(stores: Stores, writer: Writer) -> None:
    """Of several collectors that ask at the same time one gets the workspace."""
    writers = (writer, stores.writer())

    with ThreadPoolExecutor(8) as threads:
        taken = threads.map(
            lambda number: writers[number % 2].lease(WORKSPACE, holder=str(number), now=at(0), until=at(9)),
            range(8),
        )

    assert 1 == sum(taken)


def test_an_unreadable_definition_deletes_nothing(stores: Stores, writer: Writer) -> None:
    """A list from which an item was set aside cannot say which jobs are gone."""
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({"7": (make_job(), Agreement())}, now=at(0))
        transaction.save_jobs({}, whole=False, now=at(10))

    (job,) = stores.reader().snapshot().workspaces[0].jobs
    assert job.deleted is None


def test_a_job_of_which_only_runs_were_seen_is_deleted_with_the_next_list(
    stores: Stores, writer: Writer
) -> None:
    """Created, run and deleted between two lists: its series end like those of others."""
    observe(writer, make_run(make_attempt(), job_id="7"), make_run(run_id="2", job_id="8"))

    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({}, now=at(100))

    deleted = {job.job_id: job.deleted for job in stores.reader().snapshot().workspaces[0].jobs}
    assert {"7": at(100), "8": None} == deleted


def test_a_job_that_no_list_shows_does_not_expire_while_it_runs(stores: Stores, writer: Writer) -> None:
    """Whoever may see its runs alone sees them from the first to the last: its deletion moves with its latest run."""
    observe(writer, make_run(make_attempt()))
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({}, now=at(100))
    observe(writer, make_run(run_id="2", started=at(200)))

    with writer.transaction(WORKSPACE) as transaction:
        first = transaction.save_jobs({}, now=at(300))
        second = transaction.save_jobs({}, now=at(400))

    (job,) = stores.reader().snapshot().workspaces[0].jobs
    assert (1, 0, at(300)) == (first, second, job.deleted)
