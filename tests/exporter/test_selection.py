"""Which jobs have series of their own."""

import re

import pytest

from tests.exporter.snapshots import facts, snapshot, text, workspace

SALES = facts("1", "sales daily", definition={"tags": {"team": "sales", "tier": "1"}})
SALES_TEST = facts("2", "sales daily test", definition={"tags": {"team": "sales"}})
STOCK = facts("3", "stock hourly", definition={"tags": {"team": "stock"}})
UNKNOWN = facts("10", "seen only running", job=None)


def shown(**given: object) -> list[str]:
    """The ids of the jobs that the page shows."""
    page = text(snapshot(workspace(SALES, SALES_TEST, STOCK, UNKNOWN)), **given)  # type: ignore[arg-type]
    return re.findall(r'^databricks_job_info{.*job_id="(\d+)"', page, re.MULTILINE)


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ((), (), ["1", "2", "3", "10"]),
        (("sales.*",), (), ["1", "2"]),
        (("sales",), (), []),
        ((), (".* test",), ["1", "3", "10"]),
        (("tag:team=sales",), (), ["1", "2"]),
        (("tag:tier",), (), ["1"]),
        (("tag:tier=2",), (), []),
        (("stock hourly", "tag:tier"), (), ["1", "3"]),
        (("tag:team",), ("tag:team=sales",), ["3"]),
    ],
)
def test_selectors(include: tuple[str, ...], exclude: tuple[str, ...], expected: list[str]) -> None:
    """Whole names and tags select, any selector suffices, and exclusion is stronger."""
    assert expected == shown(include=include, exclude=exclude)


def test_budget_keeps_the_lowest_ids() -> None:
    """Beyond the budget the oldest jobs keep their series, whatever runs now."""
    assert ["1", "2", "3"] == shown(max_jobs=3)


def test_what_is_dropped_is_counted() -> None:
    """A missing job has an explanation on the same page."""
    jobs = workspace(SALES, SALES_TEST, STOCK, UNKNOWN)

    page = text(snapshot(jobs), exclude=("tag:team=stock",), max_jobs=1)

    assert 'databricks_exporter_series_dropped{reason="filter",workspace="prod"} 1.0' in page
    assert 'databricks_exporter_series_dropped{reason="max_jobs",workspace="prod"} 2.0' in page
