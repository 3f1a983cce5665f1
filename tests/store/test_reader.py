"""What a reader shows: the whole store at one moment, the same however often it looked before."""

import shutil
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, Select, Table, select, text

from collector.core.model import Agreement, Increment, Measure
from collector.core.snapshot import ActiveRun, CollectorState, Snapshot
from collector.store.instants import EPOCH
from collector.store.schema import METADATA
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_job, make_run
from tests.store.conftest import WORKSPACE, Stores, make_poll, observe, watch
from tests.store.story import World

HOUR = 3600.0


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with one workspace, for copying."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    stores = Stores(f"sqlite:///{path}")
    stores.writer().register(WORKSPACE, host="", workspace_id="", now=at(0))
    stores.close()
    return path


def test_nothing_registered(new_stores: Stores) -> None:
    """A store without workspaces is an empty snapshot."""
    new_stores.engine()

    snapshot = new_stores.reader().snapshot()

    assert (0, EPOCH, ()) == (snapshot.revision, snapshot.born, snapshot.workspaces)


def test_active_runs(stores: Stores, writer: Writer) -> None:
    """Active runs are shown as observed, oldest first, one-time runs among them."""
    observe(
        writer,
        make_run(run_id="2", started=at(20), state="QUEUED", queue_reason="MAX_CONCURRENT_RUNS_REACHED"),
        make_run(run_id="1", started=at(30), run_type="SUBMIT_RUN", job_id="99", url="https://run/1"),
        make_run(make_attempt(), run_id="3"),
    )

    first = ActiveRun(
        run_id="2",
        job_id="7",
        run_type="JOB_RUN",
        trigger="PERIODIC",
        name="orders",
        url="",
        state="QUEUED",
        queue_reason="MAX_CONCURRENT_RUNS_REACHED",
        started=at(20),
    )
    found = stores.reader().snapshot().workspaces[0].active_runs
    assert first == found[0]
    assert ["2", "1"] == [run.run_id for run in found]


def test_collectors(stores: Stores, writer: Writer) -> None:
    """A collector that never succeeded has no last success."""
    with writer.transaction(WORKSPACE) as transaction:
        transaction.record(
            make_poll(started=at(10), error="refused", message="403", duration=timedelta(seconds=3))
        )

    expected = CollectorState(
        collector="live",
        interval=timedelta(seconds=5),
        last_start=at(10),
        last_duration=timedelta(seconds=3),
        last_success=None,
        error="refused",
        message="403",
    )
    assert (expected,) == stores.reader().snapshot().workspaces[0].collectors


def test_order(stores: Stores, writer: Writer) -> None:
    """Jobs and their counters come in the order of their ids as numbers, whenever they were born."""
    reader = stores.reader()
    for job_id in ("100", "9", "20"):
        with writer.transaction(WORKSPACE) as transaction:
            transaction.save_jobs({job_id: (make_job(job_id=job_id), Agreement())}, now=at(0))
            transaction.add([Increment(measure=Measure.DURATION_COUNT, job_id=job_id, amount=1)])
        reader.snapshot()

    (workspace,) = reader.snapshot().workspaces
    assert ["9", "20", "100"] == [job.job_id for job in workspace.jobs]
    assert ["9", "20", "100"] == [counter.job_id for counter in workspace.counters[Measure.DURATION_COUNT]]


def test_name_of_the_definition(stores: Stores, writer: Writer) -> None:
    """A job is named by its definition, and by its latest run only without one."""
    observe(writer, make_run(name="orders of old"))
    assert "orders of old" == stores.reader().snapshot().workspaces[0].jobs[0].name

    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({"7": (make_job(name="orders"), Agreement())}, now=at(0))

    assert "orders" == stores.reader().snapshot().workspaces[0].jobs[0].name


def test_deleted_jobs_expire(stores: Stores, writer: Writer) -> None:
    """A deleted job stays a day of collected time, then goes with its counters, and comes back with them."""
    reader = stores.reader()

    def poll(day: float, *job_ids: str) -> Snapshot:
        with writer.transaction(WORKSPACE) as transaction:
            transaction.save_jobs(
                {job_id: (make_job(job_id=job_id), Agreement()) for job_id in job_ids}, now=at(day * 86400)
            )
            transaction.record(make_poll(started=at(day * 86400)))
        return reader.snapshot()

    observe(writer, make_run(make_attempt()), make_run(make_attempt(), run_id="2", job_id="8"), now=0)
    first = poll(0, "7", "8").workspaces[0]
    poll(1, "8")

    kept = poll(1.9, "8").workspaces[0]
    expired = poll(2, "8").workspaces[0]
    returned = poll(3, "7", "8").workspaces[0]

    assert ["7", "8"] == [job.job_id for job in kept.jobs]
    assert at(86400) == kept.jobs[0].deleted
    assert ["8"] == [job.job_id for job in expired.jobs]
    assert ["8"] == [counter.job_id for counter in expired.counters[Measure.RUNS_FINISHED]]
    assert first.counters == returned.counters
    assert [job.job_id for job in first.jobs] == [job.job_id for job in returned.jobs]
    assert [at(0), at(3 * 86400)] == [first.jobs[0].defined, returned.jobs[0].defined]


def test_no_expiry_without_polls(stores: Stores, writer: Writer) -> None:
    """While nothing is collected the snapshot stays what it is."""
    reader = stores.reader(expire_after=timedelta(0))
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({"7": (make_job(), Agreement())}, now=at(0))
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_jobs({}, now=at(10))

    assert ["7"] == [job.job_id for job in reader.snapshot().workspaces[0].jobs]


def test_size(stores: Stores, writer: Writer) -> None:
    """Rows and bytes are measured at the first look and a minute later, not at every look."""
    times = iter((0.0, 0.0, 59.9, 60.0, 60.0))
    reader = stores.reader(clock=lambda: next(times))
    first = reader.snapshot()
    observe(writer, make_run())

    second, third = reader.snapshot(), reader.snapshot()

    assert (0, 0, 1) == (first.rows["runs"], second.rows["runs"], third.rows["runs"])
    assert METADATA.tables.keys() == first.rows.keys()
    assert 50_000 < first.size_bytes < 50_000_000


def test_revision(stores: Stores, writer: Writer) -> None:
    """Every commit raises the revision by the same in question and snapshot; housekeeping without effect does not."""
    reader = stores.reader()
    seen = [reader.revision()]
    for _ in range(2):
        observe(writer, make_run())
        seen.append(reader.revision())

    writer.refresh_statistics(WORKSPACE, now=at(0))
    writer.lease(WORKSPACE, holder="me", now=at(0), until=at(9))

    assert [2, 3, 4] == seen
    assert 4 == reader.revision() == reader.snapshot().revision


def test_unknown_measure(stores: Stores, writer: Writer) -> None:
    """A counter of a measure that this program does not know is passed over."""
    observe(writer, make_run(make_attempt()))
    with stores.engine().begin() as connection:
        connection.execute(
            text("UPDATE counters SET measure = 'of_tomorrow' WHERE measure = 'runs_finished'")
        )

    counters = stores.reader().snapshot().workspaces[0].counters

    assert Measure.RUNS_STARTED in counters
    assert Measure.RUNS_FINISHED not in counters


def test_replaced_store(tmp_path: Path, empty_store: Path, sqlite_stores: Stores) -> None:
    """A reader notices that another store took the place of the one it read."""
    writer = sqlite_stores.writer()
    watch(writer, since=-9)
    observe(writer, make_run(make_attempt()))
    reader = sqlite_stores.reader()
    reader.snapshot()
    sqlite_stores.engines[0].dispose()
    for leftover in tmp_path.glob("store.db*"):
        leftover.unlink()
    shutil.copy(empty_store, tmp_path / "store.db")

    found = reader.snapshot()

    assert sqlite_stores.reader().snapshot() == found
    assert ({}, ()) == (found.workspaces[0].counters, found.workspaces[0].jobs)


@settings(deadline=None, max_examples=20)
@given(random=st.randoms(use_true_random=False), steps=st.integers(1, 15))
def test_often_is_rarely(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, random: Random, steps: int
) -> None:
    """A reader that looked all the time and one that looks for the first time see the same."""
    path = tmp_path_factory.mktemp("story") / "store.db"
    shutil.copy(empty_store, path)
    stores = Stores(f"sqlite:///{path}")
    writer, reader = stores.writer(), stores.reader(expire_after=timedelta(hours=5), clock=lambda: 0.0)
    world = World(random)
    for _ in range(steps):
        world.live(writer)
        if random.random() < 0.6:
            reader.snapshot()

    often, rarely = reader.snapshot(), stores.reader(expire_after=timedelta(hours=5)).snapshot()
    stores.close()

    assert rarely.workspaces == often.workspaces
    assert [list(found.counters) for found in rarely.workspaces] == [
        list(found.counters) for found in often.workspaces
    ]
    assert rarely.revision == often.revision


def test_same_in_both_databases(tmp_path: Path, postgres_url: str) -> None:
    """The same story leaves the same rows and the same snapshot in SQLite and in PostgreSQL."""
    told: list[tuple[Snapshot, dict[str, list[tuple[object, ...]]]]] = []
    for url in (f"sqlite:///{tmp_path}/store.db", postgres_url):
        stores = Stores(url)
        writer = stores.writer()
        watch(writer, since=0)
        world = World(Random(7))
        for _ in range(80):
            world.live(writer)
        told.append((stores.reader().snapshot(), contents(stores)))
        stores.close()

    (on_sqlite, sqlite_rows), (on_postgresql, postgresql_rows) = told
    assert sqlite_rows == postgresql_rows
    assert on_sqlite.workspaces == on_postgresql.workspaces
    assert on_sqlite.rows == on_postgresql.rows
    assert all(sqlite_rows[table] for table in METADATA.tables)


def contents(stores: Stores) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table as plain values; the numbers of polls mean nothing."""
    found = MetaData()
    with stores.engine().connect() as connection:
        found.reflect(connection, only=list(METADATA.tables))
        return {
            name: sorted((tuple(row) for row in connection.execute(_without_id(table))), key=repr)
            for name, table in found.tables.items()
        }


def _without_id(table: Table) -> Select[Any]:
    return select(*(column for column in table.columns if (table.name, column.name) != ("polls", "id")))
