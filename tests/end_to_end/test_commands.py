"""The command line as a person meets it: what it prints, with which code it ends, and that it ends when told to."""

import re
import subprocess
import sys
from datetime import timedelta
from importlib import metadata
from pathlib import Path

import pytest

from databricks_jobs_exporter.__main__ import main
from simulator import Options, Simulator
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import configured, ended, started, workspace

SMALL = Options(jobs=5, active_runs=3, history=timedelta(hours=2), history_runs=20)
SOON = 8.0
"""Seconds within which a stop has to take effect; Databricks Apps kills after 15."""


def test_once_prints_a_table_and_ends_with_0(tmp_path: Path) -> None:
    """One round of every collector, with what each saw, on standard output."""
    with Simulator(SMALL) as simulator:
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        code, printed, said = ended(tmp_path, "once", "--config", config)

    rows = [line.split() for line in printed.splitlines()[1:]]

    assert 0 == code, said
    assert ["definitions", "live", "lookback"] == [row[1] for row in rows]
    assert {("production", "ok")} == {(row[0], row[2]) for row in rows}
    assert "5" == rows[0][3]


def test_once_ends_with_1_when_a_poll_fails(tmp_path: Path) -> None:
    """The table names the reason, and the exit code says that something failed."""
    with Simulator(SMALL) as simulator:
        config = configured(tmp_path, workspace(tmp_path, simulator.url, "not-the-token"))
        code, printed, _ = ended(tmp_path, "once", "--config", config)

    assert 1 == code
    assert re.search(r"production +live +refused: ", printed), printed


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "",
            (
                "run",
                "collect",
                "serve",
                "once",
                "demo",
                "version",
                "config.toml",
                "DATABRICKS_HOST",
                "Exit codes",
            ),
        ),
        ("run", ("collect and serve", "SIGTERM", "--config")),
        ("collect", ("without serving", "stand by", "--config")),
        ("serve", ("read-only", "Waits for a store", "--config")),
        ("once", ("one round", "Exits with 1", "--config")),
        ("demo", ("simulated workspace", "thrown away", "--jobs", "--seed", "--listen")),
        ("version", ("version",)),
    ],
)
def test_help_answers_the_question(
    command: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The help of each command says what it does and what it takes."""
    with pytest.raises(SystemExit) as ending:
        main([*command.split(), "--help"])
    text = " ".join(capsys.readouterr().out.split())

    assert 0 == ending.value.code
    assert [] == [word for word in words if word.lower() not in text.lower()]


def test_version_names_program_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """As installed."""
    code = main(["version"])

    assert 0 == code
    assert (
        f"databricks-jobs-exporter {metadata.version('databricks-jobs-exporter')}\n"
        == capsys.readouterr().out
    )


def test_sigterm_ends_run_within_seconds(tmp_path: Path) -> None:
    """A healthy process ends with code 0 and says nothing of errors."""
    with Simulator(SMALL) as simulator:
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        with started(tmp_path, "--config", config) as program:
            program.wait_for(1, "databricks_exporter_collector_up", collector="live")
            code, seconds = program.stop()

    assert 0 == code
    assert seconds < SOON
    assert "level=error" not in program.said
    assert "Traceback" not in program.said


def test_the_demo_names_the_packages_that_it_lacks() -> None:
    """An installation without extras says what to install, and nothing is served."""
    without = "import sys; sys.modules['duckdb'] = sys.modules['sqlglot'] = None"
    program = f"{without}; from databricks_jobs_exporter.__main__ import main; sys.exit(main(['demo']))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert 2 == done.returncode
    assert "" == done.stdout
    assert (
        "demo: it needs duckdb, sqlglot; pip install 'databricks-jobs-exporter[demo]'" == done.stderr.strip()
    )


@pytest.mark.parametrize("endpoint", ["/api/", "/oidc/v1/token"])
def test_sigterm_ends_run_while_the_workspace_hangs(endpoint: str, tmp_path: Path) -> None:
    """Neither an API nor a token endpoint that answers after 30 seconds keeps the process from ending with code 0."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("slow", seconds=30, endpoint=endpoint)
        secret = tmp_path / "secret"
        secret.write_text(simulator.client_secret, encoding="utf-8")
        signed_in = {"client_id": simulator.client_id, "client_secret_file": str(secret)}
        config = configured(tmp_path, {"name": "production", "host": simulator.url, **signed_in})
        with started(tmp_path, "run", "--config", config) as program:
            wait_until(lambda: simulator.control.requests()["waiting"] > 0)
            code, seconds = program.stop()

    assert 0 == code
    assert seconds < SOON


def test_the_demo_serves_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The page says that it is a demo, and the folder of its store goes when it stops."""
    arguments = ("demo", "--jobs", 5, "--active-runs", 2, "--listen", "127.0.0.1:0")
    with started(tmp_path, *arguments, environ={"TMPDIR": str(tmp_path)}) as program:
        program.wait_for(1, "databricks_exporter_collector_up", collector="live")
        demo = program.value("databricks_exporter_demo_mode")
        during = list(tmp_path.glob("databricks-jobs-demo-*"))
        code, seconds = program.stop()

    assert 1 == demo
    assert 1 == len(during)
    assert 0 == code
    assert seconds < SOON
    assert [] == list(tmp_path.glob("databricks-jobs-demo-*"))


WITNESS = """
import sys, threading

def witness(event, arguments):
    if event == "import" and arguments[0] == "requests":
        print("requests is loaded by", *(thread.name for thread in threading.enumerate()), file=sys.stderr)

sys.addaudithook(witness)
"""


def test_requests_is_loaded_before_anything_is_served(tmp_path: Path) -> None:
    """It silences a warning while it is loaded, for the whole process; the first answers do the same, and then the
    warning is shown or, where warnings are errors, ends the program.
    """
    (tmp_path / "sitecustomize.py").write_text(WITNESS, encoding="utf-8")
    with Simulator(SMALL) as simulator:
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        with started(tmp_path, "run", "--config", config, environ={"PYTHONPATH": str(tmp_path)}) as program:
            program.wait_for(1, "databricks_exporter_collector_up", collector="live")

    assert "requests is loaded by MainThread\n" in program.said
