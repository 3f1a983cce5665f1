from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from simulator import Control, Options, Simulator

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def make_simulator() -> Iterator[Callable[..., Simulator]]:
    """Simulated workspaces whose clock stands still at START unless told otherwise; they stop with the test."""
    with ExitStack() as stack:

        def make(**options: object) -> Simulator:
            chosen = Options(**{"manual": True, "start": START, **options})
            return stack.enter_context(Simulator(chosen))

        yield make


@pytest.fixture
def quiet(make_simulator) -> Simulator:
    """A workspace in which nothing happens by itself."""
    return make_simulator(jobs=5, active_runs=0, history=timedelta(0))


@pytest.fixture
def lively(make_simulator) -> Simulator:
    """A workspace with everything in it, some hours into its life."""
    sim = make_simulator(jobs=40, active_runs=8, history=timedelta(hours=6), history_runs=100)
    sim.advance(timedelta(hours=2))
    return sim


@pytest.fixture
def control(quiet) -> Control:
    """Moves things in the quiet workspace."""
    return Control(quiet.url)
