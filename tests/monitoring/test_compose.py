"""docker-compose.yml and what it mounts fit together, as far as that can be seen without Docker."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from tests.monitoring.boards import PROJECT
from tests.programs import program_named

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
PROMETHEUS = PROJECT / "monitoring" / "prometheus.yml"
PROVISIONING = PROJECT / "monitoring" / "grafana" / "provisioning"
LISTENS = {"exporter": 10977, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
OUR_SERVICES = ("demo", "exporter")

each_service = pytest.mark.parametrize("name", SERVICES)


def schema(name: str) -> Any:
    """A schema beside the tests."""
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def mounts(name: str) -> list[tuple[str, str, str]]:
    """Source, target and mode of what the service mounts; the mode of a volume is empty."""
    parts = (entry.split(":") for entry in SERVICES[name].get("volumes", ()))
    return [(part[0], part[1], part[2] if len(part) > 2 else "") for part in parts]


def provisioned(kind: str) -> Any:
    """The provisioning file of this kind."""
    (file,) = (PROVISIONING / kind).glob("*.yml")
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def test_compose_file_fits_its_schema() -> None:
    """Nothing is misspelled or in the wrong place."""
    jsonschema.validate(COMPOSE, schema("compose.schema.json"))


@pytest.mark.parametrize("kind", ["dashboards", "datasources"])
def test_provisioning_fits_its_schema(kind: str) -> None:
    """Grafana ignores what it does not know, so it is noticed here."""
    whole = schema("provisioning.schema.json")

    jsonschema.validate(provisioned(kind), whole | {"$ref": f"#/definitions/{kind}"})


def test_prometheus_accepts_its_configuration() -> None:
    """The configuration and the rules that it names are valid."""
    promtool = program_named("promtool")

    checked = subprocess.run(
        [promtool, "check", "config", PROMETHEUS], capture_output=True, text=True, check=False
    )

    assert 0 == checked.returncode, checked.stdout + checked.stderr


@each_service
def test_images_are_pinned_by_tag(name: str) -> None:
    """What runs today runs tomorrow."""
    image, _, tag = SERVICES[name]["image"].partition(":")

    assert re.fullmatch(r"[\w./-]+", image)
    assert tag == "local" if name in OUR_SERVICES else re.fullmatch(r"v?\d+\.\d+\.\d+", tag)


@each_service
def test_mounts_exist_and_cannot_be_written(name: str) -> None:
    """Each file or folder of the project is there and mounted read-only; each volume is declared."""
    for source, target, mode in mounts(name):
        assert target.startswith("/")
        if source.startswith("./"):
            assert (PROJECT / source).exists(), source
            assert "ro" == mode, source
        else:
            assert source in COMPOSE["volumes"]


@each_service
def test_services_have_few_rights_and_are_not_public(name: str) -> None:
    """Each service drops its capabilities and is published on this machine only."""
    service = SERVICES[name]

    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert [
        f"127.0.0.1:{port}:{port}" for port in (LISTENS["exporter" if name == "demo" else name],)
    ] == service["ports"]


def test_names_in_the_configurations_are_services() -> None:
    """Prometheus scrapes and alerts, and Grafana asks, at names and ports where a service listens."""
    prometheus = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))
    groups = [
        *(group for job in prometheus["scrape_configs"] for group in job["static_configs"]),
        *(
            group
            for manager in prometheus["alerting"]["alertmanagers"]
            for group in manager["static_configs"]
        ),
    ]
    asked = {target for group in groups for target in group["targets"]}
    asked |= {urlsplit(source["url"]).netloc for source in provisioned("datasources")["datasources"]}

    assert asked == {f"{name}:{port}" for name, port in LISTENS.items() if name != "grafana"}


def test_grafana_knows_how_often_prometheus_scrapes() -> None:
    """`$__rate_interval` follows from the interval in the data source, which must be the real one."""
    prometheus = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))
    intervals = [
        source["jsonData"].get("timeInterval") for source in provisioned("datasources")["datasources"]
    ]

    assert prometheus["global"]["scrape_interval"] in intervals


def test_grafana_loads_the_dashboards_that_are_mounted() -> None:
    """The provider looks where the dashboards are mounted, and the home page is one of them."""
    (folder,) = (target for source, target, _ in mounts("grafana") if source == "./monitoring/dashboards")
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert [folder] == [provider["options"]["path"] for provider in provisioned("dashboards")["providers"]]
    assert (PROJECT / "monitoring" / "dashboards" / Path(home).relative_to(folder)).is_file()


def test_prometheus_finds_its_rules_where_they_are_mounted() -> None:
    """Rules are named relative to the configuration, in the container as in the project."""
    found = {source: target for source, target, _ in mounts("prometheus")}
    home = Path(found["./monitoring/prometheus.yml"]).parent
    named = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))["rule_files"]

    assert ["rules/*.yml"] == named
    assert home / "rules" == Path(found["./monitoring/rules"])
    assert list(PROMETHEUS.parent.glob(named[0]))


def test_the_demo_takes_the_place_of_the_exporter() -> None:
    """Only the demo needs its profile; it listens for others under the exporter's name, and never beside it."""
    demo = SERVICES["demo"]

    assert {"demo": ["demo"]} == {
        name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one
    }
    assert ["demo", "--listen", f"0.0.0.0:{LISTENS['exporter']}"] == demo["command"]
    assert ["exporter"] == demo["networks"]["default"]["aliases"]
    assert {"exporter": {"condition": "service_completed_successfully"}} == demo["depends_on"]


@pytest.mark.parametrize("name", OUR_SERVICES)
def test_the_image_has_what_the_demo_needs(name: str) -> None:
    """The build asks for extras that exist, the simulated warehouse's among them, by an argument of the Dockerfile."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    build = SERVICES[name]["build"]
    extras = build["args"]["EXTRAS"].split(",")

    assert "demo" in extras
    assert set(extras) <= project["optional-dependencies"].keys()
    assert "ARG EXTRAS" in (PROJECT / build["context"] / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("config", "environ", "outcome"),
    [
        ("", {}, "No workspace: set DATABRICKS_HOST"),
        ("# [[workspaces]]\n", {"DATABRICKS_HOST": ""}, "No workspace: set DATABRICKS_HOST"),
        ("", {"DATABRICKS_HOST": "https://dbc.example.com"}, "started: run --config"),
        ('[[workspaces]]\nname = "production"\n', {}, "started: run --config"),
    ],
)
def test_the_exporter_ends_in_peace_without_a_workspace(
    tmp_path: Path, config: str, environ: dict[str, str], outcome: str
) -> None:
    """The command of the compose file starts the exporter when there is a workspace, and else makes room for the demo."""
    shell, option = SERVICES["exporter"]["entrypoint"]
    (script,) = SERVICES["exporter"]["command"]
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    program = tmp_path / "databricks-jobs-exporter"
    program.write_text('#!/bin/sh\necho "started: $*"\n', encoding="utf-8")
    program.chmod(0o755)
    here = script.replace("$$", "$").replace("/etc/databricks-jobs-exporter", str(tmp_path))

    done = subprocess.run(
        [shell, option, here],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"} | environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(outcome)
