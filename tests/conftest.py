"""Fixtures that more than one folder of tests uses."""

import pytest

from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Sizes: small by default, those that the design promises on request."""
    parser.addoption("--full", action="store_true", help="run at the sizes that the design promises")
