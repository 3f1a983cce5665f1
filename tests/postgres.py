"""A private PostgreSQL for tests: a server per test process, a schema per test, gone at the end."""

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.programs import missing

PASSWORD = "open sesame"
USER = "exporter"
START_S = 30.0
SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


@dataclass
class Cluster:
    """A running server on 127.0.0.1 that asks for the password."""

    port: int
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str, password: str = PASSWORD) -> str:
        """The address of a database in SQLAlchemy's form."""
        return f"postgresql+psycopg://{USER}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The name of a new, empty database."""
        name = f"store_{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database, autocommit=True
        ) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One server per test process; skips where PostgreSQL is not installed, but never in CI."""
    programs = _programs()
    if programs is None:
        missing("PostgreSQL's initdb and postgres are neither in PATH nor in /usr/lib/postgresql")
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        _own(home)
        _initialise(programs, home)
        port = _free_port()
        server = _start(programs, home, port)
        try:
            _wait(server, home, port)
            yield Cluster(port)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=START_S)
    finally:
        shutil.rmtree(home)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The address of a schema that only this test has: it serves as a database, and is made twenty times faster."""
    name = f"test_{next(postgres_cluster.numbers)}"
    postgres_cluster.execute(f"CREATE SCHEMA {name}")
    yield f"{postgres_cluster.url('postgres')}?options=-csearch_path%3D{name}"
    postgres_cluster.execute(f"DROP SCHEMA {name} CASCADE")


def _programs() -> Path | None:
    """The folder of the newest server programs."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    in_path = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    return next(
        (
            folder
            for folder in (*installed, *in_path)
            if (folder / "initdb").exists() and (folder / "postgres").exists()
        ),
        None,
    )


def _user() -> pwd.struct_passwd | None:
    """Whom to run as: the server refuses root, everybody else runs it as himself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _own(home: Path) -> None:
    if user := _user():
        os.chown(home, user.pw_uid, user.pw_gid)


def _popen(home: Path, *command: str | Path) -> subprocess.Popen[bytes]:
    user = _user()
    with (home / "output").open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - takes no lock
        )


def _die_with_parent() -> None:
    """A test process that is killed takes its server with it."""
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGINT)


def _initialise(programs: Path, home: Path) -> None:
    (home / "password").write_text(PASSWORD + "\n", encoding="ascii")
    (home / "password").chmod(0o644)
    process = _popen(
        home,
        programs / "initdb",
        *("--pgdata", home / "data", "--username", USER, "--pwfile", home / "password"),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
    )
    if process.wait(timeout=START_S):
        pytest.fail(f"initdb: {(home / 'output').read_text(encoding='utf-8')}")


def _start(programs: Path, home: Path, port: int) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "autovacuum": "off",
        "shared_buffers": "32MB",
        "max_connections": "40",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return _popen(home, programs / "postgres", "-D", home / "data", *options)


def _wait(server: subprocess.Popen[bytes], home: Path, port: int) -> None:
    """Return when the server answers."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            Cluster(port).execute("SELECT 1")
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"postgres did not start: {(home / 'output').read_text(encoding='utf-8')}")
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
