"""A store in a temporary file, a simulated workspace in standing time, and the desks of its collectors."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from collector.billing import billing
from collector.core.agreement import Words
from collector.core.count import Extent
from collector.core.model import Collector, Measure, Poll, Standing
from collector.core.snapshot import WorkspaceSnapshot
from collector.definitions import definitions
from collector.desk import Desk, Memory, Terms
from collector.live import live
from collector.lookback import lookback
from collector.poll import execute
from collector.sources.budget import Budget
from collector.sources.client import Client
from collector.sources.connection import Connection
from collector.sources.jobs_api import JobsApi
from collector.sources.system_tables import SystemTables
from collector.store.engine import StoreError, open_store
from collector.store.reader import Reader
from collector.store.transaction import Transaction
from collector.store.writer import Writer
from collector.system_tables import system_tables
from simulator import Simulator
from simulator.api import WAREHOUSE_ID

NAME = "production"
POLLS = {
    Collector.LIVE: live,
    Collector.LOOKBACK: lookback,
    Collector.DEFINITIONS: definitions,
    Collector.SYSTEM_TABLES: system_tables,
    Collector.BILLING: billing,
}


class FailingWriter(Writer):
    """Fails at the end of as many transactions as it is told, so that nothing of them is kept."""

    failures = 0

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Transaction]:
        """One poll's reading and writing."""
        with super().transaction(workspace) as transaction:
            yield transaction
            if self.failures:
                self.failures -= 1
                raise StoreError("the disk is full")


class Office:
    """All that polls one simulated workspace."""

    def __init__(
        self, simulator: Simulator, folder: Path, *, url: str = "", rate: float = 1000, **terms: Any
    ) -> None:
        self.simulator = simulator
        self.engine = open_store(f"sqlite:///{folder}/store.db")
        self.writer = FailingWriter(self.engine)
        self.writer.register(NAME, host="", workspace_id="", now=simulator.now())
        self.memory = Memory()
        self.budget = Budget(rate)
        settings = {"host": url or simulator.url, "auth_type": "pat", "token": simulator.token}
        self.connection = Connection(lambda: settings, self.budget)
        self.progress: list[tuple[int, int]] = []
        self._sources: list[JobsApi] = []
        self._desks = {collector: self.desk(collector, **terms) for collector in Collector}

    def desk(self, collector: Collector, *, holder: str = "me", **terms: Any) -> Desk:
        """The desk of a collector, in other terms if wanted."""
        usual: dict[str, Any] = {
            "workspace": NAME,
            "collector": collector,
            "interval": timedelta(seconds=5),
            "deadline": timedelta(seconds=10),
            "lease": timedelta(seconds=10),
            "overlap": timedelta(minutes=10),
            "lookback": timedelta(hours=3),
            "most_lookups": 100,
            "history": timedelta(days=60),
            "discounts": {},
            "words": Words(sla_tag="sla_minutes"),
            "extent": Extent(),
        }
        source = JobsApi(Client(self.connection, first_pause=0.001))
        tables = SystemTables(self.connection, WAREHOUSE_ID, lambda: self.memory.workspace_id)
        self._sources.append(source)
        return Desk(
            terms=Terms(**(usual | terms)),
            source=source,
            tables=tables,
            writer=self.writer,
            memory=self.memory,
            holder=holder,
            now=self.simulator.now,
            progress=lambda done, total: self.progress.append((done, total)),
        )

    def poll(self, collector: Collector = Collector.LIVE, after: float = 5) -> Poll:
        """One poll, so many seconds after what happened before."""
        self.simulator.advance(timedelta(seconds=after))
        poll = execute(self._desks[collector], POLLS[collector])
        assert poll is not None
        return poll

    def snapshot(self) -> WorkspaceSnapshot:
        """What a reader sees of the workspace."""
        (workspace,) = Reader(self.engine).snapshot().workspaces
        return workspace

    def counted(self, measure: Measure) -> int:
        """The sum of the counters of a measure."""
        return sum(counter.value for counter in self.snapshot().counters.get(measure, ()))

    def standing(self) -> Standing:
        """What the next poll will plan from."""
        return self.writer.standing(
            NAME,
            recent_since=datetime.min.replace(year=2000, tzinfo=self.simulator.now().tzinfo),
            undetailed=1000,
        )

    def asked(self) -> dict[str, int]:
        """Requests to the API since the last call, by the end of their path, as the workspace counted them."""
        counted = self.simulator.control.requests(reset=True)["since_reset"]
        return {
            endpoint.partition("/jobs/")[2]: sum(codes.values())
            for endpoint, codes in counted.items()
            if " /api/" in endpoint
        }

    def close(self) -> None:
        """Nothing is left open."""
        for source in self._sources:
            source.close()
        self.engine.dispose()
