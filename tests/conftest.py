"""Fixtures that more than one folder of tests uses."""

import logging

import pytest

from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]

# The connector tells every message on the wire below that, which buries what a failing test has to say.
logging.getLogger("databricks.sql").setLevel(logging.WARNING)
logging.getLogger("databricks.sql.unsafe").disabled = True  # it sets its own level when it is loaded


def pytest_addoption(parser: pytest.Parser) -> None:
    """Sizes: small by default, those that the design promises on request."""
    parser.addoption("--full", action="store_true", help="run at the sizes that the design promises")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `full` runs with `--full` only, as in CI: the rest makes its promise at a smaller size."""
    if config.getoption("--full"):
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("full")])
    items[:] = [item for item in items if not item.get_closest_marker("full")]
