"""The Helm chart: what it says, and every kind of release as Helm renders it."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from collector.config import load
from tests.deploy.files import DEPLOY, ROOT, blocks, data, document
from tests.programs import program_named

CHART = DEPLOY / "helm" / "databricks-jobs-exporter"
HERE = ("deploy", "helm", "databricks-jobs-exporter")
ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
VALUE = re.compile(r"\.Values((?:\.\w+)+)")
OPTIONS = ("serviceMonitor", "prometheusRule", "dashboards")


def templates() -> dict[str, str]:
    """Their text by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir()}


def actions(text: str) -> list[str]:
    """What stands between braces, without comments."""
    return [each for each in ACTION.findall(text) if not each.startswith("/*")]


def known(path: str, values: Any) -> bool:
    """Whether the values have something at this path."""
    for key in path.strip(".").split("."):
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


def test_the_values_are_what_their_schema_says() -> None:
    """The defaults pass, and nothing that the templates do not read can be set."""
    values, schema = document(*HERE, "values.yaml"), data(*HERE, "values.schema.json")

    jsonschema.validate(values, schema)

    assert set(values) | {"global"} == set(schema["properties"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"store": {"kind": "mysql"}},
        {"store": {"kind": "sqlite", "replicas": 2}},
        {"store": {"kind": "postgresql", "postgresql": {"servers": 0}}},
        {"serviceMonitor": {"enabled": "yes"}},
        {"replicaCount": 2},
        {"scheme": "http"},
    ],
)
def test_a_wrong_value_is_refused(wrong: dict[str, Any]) -> None:
    """Helm checks values before it renders anything."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document(*HERE, "values.yaml") | wrong, data(*HERE, "values.schema.json"))


def test_templates_read_values_that_exist() -> None:
    """A misspelt value would be empty without a word."""
    values = document(*HERE, "values.yaml")
    read = {path for text in templates().values() for path in VALUE.findall(text)}

    assert [] == [path for path in read if not known(path, values)]
    assert set(values) <= {path.split(".")[1] for path in read}


def test_templates_are_well_formed() -> None:
    """Blocks are closed, and what is included is defined."""
    defined = re.findall(r'define "([^"]+)"', "".join(templates().values()))
    for name, text in templates().items():
        heads = [each.split()[0] for each in actions(text)]
        opened = sum(head in {"if", "range", "with", "define", "block"} for head in heads)

        assert (name, opened) == (name, heads.count("end"))
        assert set(re.findall(r'include "([^"]+)"', text)) <= set(defined), name


def test_the_chart_carries_what_the_project_monitors_with() -> None:
    """Rules and dashboards are the project's own files, not copies; unit tests of the rules stay outside."""
    for name in ("rules", "dashboards"):
        link = CHART / "files" / name
        assert link.is_symlink()
        assert not link.readlink().is_absolute()
        assert (ROOT / "monitoring" / name).resolve() == link.resolve()
        assert any(link.glob("*.yml" if name == "rules" else "*.json"))
    assert "files/rules/tests/\n" in (CHART / ".helmignore").read_text(encoding="utf-8")


def test_rules_fit_into_a_prometheus_rule() -> None:
    """Each file is indented into `spec` as it is, so it holds groups and nothing else."""
    for path in (CHART / "files" / "rules").glob("*.yml"):
        written = path.read_text(encoding="utf-8")
        indented = yaml.safe_load("spec:\n" + "".join(f"  {line}\n" for line in written.splitlines()))

        assert ["groups"] == list(indented["spec"])
        assert yaml.safe_load(written) == indented["spec"]


def test_the_version_is_that_of_the_program() -> None:
    """The default tag of the image exists."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

    assert version == document(*HERE, "Chart.yaml")["appVersion"]


def test_the_default_configuration_is_understood(tmp_path: Path) -> None:
    """What stands in the values and in the README is a configuration without mistakes."""
    (tmp_path / "client-secret").write_text("hush-hush", encoding="utf-8")
    values = document(*HERE, "values.yaml")
    examples = [yaml.safe_load(each) for each in blocks("yaml", *HERE, "README.md")]
    for config in (each["config"] for each in (values, *examples) if "config" in each):
        file = tmp_path / "config.toml"
        file.write_text(
            config.replace("/etc/databricks-jobs-exporter/secrets", str(tmp_path)), encoding="utf-8"
        )

        (workspace,) = load(file, {}).workspaces

        assert "production" == workspace.name
    for example in examples:
        jsonschema.validate(example, data(*HERE, "values.schema.json"))


# ── with Helm ────────────────────────────────────────────────────────────────────────────────────────────────────


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """What Helm says."""
    return subprocess.run([program_named("helm"), *arguments], capture_output=True, text=True, check=False)


def rendered(*settings: str) -> list[dict[str, Any]]:
    """The objects of a release with these settings."""
    flags = [word for setting in settings for word in ("--set", setting)]
    done = helm("template", "jobs", str(CHART), "--namespace", "monitoring", *flags)
    assert 0 == done.returncode, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def test_helm_has_no_objection() -> None:
    """`helm lint` is content."""
    done = helm("lint", "--strict", str(CHART))

    assert 0 == done.returncode, done.stdout


def test_a_release_on_sqlite() -> None:
    """One StatefulSet, and with the options what the Prometheus operator and Grafana load."""
    kinds = [each["kind"] for each in rendered(*(f"{option}.enabled=true" for option in OPTIONS))]

    assert 1 == kinds.count("StatefulSet")
    assert 0 == kinds.count("Deployment")
    assert 1 == kinds.count("ServiceMonitor")
    assert len(list((CHART / "files" / "rules").glob("*.yml"))) == kinds.count("PrometheusRule")
    assert len(list((CHART / "files" / "dashboards").glob("*.json"))) + 1 == kinds.count("ConfigMap")


def test_a_release_on_postgresql() -> None:
    """Collectors and servers, and one target for Prometheus."""
    objects = rendered("store.kind=postgresql", "scrapeConfig.enabled=true")
    replicas = {
        each["metadata"]["name"]: each["spec"]["replicas"] for each in objects if each["kind"] == "Deployment"
    }
    (scrape,) = (each["spec"] for each in objects if each["kind"] == "ScrapeConfig")

    assert {"jobs-collector": 2, "jobs-server": 2} == replicas
    assert [{"targets": ["jobs.monitoring.svc:10977"]}] == scrape["staticConfigs"]


def test_several_servers_are_not_asked_one_by_one() -> None:
    """Sums over them would count everything several times."""
    done = helm("template", "jobs", str(CHART), "--set", "store.kind=postgresql,serviceMonitor.enabled=true")

    assert 0 != done.returncode
    assert "enable scrapeConfig instead" in done.stderr
