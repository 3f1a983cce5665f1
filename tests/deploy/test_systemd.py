"""The systemd unit: systemd understands it, it is closed, and it starts what is there."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from collector.config import load
from tests.deploy.files import blocks, text
from tests.programs import program_named

UNIT = ("deploy", "systemd", "databricks-jobs-exporter.service")
MOST_EXPOSED = 1.5
"""Of 10, in the words of systemd: below 2 is the best that it says of a service with a network."""


def settings(name: str) -> list[str]:
    """All values of a setting of the unit."""
    return re.findall(rf"^{name}=(.*)$", text(*UNIT), re.MULTILINE)


def systemd_analyze(*arguments: object) -> str:
    """What it prints."""
    program = program_named("systemd-analyze")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    program = settings("ExecStart")[0].split()[0]
    file = tmp_path / UNIT[-1]
    file.write_text(text(*UNIT).replace(program, "/bin/true"), encoding="utf-8")
    return file


def test_systemd_understands_it(unit: Path) -> None:
    """No unknown setting, no value that is ignored."""
    assert "" == systemd_analyze("verify", "--man=no", unit)


def test_it_is_closed(unit: Path) -> None:
    """systemd's own judgement of what a broken-in exporter could do."""
    said = systemd_analyze("security", "--offline=yes", unit)
    exposure = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", said)

    assert exposure
    assert float(exposure[1]) <= MOST_EXPOSED


def test_it_has_a_user_and_a_state_of_its_own() -> None:
    """The store of the default settings lies in the directory that outlives the user."""
    assert ["yes"] == settings("DynamicUser")
    assert ["databricks-jobs-exporter"] == settings("StateDirectory")
    assert ["%S/databricks-jobs-exporter"] == settings("WorkingDirectory")


def test_a_wrong_configuration_is_not_tried_again() -> None:
    """Code 2 means that somebody has to change something."""
    assert ["2"] == settings("RestartPreventExitStatus")
    assert ["on-failure"] == settings("Restart")


def test_it_starts_what_the_readme_installs() -> None:
    """Program, configuration and secret are where the steps put them."""
    steps = "\n".join(blocks("sh", "deploy", "systemd", "README.md"))
    program, command, _, config = settings("ExecStart")[0].split()
    name = tomllib.loads(text("pyproject.toml"))["project"]["scripts"]

    assert Path(program).name in name
    assert "run" == command
    assert f"-m venv {Path(program).parents[1]}\n" in steps
    assert f"config.toml {config}\n" in steps
    assert f"/dev/stdin {settings('LoadCredential')[0].partition(':')[2]} " in steps


def test_the_configuration_of_the_readme_is_understood(tmp_path: Path) -> None:
    """It names the credential by the place where systemd puts it."""
    (written,) = blocks("toml", "deploy", "systemd", "README.md")
    credentials = f"/run/credentials/{UNIT[-1]}"
    assert f"{credentials}/{settings('LoadCredential')[0].partition(':')[0]}" in written
    (tmp_path / "client-secret").write_text("hush-hush", encoding="utf-8")
    file = tmp_path / "config.toml"
    file.write_text(written.replace(credentials, str(tmp_path)), encoding="utf-8")

    (workspace,) = load(file, {}).workspaces

    assert workspace.client_secret
