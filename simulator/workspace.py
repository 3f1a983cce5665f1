"""One simulated workspace behind one lock: world, activity, clock and everything that answers from them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from simulator.activity import Activity
from simulator.api import Api
from simulator.clock import Clock, instant, milliseconds
from simulator.credentials import Credentials
from simulator.faults import Faults
from simulator.ledger import Ledger
from simulator.options import Options
from simulator.paging import PageTokens
from simulator.runs import Run
from simulator.truth import truth
from simulator.warehouse.power import Power
from simulator.world import World

if TYPE_CHECKING:
    from simulator.warehouse.warehouse import Warehouse

LEAST_ID, MOST_ID = 2**54, 2**63


class Workspace:
    """Everything but HTTP. Whoever reads or changes the world does so inside `turn`."""

    def __init__(self, options: Options, url: str) -> None:
        self.options = options
        self.url = url
        self.clock = Clock(options.start, speed=options.speed, manual=options.manual)
        self.credentials = Credentials(options.tokens, options.clients, options.token_lifetime)
        self.faults = Faults(options.seed)
        self.ledger = Ledger()
        self.named: dict[str, Run] = {}
        """The runs that control started, by their name."""
        rng = self.rng = Random(options.seed)
        self.world = World(
            self.clock.start_ms - milliseconds(options.history), lambda: rng.randrange(LEAST_ID, MOST_ID)
        )
        self.activity = Activity(self.world, options, rng)
        self.activity.populate(self.clock.start_ms)
        self.power = Power(options.warehouse_start)
        self.api = Api(
            self.world,
            PageTokens(options.page_token_lifetime),
            url=url,
            workspace_id=options.workspace_id,
            hidden_states=options.hidden_states,
            power=self.power,
        )
        self._lock = threading.Lock()
        self._warehouse: Warehouse | None = None
        self._warehouse_lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[World]:
        """The world, brought up to the present; nobody else touches it meanwhile."""
        with self._lock:
            self.world.advance(self.clock.now_ms())
            yield self.world

    @property
    def warehouse(self) -> Warehouse:
        """What is behind the SQL warehouse; its tables are made when somebody first asks."""
        from simulator.warehouse.warehouse import Warehouse  # noqa: PLC0415  (its libraries are optional and large)

        with self._warehouse_lock:
            if self._warehouse is None:
                self._warehouse = Warehouse(self)
            return self._warehouse

    def close(self) -> None:
        """End what runs in the warehouse."""
        with self._warehouse_lock:
            if self._warehouse is not None:
                self._warehouse.close()

    def now(self) -> datetime:
        """Simulated time."""
        return instant(self.clock.now_ms())

    def advance(self, span: timedelta) -> None:
        """Move simulated time ahead and let happen what is due."""
        self.clock.advance(milliseconds(span))
        with self.turn():
            pass

    def truth(self, since_ms: int = 0, until_ms: int = 2**62) -> dict[str, Any]:
        """What really happened; see `simulator.truth`."""
        with self.turn() as world:
            return truth(world, since_ms, until_ms)
