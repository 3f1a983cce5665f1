"""A real Prometheus evaluates all rules over what two exporters of one store show."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.end_to_end.collecting import wait_until
from tests.end_to_end.test_prometheus import asked, prometheus
from tests.exporter.snapshots import rich, text
from tests.monitoring.rules import RULES
from tests.programs import program_named

CONFIG = """\
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
  evaluation_interval: 500ms
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: databricks
    static_configs: [{{targets: ["{one}", "{other}"]}}]
"""
PER_EXPORTER = {"DatabricksStoreUnreadable", "DatabricksDemoData"}


class Page(BaseHTTPRequestHandler):
    """The same page for everybody."""

    def do_GET(self) -> None:
        """Two workspaces, with deleted, unnamed and awkwardly named jobs."""
        body = text(rich(), datetime.now(UTC), stale_after=timedelta(days=10_000), demo=True).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def page() -> Iterator[int]:
    """The port at which it is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def number(api: str, query: str) -> str:
    """The one value of a query; empty without one."""
    return next((item["value"][1] for item in asked(api, "query", query=query)["result"]), "")


def oldest_evaluation(api: str) -> datetime:
    """When the group that was evaluated longest ago was."""
    return min(datetime.fromisoformat(group["lastEvaluation"]) for group in asked(api, "rules")["groups"])


def test_two_exporters_of_one_store_make_one_alert_each(tmp_path: Path) -> None:
    """No rule fails because two series match one, and no alert about a job is there twice or names an exporter."""
    program_named("prometheus")
    (tmp_path / "rules").mkdir()
    for file in RULES:
        often = re.sub(r"^    interval: \w+\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        (tmp_path / "rules" / file.name).write_text(often, encoding="utf-8")

    with (
        page() as port,
        prometheus(tmp_path, CONFIG, one=f"127.0.0.1:{port}", other=f"localhost:{port}") as api,
    ):
        wait_until(lambda: number(api, "count(databricks_exporter_build_info)") == "2", 30)
        seen = datetime.now(UTC) + timedelta(seconds=1)
        wait_until(lambda: oldest_evaluation(api) > seen, 30)
        groups = asked(api, "rules")["groups"]
        alerts = asked(api, "alerts")["alerts"]
        records = asked(api, "query", query='{__name__=~".+:.+:.+",instance!=""}')["result"]

    failed = [
        (rule["name"], rule["lastError"])
        for group in groups
        for rule in group["rules"]
        if rule.get("lastError")
    ]
    shown = [alert["labels"] for alert in alerts]
    assert [] == failed
    assert {"ok"} == {rule["health"] for group in groups for rule in group["rules"]}
    assert [] == records
    assert {"DatabricksJobFailingRepeatedly", "DatabricksCollectorStale"} <= {
        labels["alertname"] for labels in shown
    }
    assert PER_EXPORTER >= {labels["alertname"] for labels in shown if "instance" in labels}
    assert len(shown) == len({tuple(sorted(labels.items())) for labels in shown})
