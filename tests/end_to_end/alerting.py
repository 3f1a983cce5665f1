"""The shipped rules in a real Prometheus and the shipped routes in a real Alertmanager, where a second stands for a
minute, and an inbox in the place of everybody who would be told.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.collecting import wait_until
from tests.end_to_end.test_prometheus import asked, prometheus
from tests.monitoring.rules import PROJECT, RULES, content
from tests.monitoring.sooner import duration, sooner
from tests.monitoring.test_alertmanager import alertmanager

MINUTES_PER_SECOND = 60
"""By how much the world of these tests is faster."""
DEFAULTS = {"query.lookback-delta": "5m", "rules.alert.resend-delay": "1m"}
"""Lengths of time that Prometheus has when nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One alert of one message, as somebody got it."""

    receiver: str
    status: str
    """firing or resolved."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def alert(self) -> str:
        """What the alert is called."""
        return self.labels["alertname"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What Prometheus says, and what people were told."""

    api: str
    letters: list[Letter] = field(default_factory=list)

    def asked(self, expr: str) -> list[Any]:
        """The series of an expression, now."""
        return list(asked(self.api, "query", query=expr)["result"])

    def told(self, alert: str, status: str = "firing", **labels: str) -> list[Letter]:
        """The letters about an alert with these labels."""
        return [
            letter
            for letter in tuple(self.letters)
            if (letter.alert, letter.status) == (alert, status) and labels.items() <= letter.labels.items()
        ]

    def wait_for(self, alert: str, status: str = "firing", *, seconds: float = 60, **labels: str) -> Letter:
        """The first letter about it, as soon as it is there."""
        try:
            wait_until(lambda: bool(self.told(alert, status, **labels)), seconds)
        except AssertionError as error:
            raise AssertionError(f"{alert} {status} {labels} did not arrive: {self.letters}") from error
        return self.told(alert, status, **labels)[0]


class Postbox(BaseHTTPRequestHandler):
    """Takes what Alertmanager sends to a webhook."""

    server: "Inbox"

    def do_POST(self) -> None:
        """Keep the letters."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.letters += [
            Letter(
                receiver=message["receiver"],
                status=alert["status"],
                labels=alert["labels"],
                annotations=alert["annotations"],
            )
            for alert in message["alerts"]
        ]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Inbox(ThreadingHTTPServer):
    """Everybody who would be told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Postbox)
        self.letters: list[Letter] = []


@contextmanager
def inbox() -> Iterator[Inbox]:
    """Open until the block ends."""
    with Inbox() as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield opened
        finally:
            opened.shutdown()
            thread.join()


@contextmanager
def watch(folder: Path, *exporters: str) -> Iterator[Watch]:
    """Prometheus and Alertmanager over exporters at these addresses."""
    with inbox() as opened:
        routes = written(folder / "alertmanager.yml", with_webhooks(shipped("alertmanager.yml"), opened))
        with alertmanager(folder, routes) as manager:
            settings = shipped("prometheus.yml")
            (scrape,) = settings["scrape_configs"]
            scrape["static_configs"] = [{"targets": [each.removeprefix("http://") for each in exporters]}]
            (to,) = settings["alerting"]["alertmanagers"]
            to["static_configs"] = [{"targets": [manager.removeprefix("http://").removesuffix("/api/v2")]}]
            (folder / "rules").mkdir()
            for file in RULES:
                written(folder / "rules" / file.name, sooner(content(file), MINUTES_PER_SECOND))
            flags = [f"--{name}={duration(given, MINUTES_PER_SECOND)}" for name, given in DEFAULTS.items()]
            with prometheus(folder, yaml.safe_dump(settings), *flags) as api:
                yield Watch(api=api, letters=opened.letters)


def shipped(name: str) -> Any:
    """What people load, for the faster world."""
    return sooner(content(PROJECT / "monitoring" / name), MINUTES_PER_SECOND)


def with_webhooks(settings: Any, opened: Inbox) -> Any:
    """The same routes, with a receiver that tells the inbox in the place of each that tells nobody."""
    hook = {"url": f"http://127.0.0.1:{opened.server_port}/", "send_resolved": True}
    receivers = [{**receiver, "webhook_configs": [hook]} for receiver in settings["receivers"]]
    return {**settings, "receivers": receivers}


def written(file: Path, settings: Any) -> Path:
    """The file with these settings."""
    file.write_text(yaml.safe_dump(settings, width=10**9, sort_keys=False), encoding="utf-8")
    return file
