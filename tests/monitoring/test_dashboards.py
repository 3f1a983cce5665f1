"""The dashboards keep what they promise without Grafana: they load, are described, and name only what is served."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.catalogue import FAMILIES
from exporter.catalogue.family import Kind
from exporter.dashboards.__main__ import main
from exporter.dashboards.links import TAG, Uid
from tests.monitoring.boards import (
    FILES,
    FOLDER,
    annotations,
    board,
    expressions,
    links,
    panels,
    queries,
    variables,
)

SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum"), Kind.SUMMARY: ("_count", "_sum")}
SERVED = {
    f"{family.name}{suffix}": {*family.labels, *(("le",) if suffix == "_bucket" else ())}
    for family in FAMILIES
    for suffix in SUFFIXES.get(family.kind, ("",))
}
"""What can be asked for, with its labels."""
ALSO_THERE = {
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
}
"""From the Prometheus client library and from Prometheus itself."""
TARGET_LABELS = {"instance", "job"}
WINDOWS = {"$__rate_interval", "$__range", "1h"}
EVERYWHERE = {"datasource", "workspace", "exporter"}

each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_files_in_the_project_are_current() -> None:
    """`make docs` was run after the last change of a dashboard."""
    assert 0 == main(["--check", str(FOLDER)])


def test_writes_what_then_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed, missing or left-over file fails the check, and writing again repairs all three."""
    folder = tmp_path / "dashboards"
    assert 0 == main([str(folder)])
    file = folder / f"{Uid.FLEET}.json"
    file.write_text("{}", encoding="utf-8")
    (folder / f"{Uid.JOB}.json").unlink()
    (folder / "old.json").write_text("{}", encoding="utf-8")

    before = main(["--check", str(folder)])
    main([str(folder)])

    assert 1 == before
    assert f"{folder} is out of date: run python -m exporter.dashboards {folder}\n" == capsys.readouterr().err
    assert 0 == main(["--check", str(folder)])


@each
def test_loads_through_the_model_of_the_sdk_without_loss(file: Path) -> None:
    """Reading a file into Grafana's own model and writing it again gives the same."""
    register_default_plugins()
    text = file.read_text(encoding="utf-8")

    again = json.loads(json.dumps(Dashboard.from_json(json.loads(text)), cls=JSONEncoder))

    assert json.loads(text) == again


def test_uids_are_those_that_links_rely_on() -> None:
    """Each dashboard has a uid of its own, which its file is named for."""
    shown = {file.stem: board(file)["uid"] for file in FILES}

    assert {uid.value: uid.value for uid in Uid} == shown


@each
def test_says_what_it_shows_and_in_which_unit(file: Path) -> None:
    """Each panel has a title of its own, a description and a unit; tables have a unit for each value."""
    content = board(file)
    shown = panels(content)
    titles = Counter(panel["title"] for panel in shown)

    assert content["description"]
    assert TAG in content["tags"]
    assert [] == [title for title, times in titles.items() if times > 1]
    assert [] == [panel["title"] for panel in shown if len(panel["description"]) < 20]
    assert [] == [panel["title"] for panel in shown if not panel["fieldConfig"]["defaults"].get("unit")]
    assert [] == [
        panel["title"]
        for panel in shown
        if panel["type"] == "table" and _units(panel) != len(panel["targets"])
    ]


@each
def test_panels_do_not_cover_each_other(file: Path) -> None:
    """Each cell of the grid belongs to one panel, and ids are unique."""
    everything = board(file)["panels"]
    cells = Counter(
        (x, y)
        for place in (panel["gridPos"] for panel in everything)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )

    assert {1} == set(cells.values())
    assert max(x for x, _ in cells) < 24
    assert len(everything) == len({panel["id"] for panel in everything})


@each
def test_any_data_source_will_do(file: Path) -> None:
    """Nothing but the variable names a data source."""
    found = set(re.findall(r'"datasource": \{[^}]*"uid": "([^"]*)"', file.read_text(encoding="utf-8")))

    assert {"${datasource}"} == found


@each
def test_has_the_variables_that_its_expressions_use(file: Path) -> None:
    """Data source, workspace and exporter can be chosen everywhere, and no expression uses what is not there."""
    content = board(file)
    known = variables(content).keys()
    used = {name for expr in expressions(content) for name in re.findall(r"\$\{?([a-z]\w*)", expr)}

    assert known >= EVERYWHERE
    assert set() == used - known


@each
def test_cost_looks_at_a_week_or_more(file: Path) -> None:
    """A range is as long as what is shown takes to change, and refreshing is never faster than a scrape."""
    content = board(file)
    days = {"m": 1 / 1440, "h": 1 / 24, "d": 1}
    number, unit = re.fullmatch(r"now-(\d+)([mhd])", content["time"]["from"]).groups()  # type: ignore[union-attr]  # fails

    assert int(number) * days[unit] >= (7 if content["uid"] == Uid.COST else 0.1)
    assert content["refresh"] in {"30s", "1m", "5m", "15m"}


@each
def test_links_lead_to_dashboards_that_exist(file: Path) -> None:
    """Links to dashboards name a uid of ours, and all others go to the exporter or into the workspace."""
    found = links(board(file))
    uids = {match[1] for url in found if (match := re.match(r"/d/([\w-]+)", url))}
    outside = {url for url in found if not url.startswith("/d/")}

    assert uids <= {uid.value for uid in Uid}
    assert uids
    assert {"${exporter}/", "${exporter}/docs"} <= outside
    assert all(re.match(r"\$\{(exporter|host|__data\.fields\.host)\}/", url) for url in outside)


@each
def test_windows_follow_the_scrape_interval(file: Path) -> None:
    """Ranges are those that Grafana derives, so that a scrape interval of a minute does not blind a panel."""
    found = {window for expr in expressions(board(file)) for window in re.findall(r"\[([^\]]+)\]", expr)}

    assert found <= WINDOWS


@each
def test_names_only_what_the_catalogue_declares(file: Path) -> None:
    """Each metric exists, and each label that is matched, grouped by or joined on is one that it can have."""
    for expr in expressions(board(file)):
        names = set(re.findall(r"\b(?:databricks|process|scrape|python)_\w+", expr))
        grouped = re.findall(r"\b(?:by|on|without|group_left|group_right|ignoring) \(([^)]*)\)", expr)

        assert set() == names - SERVED.keys() - ALSO_THERE, expr
        assert set() == _labels(grouped) - set().union(*SERVED.values()) - TARGET_LABELS, expr
        for name, matchers in re.findall(r"\b(databricks_\w+)\{([^}]*)\}", expr):
            # `team=~".*"` on a family without teams is meant: it fits as long as no team is chosen
            foreign = set(re.findall(r"(\w+)\s*[=!]", matchers)) - SERVED[name] - {"team"}
            assert set() == foreign, expr


@each
def test_no_counter_loses_series(file: Path) -> None:
    """The largest of what several exporters serve is taken for each full set of labels, before anything is added up."""
    for expr in expressions(board(file)):
        counted = r"max by \(([^)]*)\) \((?:increase|rate)\((databricks_\w+)\{([^}]*)\}"
        for by, name, matchers in re.findall(counted, expr):
            fixed = set(re.findall(r'(\w+)="[^$"]', matchers))
            assert SERVED[name] == _labels([by]) | fixed, expr
        bare = re.sub(r"max by \([^)]*\) \((?:increase|rate)\(databricks_", "", expr)
        assert not re.search(r"(?:increase|rate)\(databricks_", bare), expr


@each
def test_annotations_explain_gaps(file: Path) -> None:
    """Every dashboard marks the time without live data, and those about runs mark failures too."""
    names = {query.panel.removeprefix("annotation ") for query in annotations(board(file))}

    assert "No live data" in names
    if file.stem in {Uid.FLEET, Uid.JOB, Uid.FAILURES}:
        assert "Failed attempts" in names


def test_tables_ask_once_and_only_for_now() -> None:
    """Tables and single numbers are instant queries, so that a dashboard of ten thousand jobs stays quick."""
    found = [
        query
        for file in FILES
        for panel in panels(board(file))
        for query in queries({"uid": file.stem, "panels": [panel]})
        if query.instant != (panel["type"] in {"table", "stat"})
    ]

    assert [] == found


def _units(panel: Any) -> int:
    """For how many values of a table a unit is given."""
    overrides = panel["fieldConfig"]["overrides"]
    return sum(entry["id"] == "unit" for override in overrides for entry in override["properties"])


def _labels(lists: list[str]) -> set[str]:
    return {name.strip() for names in lists for name in names.split(",") if name.strip()}
