"""Pruning forgets what is old, and nothing that counts."""

from sqlalchemy import func, select

from collector.core.bill import bill
from collector.core.model import Collector, Measure
from collector.store.schema import attempts, polls, runs
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_run, make_usage
from tests.store.conftest import WORKSPACE, Stores, make_poll, observe


def held(stores: Stores) -> tuple[int, int, int]:
    """How many runs, attempts and polls there are."""
    with stores.engine().connect() as connection:
        first, second, third = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (runs, attempts, polls)
        )
    return first, second, third


def test_what_goes(stores: Stores, writer: Writer) -> None:
    """Closed runs go by the end of their last attempt, with their attempts; open and later ones stay."""
    early, late = make_attempt(ended=at(50)), make_attempt(started=at(100), ended=at(500))
    observe(writer, make_run(early, run_id="old"), make_run(late, run_id="later"))
    observe(writer, make_run(early, late, history=True, run_id="repaired"))
    observe(writer, make_run(early, history=True, active=True, run_id="in repair"), make_run(run_id="open"))

    pruned = writer.prune(WORKSPACE, before=at(200), polls_before=at(0))

    assert 1 == pruned
    assert (4, 4, 3) == held(stores)
    with writer.transaction(WORKSPACE) as transaction:
        assert {"later", "repaired", "in repair", "open"} == set(
            transaction.known(["old", "later", "repaired", "in repair", "open"])
        )


def test_forgotten_runs_go(stores: Stores, writer: Writer) -> None:
    """A run that Databricks forgot goes by the time when it last changed."""
    observe(writer, make_run(), now=100)
    with writer.transaction(WORKSPACE) as transaction:
        transaction.gone(["1"])

    assert 0 == writer.prune(WORKSPACE, before=at(100), polls_before=at(0))
    assert 1 == writer.prune(WORKSPACE, before=at(101), polls_before=at(0))


def test_polls_go(stores: Stores, writer: Writer) -> None:
    """Polls go by their start."""
    for second in (1, 2, 3):
        with writer.transaction(WORKSPACE) as transaction:
            transaction.record(make_poll(started=at(second)))

    writer.prune(WORKSPACE, before=at(-3600), polls_before=at(3))

    assert (0, 0, 1) == held(stores)


def test_horizon_never_falls(stores: Stores, writer: Writer) -> None:
    """The horizon rises to what was pruned, and stays when less is asked for."""
    revision = stores.reader().revision()
    writer.prune(WORKSPACE, before=at(200), polls_before=at(0))
    writer.prune(WORKSPACE, before=at(100), polls_before=at(0))

    snapshot = stores.reader().snapshot()
    assert at(200) == snapshot.workspaces[0].horizon
    assert revision + 1 == snapshot.revision


def test_counters_stay(stores: Stores, writer: Writer) -> None:
    """No counter changes when runs are pruned, nor when a pruned run comes back."""
    observe(writer, make_run(make_attempt(), history=True))
    before = stores.reader().snapshot().workspaces[0].counters

    writer.prune(WORKSPACE, before=at(1000), polls_before=at(1000))
    assert before == stores.reader().snapshot().workspaces[0].counters

    observe(writer, make_run(make_attempt(), history=True))

    assert (1, 1, 1) == held(stores)
    assert before == stores.reader().snapshot().workspaces[0].counters
    assert 1 == before[Measure.RUNS_FINISHED][0].value


def test_many_runs(stores: Stores, writer: Writer) -> None:
    """More runs than one batch takes all go."""
    observe(writer, *(make_run(make_attempt(), run_id=str(number)) for number in range(1201)))

    assert 1201 == writer.prune(WORKSPACE, before=at(61), polls_before=at(0))
    assert (0, 0, 1) == held(stores)


def test_collectors_out_of_the_configuration(stores: Stores, writer: Writer) -> None:
    """Without a warehouse nothing is left of what it was asked: no collector that is down, no source, no bill."""
    with writer.transaction(WORKSPACE) as transaction:
        for collector in (Collector.LIVE, Collector.SYSTEM_TABLES, Collector.BILLING):
            transaction.record(make_poll(collector=collector))
        transaction.save_source("usage", watermark=at(0))
        transaction.save_bill(bill([make_usage()], {}, at(0)))
    reader = stores.reader()
    (before,) = reader.snapshot().workspaces

    writer.keep(WORKSPACE, {Collector.LIVE, Collector.LOOKBACK})

    (after,) = reader.snapshot().workspaces
    assert before.bill
    assert (["live"], (), None) == (
        [state.collector for state in after.collectors],
        after.sources,
        after.bill,
    )


def test_collectors_in_the_configuration_stay(stores: Stores, writer: Writer) -> None:
    """A restart with the same configuration changes nothing."""
    with writer.transaction(WORKSPACE) as transaction:
        transaction.record(make_poll())
    revision = stores.reader().revision()

    writer.keep(WORKSPACE, set(Collector))

    assert revision == stores.reader().revision()
