"""Runs the real command line in processes of its own, and reads what they serve and what they say."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.end_to_end.collecting import Samples, samples, value, wait_until

MODULE = "databricks_jobs_exporter"
END_S = 30.0
POLLING: Mapping[str, object] = {
    "active_interval": "200ms",
    "definitions_interval": "300ms",
    "lookback_interval": "1s",
    "stale_after": "10s",
    "max_requests_per_second": 2000,
}
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


@dataclass(frozen=True)
class Program:
    """One process of the command line, under way or ended."""

    process: "subprocess.Popen[bytes]"
    output: Path
    errors: Path

    @property
    def printed(self) -> str:
        """What it wrote to standard output."""
        return self.output.read_text(encoding="utf-8")

    @property
    def said(self) -> str:
        """What it wrote to standard error, where its log goes."""
        return self.errors.read_text(encoding="utf-8")

    @property
    def running(self) -> bool:
        """True until it ends."""
        return self.process.poll() is None

    @property
    def address(self) -> str:
        """Where it serves, once it says so."""
        found: list[str] = []

        def serves() -> bool:
            assert self.running, self.said
            found[:] = re.findall(r'"serving".*(127\.0\.0\.1:\d+).*\n', self.said)
            return bool(found)

        wait_until(serves, END_S)
        return f"http://{found[0]}"

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of a page."""
        try:
            with urlopen(Request(self.address + path, headers=headers), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def samples(self) -> Samples:
        """What `/metrics` shows; nothing before the first snapshot."""
        status, page = self.get("/metrics")
        return samples(page) if status == 200 else {}

    def value(self, name: str, **labels: str) -> float | None:
        """The sum of the samples of this name that carry these labels; None when there is none."""
        return value(self.samples(), name, **labels)

    def wait_for(self, expected: float | None, name: str, **labels: str) -> None:
        """Returns when the page shows this value."""
        shown: list[float | None] = []

        def shows() -> bool:
            assert self.running, self.said
            shown.append(self.value(name, **labels))
            return shown[-1] == expected

        try:
            wait_until(shows, END_S)
        except AssertionError as error:
            raise AssertionError(f"{name}{labels}: {expected} was expected, {shown[-1:]} is shown") from error

    def wait_for_failure(self, reason: str, **labels: str) -> None:
        """Returns when a live poll has failed for this reason; until the first poll, `up` is 0 for no reason."""
        name = "databricks_exporter_collector_errors_total"
        wait_until(lambda: (self.value(name, collector="live", reason=reason, **labels) or 0) > 0, END_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Its exit code after this signal, and how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(END_S), time.monotonic() - began


@contextmanager
def started(
    folder: Path, *arguments: object, environ: Mapping[str, str] | None = None, name: str = "program"
) -> Iterator[Program]:
    """A process that works in the folder, and is ended with the block."""
    output, errors = folder / f"{name}.stdout", folder / f"{name}.stderr"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, *map(str, arguments)],
            cwd=folder,
            env=environment(folder) | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    try:
        yield Program(process, output, errors)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ended(folder: Path, *arguments: object, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command that ends by itself."""
    with started(folder, *arguments, environ=environ) as program:
        code = program.process.wait(END_S)
        return code, program.printed, program.said


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the tester's own settings for Databricks."""
    passed = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
    return passed | {"HOME": str(folder), "PYTHONWARNINGS": "error", "COLUMNS": "200"}


def configured(
    folder: Path,
    *workspaces: Mapping[str, object],
    name: str = "config.toml",
    **sections: Mapping[str, object],
) -> Path:
    """A configuration file with these workspaces, and these sections over settings that suit tests."""
    written = {
        "server": {"listen": "127.0.0.1:0"} | dict(sections.pop("server", {})),
        "store": {"url": f"sqlite:///{folder}/store.db"} | dict(sections.pop("store", {})),
        "polling": dict(POLLING) | dict(sections.pop("polling", {})),
        **sections,
    }
    tables = [(f"[{section}]", keys) for section, keys in written.items()]
    tables += [("[[workspaces]]", keys) for keys in workspaces]
    path = folder / name
    path.write_text(
        "\n".join(
            "\n".join([head, *(f"{key} = {json.dumps(given)}" for key, given in keys.items()), ""])
            for head, keys in tables
        ),
        encoding="utf-8",
    )
    return path


def workspace(folder: Path, host: str, token: str, *, name: str = "production") -> dict[str, object]:
    """A workspace that is signed in to with a token in a file."""
    file = folder / f"{name}.token"
    file.write_text(token, encoding="utf-8")
    return {"name": name, "host": host, "token_file": str(file)}
