"""The example for Alertmanager: valid, routes by team and severity, and keeps what follows quiet."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.end_to_end.collecting import wait_until
from tests.monitoring.rules import PROJECT, alerts, content
from tests.programs import program_named

CONFIG = PROJECT / "monitoring" / "alertmanager.yml"
SEVERITY = {alert["alert"]: alert["labels"]["severity"] for alert in alerts()}


def amtool(*arguments: str) -> tuple[int, str]:
    """Its exit status and what it prints."""
    done = subprocess.run(
        [program_named("amtool"), *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout


@contextmanager
def alertmanager(folder: Path, config: Path = CONFIG) -> Iterator[str]:
    """The address of the API of an Alertmanager with the example as it is, or with another file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program_named("prometheus-alertmanager"),
                f"--config.file={config}",
                f"--storage.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        api = f"http://127.0.0.1:{port}/api/v2"
        wait_until(lambda: asked(f"{api}/status") is not None, 30)
        yield api
    finally:
        process.terminate()
        process.wait(30)


def asked(url: str, body: object = None) -> Any:
    """What it answers; None while it does not."""
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urlopen(
            Request(url, data=data, headers={"Content-Type": "application/json"}), timeout=10
        ) as answer:
            return json.loads(answer.read() or b"[]")
    except URLError:
        return None


def alert(name: str, **labels: str) -> Mapping[str, Any]:
    """An alert as Prometheus sends it."""
    return {"labels": {"alertname": name, "severity": SEVERITY[name], "workspace": "prod"} | labels}


def test_amtool_has_no_remark() -> None:
    """The example is valid as it stands."""
    status, said = amtool("check-config", str(CONFIG))

    assert 0 == status, said


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        (
            "team-data-on-call",
            {"alertname": "DatabricksJobSlaBreached", "severity": "critical", "team": "data"},
        ),
        ("team-data", {"alertname": "DatabricksJobNotStarted", "severity": "warning", "team": "data"}),
        ("on-call", {"alertname": "DatabricksJobSlaBreached", "severity": "critical", "team": "unheard of"}),
        ("on-call", {"alertname": "DatabricksJobSlaBreached", "severity": "critical"}),
        ("platform", {"alertname": "DatabricksJobNotStarted", "severity": "warning"}),
        ("digest", {"alertname": "DatabricksJobFailing", "severity": "info", "team": "data"}),
        ("digest", {"alertname": "DatabricksJobSlaBreached", "severity": "critical", "workspace": "dev-1"}),
        ("on-call", {"alertname": "DatabricksExporterAbsent", "severity": "critical", "workspace": ""}),
        ("on-call", {"alertname": "DatabricksCollectorStale", "severity": "critical", "workspace": "dev-1"}),
        ("platform", {"alertname": "DatabricksTableNotGranted", "severity": "warning"}),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(filter(None, given.values())),
)
def test_alert_reaches_those_whom_it_concerns(receiver: str, labels: Mapping[str, str]) -> None:
    """Teams hear of their jobs, the platform of the rest and of the exporter, and nobody is woken by development."""
    given = [f"{name}={value}" for name, value in ({"workspace": "prod"} | labels).items()]

    status, said = amtool("config", "routes", "test", f"--config.file={CONFIG}", *given)

    assert (0, receiver) == (status, said.strip())


def test_what_follows_is_kept_quiet(tmp_path: Path) -> None:
    """Of a job only the worst is said, a common cause silences the single jobs, other workspaces and jobs go on."""
    given = [
        alert("DatabricksFailureBurst"),
        alert("DatabricksJobFailing", job_id="1"),
        alert("DatabricksJobFailingRepeatedly", job_id="1"),
        alert("DatabricksJobFailing", job_id="1", workspace="lab"),
        alert("DatabricksJobSlaBreached", job_id="2"),
        alert("DatabricksJobSlaAtRisk", job_id="2"),
        alert("DatabricksJobSlow", job_id="2"),
        alert("DatabricksJobSlow", job_id="3"),
        alert("DatabricksJobNotStarted", job_id="3"),
        alert("DatabricksJobBudgetExceeded", job_id="4"),
        alert("DatabricksJobBudgetAtRisk", job_id="4"),
        alert("DatabricksWorkspaceRunLimitReached"),
        alert("DatabricksJobQueuedTooLong", job_id="5"),
        alert("DatabricksRightMissing", collector="definitions"),
        alert("DatabricksCollectorDown", collector="definitions"),
        alert("DatabricksCollectorDown", collector="lookback"),
    ]

    with alertmanager(tmp_path) as api:
        asked(f"{api}/alerts", given)
        wait_until(lambda: len(asked(f"{api}/alerts")) == len(given), 10)
        held = asked(f"{api}/alerts")
        asked(
            f"{api}/alerts", [{"labels": {"alertname": "DatabricksExporterAbsent", "severity": "critical"}}]
        )
        wait_until(lambda: len(asked(f"{api}/alerts?inhibited=false")) == 1, 10)
        blind = asked(f"{api}/alerts?inhibited=false")

    quiet = {
        (item["labels"]["alertname"], item["labels"].get("job_id") or item["labels"].get("collector"))
        for item in held
        if item["status"]["inhibitedBy"]
    }
    assert {
        ("DatabricksJobFailing", "1"),
        ("DatabricksJobFailingRepeatedly", "1"),
        ("DatabricksJobSlaAtRisk", "2"),
        ("DatabricksJobSlow", "2"),
        ("DatabricksJobBudgetAtRisk", "4"),
        ("DatabricksJobQueuedTooLong", "5"),
        ("DatabricksCollectorDown", "definitions"),
    } == quiet
    assert [[]] == [item["status"]["inhibitedBy"] for item in held if item["labels"]["workspace"] == "lab"]
    assert ["DatabricksExporterAbsent"] == [item["labels"]["alertname"] for item in blind]


def test_only_alerts_that_there_are_are_named() -> None:
    """No route or inhibition waits for an alert that nothing sends."""
    text = CONFIG.read_text(encoding="utf-8")
    names = set(re.findall(r"\bDatabricks[A-Z]\w+", text))

    assert set() == names - SEVERITY.keys()
    assert {route["name"] for route in content(CONFIG)["receivers"]} >= set(
        re.findall(r"receiver: ([\w-]+)", text)
    )
