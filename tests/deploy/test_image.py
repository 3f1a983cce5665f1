"""The image: what is in it, whom it runs as, and how it says that it is well. Building it takes Docker and is not tried."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import PurePath

import pytest

from tests.deploy.files import ROOT, text
from tests.deploy.servers import Patient, serving

INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$")


@pytest.fixture
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, with continued lines joined and comments left out."""
    lines = [line for line in text("Dockerfile").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [match.groups() for match in map(INSTRUCTION.match, joined) if match]  # type: ignore[misc]


@pytest.fixture
def last(instructions: list[tuple[str, str]]) -> dict[str, str]:
    """Those of the stage that becomes the image."""
    start = max(number for number, (name, _) in enumerate(instructions) if name == "FROM")
    return dict(instructions[start:])


def test_the_base_is_pinned_by_tag(instructions: list[tuple[str, str]]) -> None:
    """Both stages use the same Python, of a named version, from wherever Docker takes its images."""
    arguments = dict(value.split("=") for name, value in instructions if name == "ARG")
    bases = [value.split(" AS ")[0] for name, value in instructions if name == "FROM"]

    assert ["python:${PYTHON}"] * 2 == bases
    assert re.fullmatch(r"3\.1\d+-slim-\w+", arguments["PYTHON"])


def test_it_does_not_run_as_root(last: dict[str, str]) -> None:
    """The user is a number, so that Kubernetes can tell; the one that the manifests name."""
    uid, gid = last["USER"].split(":")

    assert int(uid) > 0
    assert f"runAsUser: {uid}\n" in text("deploy", "kubernetes", "sqlite.yaml")
    assert f"runAsGroup: {gid}\n" in text("deploy", "kubernetes", "sqlite.yaml")


def test_it_starts_the_program(last: dict[str, str]) -> None:
    """Directly, so that it gets the signals; with the data folder as the place of the default store."""
    scripts = tomllib.loads(text("pyproject.toml"))["project"]["scripts"]

    assert set(scripts) == set(json.loads(last["ENTRYPOINT"]))
    assert ["run"] == json.loads(last["CMD"])
    assert last["WORKDIR"] == last["VOLUME"] == "/data"
    assert "10977" == last["EXPOSE"]


def test_versions_are_those_that_were_tested(instructions: list[tuple[str, str]]) -> None:
    """The installation keeps to the constraints, and the environment brings no pip."""
    (install,) = (value for name, value in instructions if name == "RUN" and "pip" in value)

    assert {"--constraint", "constraints.txt", "--no-cache-dir", "--without-pip"} <= set(shlex.split(install))


def test_what_is_copied_exists_and_is_not_ignored(instructions: list[tuple[str, str]]) -> None:
    """The context holds the packages of the project and what their installation reads, and nothing else."""
    copied = {
        source
        for name, value in instructions
        if name == "COPY" and not value.startswith("--from")
        for source in value.split()[:-1]
    }
    admitted = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    packages = tomllib.loads(text("pyproject.toml"))["tool"]["setuptools"]["packages"]["find"]["include"]

    assert "*" in text(".dockerignore").splitlines()
    assert copied == admitted
    assert [] == [name for name in copied if not (ROOT / name).exists()]
    assert {name.rstrip("*") for name in packages} <= copied
    assert {"README.md", "LICENSE", "pyproject.toml", "constraints.txt"} <= copied
    assert not any(PurePath(name).is_absolute() for name in copied)


def test_the_health_check_tells_well_from_ill(last: dict[str, str]) -> None:
    """It ends with 0 for an exporter that answers, and with 1 for one that does not."""
    command = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    with serving(Patient()) as server:
        check = [sys.executable, "-c", command[2].replace("10977", str(server.server_port))]
        well = subprocess.run(check, check=False, capture_output=True).returncode
        server.status = 503
        ill = subprocess.run(check, check=False, capture_output=True).returncode
    gone = subprocess.run(check, check=False, capture_output=True).returncode

    assert ["python", "-c"] == command[:2]
    assert (0, 1, 1) == (well, ill, gone)
