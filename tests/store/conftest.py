"""A store on either database, with everything that was opened on it closed at the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collector.core.count import Extent, increments
from collector.core.diff import change
from collector.core.model import Change, Collector, KnownRun, Poll, Run
from collector.store.engine import open_store
from collector.store.reader import Reader
from collector.store.schema import METADATA
from collector.store.writer import Writer
from tests.make import at
from tests.postgres import Cluster

WORKSPACE = "production"


@dataclass
class Stores:
    """Opens engines on one store and remembers to close them."""

    url: str
    engines: list[Engine] = field(default_factory=list)

    def engine(self, *, read_only: bool = False) -> Engine:
        engine = open_store(self.url, read_only=read_only)
        self.engines.append(engine)
        return engine

    def writer(self) -> Writer:
        """A writer with an engine of its own, as another process would have."""
        return Writer(self.engine())

    def reader(self, **given: Callable[[], float] | timedelta) -> Reader:
        """A reader that has read nothing yet."""
        return Reader(self.engine(read_only=True), **given)  # type: ignore[arg-type]

    def close(self) -> None:
        for engine in self.engines:
            engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """A place for a store on each of the two databases, where nothing was made yet."""
    on_sqlite = request.param == "sqlite"
    stores = Stores(
        f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("postgres_url")
    )
    yield stores
    stores.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """An empty store on each of the two databases."""
    on_sqlite = request.param == "sqlite"
    stores = Stores(f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("used_url"))
    yield stores
    stores.close()
    if not on_sqlite:
        request.getfixturevalue("postgres_cluster").execute(f"TRUNCATE {', '.join(METADATA.tables)}", "used")


@pytest.fixture(scope="session")
def used_url(postgres_cluster: Cluster) -> str:
    """The address of a store that tests use one after another: making it takes longer than emptying it."""
    postgres_cluster.execute("CREATE DATABASE used TEMPLATE template0")
    url = postgres_cluster.url("used")
    open_store(url).dispose()
    return url


@pytest.fixture
def sqlite_stores(tmp_path: Path) -> Iterator[Stores]:
    """A store on SQLite only."""
    stores = Stores(f"sqlite:///{tmp_path}/store.db")
    yield stores
    stores.close()


@pytest.fixture
def writer(stores: Stores) -> Writer:
    """A writer with one workspace, whose horizon is an hour before noon."""
    writer = stores.writer()
    watch(writer, host="https://dbc.example", workspace_id="42")
    return writer


def watch(
    writer: Writer,
    workspace: str = WORKSPACE,
    *,
    host: str = "",
    workspace_id: str = "",
    since: float = -3600,
) -> None:
    """The workspace is in the store and counting has begun."""
    writer.register(workspace, host=host, workspace_id=workspace_id, now=at(since))
    with writer.transaction(workspace) as transaction:
        transaction.begin_counting(at(since))


def observe(
    writer: Writer,
    *runs: Run,
    workspace: str = WORKSPACE,
    now: float = 100,
    compare: Callable[[KnownRun | None, Run, datetime], Change | None] = change,
) -> int:
    """One live poll that saw the runs, or with `completion` one pass over the system tables, as the collector does it;
    returns how many changed.
    """
    with writer.transaction(workspace) as transaction:
        known = transaction.known(run.run_id for run in runs)
        changes = [
            found for run in runs if (found := compare(known.get(run.run_id), run, transaction.horizon))
        ]
        transaction.save(changes, now=at(now))
        transaction.add(step for found in changes for step in increments(found, None, Extent()))
        transaction.record(make_poll(started=at(now), changed=len(changes)))
    return len(changes)


def make_poll(**given: object) -> Poll:
    """A successful live poll of one second."""
    fields: dict[str, object] = {
        "collector": Collector.LIVE,
        "started": at(100),
        "duration": timedelta(seconds=1),
        "interval": timedelta(seconds=5),
    }
    return Poll(**(fields | given))  # type: ignore[arg-type]
