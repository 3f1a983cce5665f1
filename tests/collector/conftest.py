from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulator import Control, Simulator
from tests.collector.desks import Office
from tests.sources.workspace import quiet


@pytest.fixture
def workspace() -> Iterator[Simulator]:
    """A workspace with one job, in which nothing happens by itself."""
    with Simulator(quiet()) as simulator:
        simulator.control.create_job("orders")
        yield simulator


@pytest.fixture
def control(workspace: Simulator) -> Control:
    """Moves things in the workspace."""
    return workspace.control


@pytest.fixture
def make_office(workspace: Simulator, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Collectors of the workspace over a store; they are closed with the test."""
    with ExitStack() as stack:

        def make(**given: object) -> Office:
            office = Office(workspace, tmp_path, **given)
            stack.callback(office.close)
            return office

        yield make


@pytest.fixture
def office(make_office: Callable[..., Office]) -> Office:
    """The collectors of the workspace, before their first poll."""
    return make_office()
