"""The questions about system tables, asked of the simulated warehouse, and what its truth says."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from collector.core.vocabulary import TRIGGER_OF_RECORD
from collector.sources.fields import EPOCH
from collector.sources.system_tables import SystemTables
from simulator import Simulator
from simulator.api import WAREHOUSE_ID
from tests.sources.workspace import connection_to

T = TypeVar("T")

LOST = {
    "EXCLUDED": "SKIPPED",
    "UPSTREAM_CANCELED": "UPSTREAM_FAILED",
    "CONTINUOUS_RESTART": "CONTINUOUS",
}
"""Words of the Jobs API that the tables do not tell from another."""
EVER = (EPOCH, datetime(2100, 1, 1, tzinfo=EPOCH.tzinfo))


def tables_of(sim: Simulator, **given: Any) -> SystemTables:
    """Asks the simulated warehouse with a personal access token; tries again soon."""
    return SystemTables(
        connection_to(sim.url),
        **{"warehouse_id": WAREHOUSE_ID, "workspace_id": lambda: "4711", "first_pause": 0.01} | given,
    )


@contextmanager
def asking(sim: Simulator, seconds: float = 30, **given: Any) -> Iterator[SystemTables]:
    """The same in a session."""
    tables = tables_of(sim, **given)
    with tables.session(seconds):
        yield tables


def flat(batches: Iterable[Sequence[T]]) -> list[T]:
    """What is in the batches, none of which may be empty."""
    found = []
    for batch in batches:
        assert batch
        found += batch
    return found


def at(ms: int) -> datetime:
    """The instant of so many epoch milliseconds."""
    return EPOCH + timedelta(milliseconds=ms)


def word(text: str) -> str:
    """As the system tables let us know it."""
    return LOST.get(text, text)


def trigger_of(run: Any) -> str:
    """The trigger of a run of the simulated world, as the system tables let us know it."""
    return word(TRIGGER_OF_RECORD.get(run.trigger, run.trigger))
