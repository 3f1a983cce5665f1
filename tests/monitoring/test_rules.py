"""The rules keep what they promise: promtool runs their tests, and they name only what the exporter serves."""

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.core.vocabulary import TERMINATION_CODES
from exporter.catalogue.own import ERRORS
from tests.monitoring.rules import (
    CASES,
    RULES,
    RUNBOOK,
    SERVED,
    TARGET_LABELS,
    alerts,
    asked,
    cases,
    content,
    grouped,
    recorded,
    rules,
)
from tests.monitoring.scrapes import scraped_more_often, values
from tests.programs import program_named

RUNBOOK_URL = (
    "https://github.com/databricks-jobs-exporter/databricks-jobs-exporter/blob/main/docs/runbook.md#{anchor}"
)
SEVERITIES = {"critical", "warning", "info"}
LEVELS = {
    "workspace_job_id": {"workspace", "job_id"},
    "workspace_collector": {"workspace", "collector"},
    "workspace": {"workspace"},
    "databricks": set[str](),
}
"""What the first part of a recorded name stands for."""
BY_MINUTES = [file for file in CASES if not re.search("cost|history", file.stem)]
"""Costs change once an hour, and histories look at records of every 15 minutes."""
SMALL = {"jobs_test", "capacity_test"}
HUMAN = ("humanizePercentage", "humanizeDuration", 'printf "%.', "{{ $value }}")

each_file = pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
each_alert = pytest.mark.parametrize(
    "alert", alerts(), ids=lambda alert: f"{alert['alert']}-{alert['labels']['severity']}"
)


def promtool(*arguments: str | Path) -> tuple[int, str]:
    """Its exit status and what it says."""
    done = subprocess.run(
        [program_named("promtool"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_promtool_has_no_remark_on_the_rules() -> None:
    """Syntax and names are as Prometheus wants them, and no rule is there twice."""
    status, said = promtool("check", "rules", *RULES)

    assert 0 == status, said
    assert "FAILED" not in said
    assert "duplicate" not in said


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_alerts_fire_stay_silent_and_resolve(file: Path) -> None:
    """Every case holds when the exporter is scraped once a minute."""
    status, said = promtool("test", "rules", file)

    assert 0 == status, said


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=() if file.stem in SMALL else pytest.mark.full) for file in BY_MINUTES],
    ids=lambda file: file.stem,
)
def test_alerts_are_the_same_when_scraped_every_15_seconds(file: Path, tmp_path: Path) -> None:
    """No case depends on how often the exporter is scraped."""
    given = content(file)
    given["tests"] = [scraped_more_often(case) for case in given["tests"]]
    given["rule_files"] = [str((file.parent / name).resolve()) for name in given["rule_files"]]
    often = tmp_path / file.name
    often.write_text(yaml.safe_dump(given, width=10**9), encoding="utf-8")

    status, said = promtool("test", "rules", often)

    assert 0 == status, said


def test_a_minute_becomes_four_scrapes() -> None:
    """A gauge keeps its value until the next minute, the time of the last look moves on, and gaps stay gaps."""
    gauge = {"series": "databricks_job_queued_runs", "values": "1 4x1 _ stale"}
    look = {
        "series": "databricks_exporter_collector_last_success_timestamp_seconds",
        "values": "0+60x1 _x1 300",
    }

    often = scraped_more_often({"interval": "1m", "input_series": [gauge, look]})["input_series"]

    gap = ["_"] * 4
    assert [1, 1, 1, 1, 4, 4, 4, 4, 4, 4, 4, 4, *gap, "stale", "_", "_", "_"] == values(often[0]["values"])
    assert [0, 15, 30, 45, 60, 60, 60, 60, *gap, 300, 300, 300, 300] == values(often[1]["values"])


@each_file
def test_rules_use_only_what_is_served_or_recorded(file: Path) -> None:
    """Each metric is in the catalogue or recorded by a rule, and is chosen by labels that it has."""
    known = SERVED | {name: LEVELS[name.partition(":")[0]] for name in recorded()}
    used = [
        item for group in content(file)["groups"] for rule in group["rules"] for item in asked(rule["expr"])
    ]

    assert set() == {item.metric for item in used} - known.keys()
    assert [] == [item for item in used if not item.labels <= known.get(item.metric, set()) | TARGET_LABELS]


@each_file
def test_rules_group_by_labels_that_there_are(file: Path) -> None:
    """What stands in by, on and group_left is a label of a metric in the same expression, or joined on purpose."""
    for group in content(file)["groups"]:
        for rule in group["rules"]:
            labels = {label for item in asked(rule["expr"]) for label in SERVED.get(item.metric, ())}
            joined = {"workspace", "job_id", "job_name", "team", "collector"}
            assert set() == grouped(rule["expr"]) - labels - joined, rule


@each_alert
def test_alert_tells_people_what_they_need(alert: Any) -> None:
    """Severity, summary without values, a description with units, and a heading of its own in the runbook."""
    notes = alert["annotations"]
    headings = re.findall(r"^### (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)

    assert alert["labels"]["severity"] in SEVERITIES
    assert alert["alert"].startswith("Databricks")
    assert "{{" not in notes["summary"]
    assert "{{" in notes["description"] or alert["alert"] == "DatabricksExporterAbsent"
    assert ("$value" not in notes["description"]) or any(word in notes["description"] for word in HUMAN)
    assert "%%" not in notes["description"]
    assert RUNBOOK_URL.format(anchor=alert["alert"].lower()) == notes["runbook_url"]
    assert alert["alert"] in headings


@each_alert
def test_alert_can_be_routed(alert: Any) -> None:
    """An alert about a job carries the workspace and the team; every other one that has a workspace shows it."""
    expr, about = alert["expr"], alert["annotations"]["description"]
    sources = [expr, *(recorded().get(item.metric, "") for item in asked(expr))]

    if "$labels.job_id" in about:
        assert any("group_left (job_name, team)" in source for source in sources)
    elif "$labels.instance" not in about and alert["alert"] != "DatabricksExporterAbsent":
        assert "$labels.workspace" in about


def test_runbook_is_about_the_alerts_that_there_are() -> None:
    """No heading is left over, and no alert is explained twice."""
    text = RUNBOOK.read_text(encoding="utf-8")
    headings = [
        name for name in re.findall(r"^### (\w+)$", text, re.MULTILINE) if name.startswith("Databricks")
    ]

    assert {alert["alert"] for alert in alerts()} == set(headings)
    assert len(set(headings)) == len(headings)


def test_runbook_explains_every_termination_code() -> None:
    """Whatever code a failed run shows, the runbook says what it means and what to do."""
    rows = set(re.findall(r"^\| `([A-Z_]+)` \|", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE))

    assert TERMINATION_CODES - {"SUCCESS"} == rows


def test_runbook_explains_every_reason_for_which_a_poll_fails() -> None:
    """Whatever reason a collector gives, the runbook says what to do."""
    rows = set(re.findall(r"^\| `([a-z]+)` \|", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE))

    assert set(ERRORS) == rows


def test_every_alert_has_cases_in_which_it_fires_stays_silent_and_resolves() -> None:
    """For each alert: a case in which it fires with its whole text, one that it ends, and one that begins without it."""
    fires: Counter[str] = Counter()
    resolves: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    for case in cases():
        looks: dict[str, list[bool]] = {}
        for look in case.get("alert_rule_test", ()):
            looks.setdefault(look["alertname"], []).append(bool(look["exp_alerts"]))
        for name, seen in looks.items():
            fires[name] += any(seen)
            silent[name] += not seen[0]
            resolves[name] += any(seen) and not seen[-1]
    names = {alert["alert"] for alert in alerts()}

    assert set() == names - (+fires).keys()
    assert set() == names - (+silent).keys()
    assert set() == names - (+resolves).keys()


def test_cases_have_series_as_the_exporter_shows_them() -> None:
    """Every series of a case is in the catalogue and has labels of its family only."""
    wrong = []
    for case in cases():
        for item in case["input_series"]:
            (series,) = asked(item["series"])
            if not series.labels <= SERVED.get(series.metric, set()) | TARGET_LABELS:
                wrong.append(item["series"])

    assert [] == wrong


def test_thresholds_stand_first_in_the_file_that_uses_them() -> None:
    """Each threshold is one line in the first group of its file, and is used there."""
    for file in RULES:
        first, *others = content(file)["groups"]
        here = [rule["record"] for rule in first["rules"] if rule["record"].endswith(":threshold")]
        used = {
            name
            for group in others
            for rule in group["rules"]
            for name in re.findall(r"scalar\((databricks:\w+:threshold)\)", rule["expr"])
        }

        assert sorted(used) == sorted(here), file.name


def test_every_record_is_used() -> None:
    """Nothing is recorded for nobody."""
    used = {item.metric for rule in rules() for item in asked(rule["expr"])}

    assert set() == recorded().keys() - used
