from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from collector.sources.connection import Connection
from collector.sources.jobs_api import JobsApi
from simulator import Control, Simulator
from tests.sources.workspace import connection_to, quiet, source_over


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
def make_source() -> Iterator[Callable[..., JobsApi]]:
    """Sources that are closed with the test."""
    with ExitStack() as stack:

        def make(connection: Connection, deadline: float = 30) -> JobsApi:
            source = source_over(connection, deadline)
            stack.callback(source.close)
            return source

        yield make


@pytest.fixture
def source(workspace: Simulator, make_source: Callable[..., JobsApi]) -> JobsApi:
    """Asks the workspace with a personal access token."""
    return make_source(connection_to(workspace.url))
