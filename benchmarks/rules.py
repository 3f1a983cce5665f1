"""The rules in a real Prometheus: how much of its evaluation interval they take over thousands of jobs."""

import json
import shutil
import signal
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from benchmarks.client import series
from benchmarks.measure import Figure, span
from benchmarks.pages import page
from benchmarks.programs import Program, answers, free_port, program, wait_until

MONITORING = Path(__file__).parents[1] / "monitoring"
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SAMPLES = 60
"""What the window of 15 minutes, in which most rules look for the latest sample, holds at the shipped scrape interval."""
SHARE = 0.1
"""Of the evaluation interval."""
PAGE = "databricks_exporter_build_info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one evaluation of a group took."""

    group: str
    seconds: float
    slowest: str
    """The rule that took longest."""
    slowest_s: float


def figures(*, quick: bool = False) -> Iterator[Figure]:
    """Windows are filled by frequent scrapes first; then Prometheus scrapes and evaluates as its shipped settings say.

    Nothing where Prometheus is not installed.
    """
    binary = shutil.which("prometheus")
    if binary is None:
        return
    jobs, often, samples, rounds = (20, 0.5, 3, 1) if quick else (5000, 1.5, SAMPLES, 2)
    settings = _read(MONITORING / "prometheus.yml")["global"]
    interval = 1.0 if quick else _seconds(settings["evaluation_interval"])
    scrape = often if quick else _seconds(settings["scrape_interval"])
    text = page(jobs)
    with tempfile.TemporaryDirectory(prefix="bench-rules-") as name, _served(text) as target:
        folder, port = Path(name), free_port()
        intervals = _write_rules(folder, interval, rarest=interval)
        _write_settings(folder, target, scrape=often, evaluation=interval)
        with _prometheus(binary, folder, port) as running:
            enough = f"min(count_over_time({PAGE}[15m])) >= {samples}"
            wait_until(
                lambda: bool(_asked(port, "query", query=enough)["result"]), every=0.5, running=running
            )
            _write_settings(folder, target, scrape=scrape, evaluation=interval)
            running.process.send_signal(signal.SIGHUP)
            seen = _evaluations(port, rounds, running)
    shares = {group: [one.seconds / intervals[group] for one in of] for group, of in seen.items()}
    size = f"{jobs} jobs, {series(text)} series"
    slowest = max((one for of in seen.values() for one in of), key=lambda one: one.slowest_s)
    longest = max(shares, key=lambda group: median(shares[group]))
    yield Figure(
        what="rules, longest group ÷ its interval",
        value=median(shares[longest]),
        unit="×",
        most=SHARE,
        samples=tuple(shares[longest]),
        note=f"{longest}; slowest rule {slowest.slowest}, {slowest.slowest_s * 1000:.3g} ms; {size}",
    )
    together = [sum(of) for of in zip(*shares.values(), strict=False)]
    yield Figure(
        what="rules, all groups ÷ their intervals",
        value=median(together),
        unit="×",
        most=SHARE,
        samples=tuple(together),
        note=f"{span(together, interval)} s in every {interval:g} s",
    )


def _write_rules(folder: Path, usual: float, *, rarest: float) -> Mapping[str, float]:
    """The shipped rules, none evaluated more rarely than that, so that each is seen; and the groups' true intervals."""
    (folder / "rules").mkdir()
    intervals = {}
    for file in sorted((MONITORING / "rules").glob("*.yml")):
        content = _read(file)
        for group in content["groups"]:
            intervals[group["name"]] = own = _seconds(group["interval"]) if "interval" in group else usual
            group["interval"] = f"{round(min(own, rarest))}s"
        (folder / "rules" / file.name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return intervals


def _write_settings(folder: Path, target: str, *, scrape: float, evaluation: float) -> None:
    settings = {
        "global": {
            "scrape_interval": f"{round(scrape * 1000)}ms",
            "evaluation_interval": f"{round(evaluation * 1000)}ms",
        },
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [{"job_name": "databricks", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")


@contextmanager
def _prometheus(binary: str, folder: Path, port: int) -> Iterator[Program]:
    """It answers at this port while the block runs."""
    arguments = [
        binary,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with program(arguments, log=folder / "prometheus.log") as running:
        wait_until(lambda: answers(port, "/-/ready"), every=0.1, running=running)
        yield running


def _evaluations(port: int, rounds: int, running: Program) -> Mapping[str, list[Evaluation]]:
    """The next so many evaluations of each group, without the first, which may have begun before."""
    seen: defaultdict[str, dict[str, Evaluation]] = defaultdict(dict)

    def enough() -> bool:
        for group in _asked(port, "rules")["groups"]:
            rule = max(group["rules"], key=lambda rule: rule["evaluationTime"])
            if failed := [each["lastError"] for each in group["rules"] if each.get("lastError")]:
                raise RuntimeError(f"a rule of {group['name']} failed: {failed[0]}")
            seen[group["name"]][group["lastEvaluation"]] = Evaluation(
                group=group["name"],
                seconds=group["evaluationTime"],
                slowest=rule["name"],
                slowest_s=rule["evaluationTime"],
            )
        return all(len(of) > rounds for of in seen.values())

    wait_until(enough, every=0.2, running=running)
    return {name: list(of.values())[1:] for name, of in seen.items()}


@contextmanager
def _served(text: bytes) -> Iterator[str]:
    """Where the page is to be had."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _asked(port: int, path: str, **query: str) -> Any:
    """The data of an answer of its API."""
    with urlopen(f"http://127.0.0.1:{port}/api/v1/{path}?{urlencode(query)}", timeout=60) as answer:
        return json.load(answer)["data"]


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _seconds(duration: str) -> float:
    number = duration.rstrip("mshd")
    return float(number) * UNITS_S[duration.removeprefix(number)]
