"""Stores that cannot be used: a clear message, and nothing overwritten."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from simulator import Options, Simulator
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import configured, ended, started, workspace


def newer(path: Path) -> None:
    """A store of a version that is not there yet."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE store_revision (version_num VARCHAR(32) NOT NULL PRIMARY KEY);"
            "INSERT INTO store_revision VALUES ('9999');"
        )


def no_database(path: Path) -> None:
    """Somebody's notes."""
    path.write_text("not a database, but something that somebody wants to keep\n" * 200, encoding="utf-8")


def of_another_program(path: Path) -> None:
    """A database with tables that are not ours."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE TABLE invoices (number INTEGER); INSERT INTO invoices VALUES (1);")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (newer, ("newer version", "upgrade")),
        (no_database, ("not a database",)),
        (of_another_program, ("another program", "invoices")),
    ],
)
def test_a_file_that_is_no_store_of_ours_is_refused_and_kept(
    make: Callable[[Path], None], words: tuple[str, ...], tmp_path: Path
) -> None:
    """Exit code 1, one line that names the file and says what is wrong with it, and the same bytes as before."""
    path = tmp_path / "store.db"
    make(path)
    before = path.read_bytes()

    code, printed, said = ended(tmp_path, "run", "--config", configured(tmp_path, _somewhere(tmp_path)))

    assert 1 == code
    assert "" == printed
    assert 1 == len(said.splitlines()), said
    assert str(path) in said
    assert [] == [word for word in words if word not in said]
    assert before == path.read_bytes()


def test_a_full_disk_is_told_and_leaves_the_store_whole(small_disk: Path, tmp_path: Path) -> None:
    """While the disk is full the process stays up and says so; nothing is lost, and it goes on when there is room."""
    ballast = small_disk / "ballast"
    options = Options(jobs=0, active_runs=0, history=timedelta(0))
    with Simulator(options) as simulator:
        control = simulator.control
        control.create_job("orders", max_concurrent_runs=10)
        control.start("first", "orders")
        config = configured(
            tmp_path,
            workspace(tmp_path, simulator.url, simulator.token),
            store={"url": f"sqlite:///{small_disk}/store.db"},
        )
        with started(tmp_path, "run", "--config", config) as program:
            program.wait_for(1, "databricks_active_runs")
            _fill(ballast)
            control.finish("first", "FAILED")
            wait_until(lambda: "the store does not take the poll" in program.said)
            meanwhile = program.get("/metrics")[0]
            ballast.unlink()
            program.wait_for(1, "databricks_job_runs_finished_total", result="FAILED")
            said = program.said
        with closing(sqlite3.connect(small_disk / "store.db")) as database:
            health = database.execute("PRAGMA integrity_check").fetchone()

    assert 200 == meanwhile
    assert "disk is full" in said
    assert ("ok",) == health


def test_a_store_that_may_not_be_written_is_refused(small_disk: Path, tmp_path: Path) -> None:
    """On a read-only file system a collector ends with code 1 and one line; the file stays as it is."""
    config = configured(tmp_path, _somewhere(tmp_path), store={"url": f"sqlite:///{small_disk}/store.db"})
    ended(tmp_path, "once", "--config", config)
    before = (small_disk / "store.db").read_bytes()
    _mount("-o", "remount,ro", small_disk)

    code, _, said = ended(tmp_path, "run", "--config", config)

    assert 1 == code
    assert 1 == len(said.splitlines()), said
    assert f"{small_disk}/store.db" in said
    assert before == (small_disk / "store.db").read_bytes()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not _mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", folder):
        pytest.skip("only root may mount a small file system, and not in every container")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(*arguments: object) -> bool:
    words = ["mount", *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def _fill(path: Path) -> None:
    """Not a byte is left."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            while _written(file.fileno(), size):
                pass


def _written(file: int, size: int) -> int:
    try:
        return os.write(file, bytes(size))
    except OSError:
        return 0


def _somewhere(folder: Path) -> dict[str, object]:
    """A workspace at a port where nobody answers."""
    return workspace(folder, "http://127.0.0.1:9", "token-of-nowhere")
