"""Every expression of every dashboard, run by a real Prometheus that scrapes the real demo as two replicas would be."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exporter.dashboards.links import Uid
from exporter.dashboards.promql import DECIDED
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import Program, started
from tests.end_to_end.test_prometheus import asked, prometheus
from tests.monitoring.boards import FILES, Query, annotations, board, filled, panels, queries, variables
from tests.programs import program_named

DERIVED = {"__rate_interval": "1m", "__range": "1h", "datasource": "prometheus", "exporter": ""}
CHOSEN = {"workspace": "demo", "team": ".*", "job": ".*"}
"""What Grafana fills in for one workspace and all of the rest."""
WELL_KNOWN_JOB = """\
topk(1, databricks_job_dbus_since_last_success
  and on (job_id) databricks_job_next_due_timestamp_seconds and on (job_id) databricks_job_budget_dbus
  and on (job_id) databricks_job_team_info and on (job_id) databricks_job_sla_seconds
  and on (job_id) databricks_job_list_cost and on (job_id) databricks_job_last_run_success and on (job_id) databricks_job_last_success_timestamp_seconds)
"""
"""A job of the demo with everything that a job can have."""
SLOW_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """A Prometheus that has scraped the demo for some seconds."""

    api: str
    job: str

    def values(self, board_uid: str) -> Mapping[str, str]:
        """What the dashboard's variables stand for."""
        return DERIVED | CHOSEN | ({"job": self.job, "host": ""} if board_uid == Uid.JOB else {})

    def answer(self, query: Query) -> list[Any]:
        """The series of an expression that carry a number; fails when Prometheus refuses it."""
        expr = filled(query.expr, self.values(query.board))
        if query.instant:
            found = asked(self.api, "query", query=expr)["result"]
            return [series for series in found if series["value"][1] != "NaN"]
        now = time.time()
        found = asked(self.api, "query_range", query=expr, start=now - 30, end=now, step=5)["result"]
        return [series for series in found if any(value != "NaN" for _, value in series["values"])]


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """The demo and its Prometheus, stopped after the last test."""
    program_named("prometheus")
    folder = tmp_path_factory.mktemp("monitored")
    with started(folder, "demo", "--active-runs", "150", "--listen", "127.0.0.1:0") as program:
        address = program.address.removeprefix("http://")
        with prometheus(folder, openmetrics=address, text=address) as api:
            wait_until(lambda: _is_lively(program), 30)
            # an attempt that ended while Prometheus looked: without one there is no ratio
            enough = f"sum by (job) (increase(databricks_run_duration_seconds_count{{{DECIDED}}}[1m])) > 0"
            wait_until(lambda: len(asked(api, "query", query=enough)["result"]) == 2, 30)
            found = asked(api, "query", query=WELL_KNOWN_JOB)["result"]
            yield Monitored(api=api, job=found[0]["metric"]["job_id"])


each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@each
def test_each_panel_shows_something_in_the_demo(monitored: Monitored, file: Path) -> None:
    """No panel is empty, and what the legend of a series names is a label that it has."""
    content = board(file)
    answers = {query: monitored.answer(query) for query in queries(content)}

    empty = [
        panel["title"]
        for panel in panels(content)
        # the first expression of a table makes its rows, the others add columns that some jobs lack
        if not answers[next(query for query in answers if query.panel == panel["title"])]
    ]
    nameless = [
        str(query)
        for query, series in answers.items()
        if series and not set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= {*series[0]["metric"], "team"}
    ]

    assert [] == empty
    assert [] == nameless


@each
def test_several_exporters_over_one_store_count_once(monitored: Monitored, file: Path) -> None:
    """Two scrapes of the same numbers give no expression twice as many series or an error."""
    answers = {query: monitored.answer(query) for query in queries(board(file))}
    twice = [
        str(query)
        for query, series in answers.items()
        if len(series) != len({_without_target(one["metric"]) for one in series})
        and "instance" not in query.legend
        and "version" not in query.legend
    ]

    assert [] == twice


@each
def test_annotations_are_understood(monitored: Monitored, file: Path) -> None:
    """Prometheus accepts the expression of each annotation; most of them rightly find nothing."""
    for query in annotations(board(file)):
        assert isinstance(monitored.answer(query), list)


@each
def test_no_expression_is_slow(monitored: Monitored, file: Path) -> None:
    """All expressions of a dashboard together take a moment."""
    began = time.monotonic()

    for query in queries(board(file)):
        monitored.answer(query)

    assert time.monotonic() - began < SLOW_S * 3


@each
def test_variables_offer_choices(monitored: Monitored, file: Path) -> None:
    """Each variable finds values in the demo; jobs are chosen by name and stand for their ids."""
    content = board(file)
    for name, variable in variables(content).items():
        if variable["type"] == "query":
            found = _choices(monitored, content["uid"], variable)
            assert found, name
            assert all(found), name
            if name == "job":
                assert monitored.job in found


def _choices(monitored: Monitored, uid: str, variable: Any) -> list[str]:
    """What Grafana makes of the query: the values of a label, or of the text of each series."""
    text = filled(variable["query"], monitored.values(uid))
    if expr := re.fullmatch(r"query_result\((.*)\)", text):
        pattern = variable["regex"].strip("/").replace("(?<", "(?P<")
        rows = [
            "{" + ",".join(f'{name}="{value}"' for name, value in sorted(series["metric"].items())) + "}"
            for series in asked(monitored.api, "query", query=expr[1])["result"]
        ]
        matches = [re.search(pattern, row) for row in rows]
        assert all(match and match["text"] for match in matches)
        return [match["value"] for match in matches if match]
    selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", text).groups()  # type: ignore[union-attr]  # fails
    series = asked(monitored.api, "series", **{"match[]": selector})
    return sorted({one[label] for one in series if one.get(label)})


def _is_lively(program: Program) -> bool:
    """True once runs, definitions, history and cost are there."""
    return all(
        program.value(name) is not None
        for name in (
            "databricks_job_dbus",
            "databricks_job_team_info",
            "databricks_job_last_run_success",
            "databricks_exporter_source_up",
        )
    )


def _without_target(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in labels.items() if name not in {"instance", "job"})
