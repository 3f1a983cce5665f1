"""A real Prometheus scrapes the exporter through a proxy that behaves as the one in front of a Databricks App."""

import json
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

import yaml

from simulator import Options, Simulator
from tests.deploy.files import blocks
from tests.deploy.servers import LOGIN, Gate, serving
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import configured, started, workspace
from tests.end_to_end.test_prometheus import asked
from tests.programs import program_named

PAGES = ("/", "/metrics", "/-/healthy", "/-/ready")


def scraping(gate: str, simulator: Simulator, **secrets: Path) -> dict[str, Any]:
    """What the README says, for this gate and with each of these secrets; plain HTTP, because nobody has a certificate."""
    written: dict[str, Any] = yaml.safe_load(blocks("yaml", "deploy", "databricks-app", "README.md")[-1])
    (scrape,) = written["scrape_configs"]
    assert "https" == scrape.pop("scheme")
    signed_in = scrape["oauth2"] | {
        "client_id": simulator.client_id,
        "token_url": f"{simulator.url}/oidc/v1/token",
    }
    changed = scrape | {"scrape_interval": "1s", "static_configs": [{"targets": [gate]}]}
    return {
        "scrape_configs": [
            changed | {"job_name": name, "oauth2": signed_in | {"client_secret_file": str(secret)}}
            for name, secret in secrets.items()
        ]
    }


@contextmanager
def prometheus(folder: Path, config: dict[str, Any]) -> Iterator[str]:
    """The address of the API of a Prometheus with this configuration."""
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    subprocess.run(
        [program_named("promtool"), "check", "config", "--syntax-only", file], check=True, capture_output=True
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = (
        f"--config.file={file}",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [program_named("prometheus"), *arguments], cwd=folder, stdout=log, stderr=log
        )
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.wait(30)


def targets(api: str) -> dict[str, tuple[str, str]]:
    """Health and last error of the target of each job, once it was scraped."""
    found = asked(api, "targets").get("activeTargets", [])
    return {
        each["labels"]["job"]: (each["health"], each["lastError"])
        for each in found
        if each["health"] != "unknown"
    }


class Stay(HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: object) -> None:
        """Nowhere."""


def answer(url: str, token: str = "") -> tuple[int, str]:
    """Status and place of an answer that is not followed."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with build_opener(Stay).open(Request(url, headers=headers), timeout=10) as given:
            return given.status, ""
    except HTTPError as error:
        with error:
            return error.code, error.headers.get("Location", "")


def test_prometheus_signs_in_and_scrapes(tmp_path: Path) -> None:
    """With the configuration of the README the series are there; with a wrong secret the target is down and says why."""
    options = Options(jobs=0, active_runs=0, history=timedelta(0))
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    wrong.write_text("planted-wrong-secret", encoding="utf-8")
    with Simulator(options) as simulator:
        right.write_text(simulator.client_secret, encoding="utf-8")
        job = simulator.control.create_job("orders")
        simulator.control.start("one", "orders")
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        with started(tmp_path, "run", "--config", config) as program:
            program.wait_for(1, "databricks_active_runs")
            with (
                serving(Gate(program.address, simulator.url)) as gate,
                prometheus(
                    tmp_path, scraping(f"127.0.0.1:{gate.server_port}", simulator, right=right, wrong=wrong)
                ) as api,
            ):
                wait_until(lambda: len(targets(api)) == 2, 30)
                scraped = targets(api)
                shown = asked(api, "query", query="databricks_job_active_runs")["result"]
                passed = set(gate.passed)

    assert ("up", "") == scraped["right"]
    assert "down" == scraped["wrong"][0]
    assert "invalid_client" in scraped["wrong"][1]
    assert [("right", str(job))] == [(each["metric"]["job"], each["metric"]["job_id"]) for each in shown]
    assert {"/api/metrics"} == passed


def test_a_token_opens_nothing_but_the_api(tmp_path: Path) -> None:
    """Why the page stands below /api/: people's pages redirect to the sign-in, with a token and without."""
    options = Options(jobs=0, active_runs=0, history=timedelta(0))
    with Simulator(options) as simulator:
        form = urlencode({"grant_type": "client_credentials", "scope": "all-apis"}).encode()
        basic = f"{simulator.client_id}:{simulator.client_secret}".encode()
        request = Request(
            f"{simulator.url}/oidc/v1/token",
            data=form,
            headers={"Authorization": f"Basic {b64encode(basic).decode()}"},
        )
        with urlopen(request, timeout=10) as given:
            token = json.load(given)["access_token"]
        with (
            started(tmp_path, "demo", "--jobs", 2, "--active-runs", 0, "--listen", "127.0.0.1:0") as program,
            serving(Gate(program.address, simulator.url)) as gate,
        ):
            program.wait_for(1, "databricks_exporter_collector_up", collector="live")
            url = f"http://127.0.0.1:{gate.server_port}"
            refused = {answer(url + path, each) for path in PAGES for each in ("", token)}
            refused |= {answer(f"{url}/api/metrics", each) for each in ("", "invented")}
            taken = answer(f"{url}/api/metrics", token)

    assert {(302, LOGIN)} == refused
    assert (200, "") == taken
