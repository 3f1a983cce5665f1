"""Connects to the simulated warehouse with the unmodified connector."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from databricks import sql

from simulator import Simulator
from simulator.api import WAREHOUSE_ID

PATH = f"/sql/1.0/warehouses/{WAREHOUSE_ID}"


@contextmanager
def connected(sim: Simulator, *, path: str = PATH, token: str = "", **options: Any) -> Iterator[Any]:
    """A connection with short retries; it is closed at the end."""
    retries = {
        "_retry_delay_min": 0.1,
        "_retry_delay_max": 5,
        "_retry_stop_after_attempts_count": 1,
        "_retry_stop_after_attempts_duration": 1,
    }
    connection = sql.connect(
        server_hostname=sim.url,
        http_path=path,
        _connection_uri=sim.url + path,
        access_token=token or sim.token,
        enable_telemetry=False,
        **retries | options,
    )
    with connection:
        yield connection


def rows(sim: Simulator, statement: str, parameters: Any = None, **options: Any) -> list[Any]:
    """All rows of one statement in a session of its own."""
    with connected(sim, **options) as connection, connection.cursor() as cursor:
        return cursor.execute(statement, parameters).fetchall()
