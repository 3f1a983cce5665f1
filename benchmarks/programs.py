"""The programs that a benchmark starts beside itself, each ended when its block ends, and the settings they read."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

PATIENCE_S = 120.0
TOKEN = "dapi-benchmark"  # noqa: S105 – the simulated workspace is told to accept it
CONFIG = """\
[server]
listen = "127.0.0.1:{port}"

[store]
url = "sqlite:///{folder}/store.db"

[polling]
{polling}

[jobs]
max_jobs = {max_jobs}

[[workspaces]]
name = "production"
host = "{host}"
token_file = "{folder}/token"
warehouse_id = "{warehouse}"
"""


class ProgramError(Exception):
    """A program did not start, or ended too early; the message is its own."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs."""

    process: subprocess.Popen[str]
    log: Path | None = None
    """Where its standard error goes, unless to ours."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def line(self) -> str:
        """The next line that it prints; raises ProgramError when it ends instead."""
        text = self.process.stdout.readline() if self.process.stdout else ""
        if not text:
            raise ProgramError(f"{self.process.args!r} ended without a word")
        return text

    def check(self) -> None:
        """Raises ProgramError when it has ended."""
        if self.process.poll() is not None:
            said = self.log.read_text(encoding="utf-8")[-1000:] if self.log else ""
            raise ProgramError(f"{self.process.args!r} ended with {self.process.returncode}: {said}")


@contextmanager
def program(arguments: Sequence[str], *, log: Path | None = None) -> Iterator[Program]:
    """Runs while the block does; standard error goes to the file, or to ours."""
    errors = log.open("w", encoding="utf-8") if log else None
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 – our own programs
    try:
        yield Program(process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
        if errors:
            errors.close()


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *(str(argument) for argument in arguments)]


@contextmanager
def simulator(**options: object) -> Iterator[str]:
    """A simulated workspace in a process of its own; its address. Options as `python -m simulator` names them."""
    arguments = [
        word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    with program(python("simulator", "--token", TOKEN, *arguments)) as running:
        yield next(word for word in running.line().split() if word.startswith("http"))


def write_config(
    folder: Path,
    host: str,
    *,
    port: int = 1,
    max_jobs: int = 10_000,
    warehouse: str = "",
    **polling: object,
) -> Path:
    """A settings file for one workspace, with its store and its token beside it; a warehouse is its id."""
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    config = folder / "config.toml"
    lines = (
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
        for key, value in polling.items()
    )
    config.write_text(
        CONFIG.format(
            port=port,
            folder=folder,
            host=host,
            max_jobs=max_jobs,
            warehouse=warehouse,
            polling="\n".join(lines),
        ),
        encoding="utf-8",
    )
    return config


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def exporter(config: Path, port: int) -> Iterator[Program]:
    """`databricks-jobs-exporter run` in a process of its own, ready to be scraped; its log lies beside its settings."""
    with program(
        python("databricks_jobs_exporter", "run", "--config", config), log=config.with_suffix(".log")
    ) as running:
        wait_until(lambda: answers(port, "/-/ready"), running=running)
        yield running


def answers(port: int, path: str) -> bool:
    """True when there is an answer with status 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], *, every: float = 0.01, running: Program | None = None) -> None:
    """Returns when the condition holds; raises ProgramError when it does not in time, or when the program ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if running:
            running.check()
        if time.monotonic() > deadline:
            raise ProgramError("what a benchmark waits for did not come true in time")
        time.sleep(every)
