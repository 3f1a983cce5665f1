"""A real Prometheus scrapes the real program, in both formats."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from simulator import Options, Simulator
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import configured, started, workspace
from tests.programs import program_named

CONFIG = """\
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: openmetrics
    static_configs: [{{targets: ["{openmetrics}"]}}]
  - job_name: text
    static_configs: [{{targets: ["{text}"]}}]
"""


class TextOnly(BaseHTTPRequestHandler):
    """Passes scrapes on as those of a scraper that knows the text format only, and remembers what came back."""

    server: "Proxy"

    def do_GET(self) -> None:
        """The target's answer."""
        with urlopen(Request(self.server.target + self.path, headers={"Accept": "text/plain"})) as answer:
            kind, body = answer.headers["Content-Type"], answer.read()
        self.server.kinds.add(kind)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Proxy(ThreadingHTTPServer):
    """Stands between Prometheus, which prefers OpenMetrics, and the exporter."""

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), TextOnly)
        self.target = target
        self.kinds: set[str] = set()


@contextmanager
def text_only(target: str) -> Iterator[Proxy]:
    """A proxy in front of the target."""
    with Proxy(target) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


@contextmanager
def prometheus(folder: Path, template: str = CONFIG, *flags: str, **targets: str) -> Iterator[str]:
    """The address of a Prometheus that scrapes the targets, every second unless the template says otherwise."""
    config = folder / "prometheus.yml"
    config.write_text(template.format(**targets), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program_named("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{port}",
                "--enable-feature=exemplar-storage",
                *flags,
            ],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.wait(30)


def asked(api: str, path: str, **query: object) -> Any:
    """The data of an answer; nothing while Prometheus does not answer yet."""
    try:
        with urlopen(f"{api}/{path}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)["data"]
    except URLError:
        return {"result": []}


def by_job(api: str, query: str) -> dict[str, str]:
    """The value of an instant query for each of the two scrapes."""
    return {item["metric"]["job"]: item["value"][1] for item in asked(api, "query", query=query)["result"]}


def test_prometheus_scrapes_both_formats(tmp_path: Path) -> None:
    """Both targets are up, a counter and the histogram have the right values, and exemplars carry run ids."""
    program_named("prometheus")
    options = Options(jobs=0, active_runs=0, history=timedelta(0))
    with Simulator(options) as simulator:
        control = simulator.control
        job = control.create_job("orders", max_concurrent_runs=10)
        runs = {str(control.start(name, "orders")["run_id"]) for name in ("one", "two", "three")}
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        with started(tmp_path, "run", "--config", config) as program:
            program.wait_for(3, "databricks_active_runs")
            for name in ("one", "two", "three"):
                control.finish(name, "FAILED")
            program.wait_for(3, "databricks_job_runs_finished_total", result="FAILED")
            target = program.address
            with (
                text_only(target) as proxy,
                prometheus(
                    tmp_path,
                    openmetrics=target.removeprefix("http://"),
                    text=f"127.0.0.1:{proxy.server_port}",
                ) as api,
            ):
                counter = (
                    f'sum by (job) (databricks_job_runs_finished_total{{job_id="{job}",result="FAILED"}})'
                )
                buckets = (
                    'sum by (job) (databricks_run_duration_seconds_bucket{result="FAILED",le=~"30(\\\\.0)?"})'
                )
                both = {"openmetrics": "3", "text": "3"}
                wait_until(lambda: by_job(api, counter) == both, 30)
                up, histogram = by_job(api, "up"), by_job(api, buckets)
                exemplars = asked(
                    api,
                    "query_exemplars",
                    query='{__name__=~"databricks_.*",job="openmetrics"}',
                    start=time.time() - 3600,
                    end=time.time() + 3600,
                )
                pools = asked(api, "targets")["activeTargets"]
                kinds = proxy.kinds

    shown = {example["labels"]["run_id"] for series in exemplars for example in series["exemplars"]}
    assert {"openmetrics": "1", "text": "1"} == up
    assert both == histogram
    assert {""} == {pool["lastError"] for pool in pools}
    assert {"text/plain; version=0.0.4; charset=utf-8"} == kinds
    assert shown
    assert shown <= runs


def test_promtool_has_no_remark_on_the_page_of_the_demo(tmp_path: Path) -> None:
    """`promtool check metrics` accepts the live page in silence."""
    promtool = program_named("promtool")
    with started(tmp_path, "demo", "--listen", "127.0.0.1:0") as program:
        program.wait_for(1, "databricks_exporter_collector_up", collector="live")
        page = program.get("/metrics")[1]

    checked = subprocess.run(
        [promtool, "check", "metrics"], input=page, text=True, capture_output=True, check=False
    )

    assert "databricks_job_info" in page
    assert (0, "", "") == (checked.returncode, checked.stdout, checked.stderr)
