"""The plain manifests: closed pods, probes and ports that exist, and a configuration that the program understands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.config import Settings, load
from databricks_jobs_exporter.commands import COMMANDS
from tests.deploy.files import documents, text

FILES = ("sqlite.yaml", "postgresql.yaml")
SECRETS = "/etc/databricks-jobs-exporter/secrets"
PATHS = {"/-/healthy", "/-/ready", "/metrics"}
"""Of `exporter/server.py`, whose own tests know them too."""

Manifest = dict[str, Any]


def manifests(name: str) -> list[Manifest]:
    """The objects of a file."""
    return documents("deploy", "kubernetes", name)


def workloads(name: str) -> Iterator[tuple[Manifest, Manifest, Manifest]]:
    """Each workload with its pod and the one container in it."""
    for each in manifests(name):
        if each["kind"] in {"Deployment", "StatefulSet"}:
            pod = each["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            yield each, pod, container


def configured(name: str, folder: Path) -> Settings:
    """What the program reads in the pod, with the Secret's files in a folder."""
    (config,) = (each["data"] for each in manifests(name) if each["kind"] == "ConfigMap")
    for secret, content in (
        ("client-secret", "hush-hush"),
        ("store-url", "postgresql+psycopg://me:hush@db/jobs"),
    ):
        (folder / secret).write_text(content, encoding="utf-8")
    file = folder / "config.toml"
    file.write_text(config["config.toml"].replace(SECRETS, str(folder)), encoding="utf-8")
    variables = {
        each["name"]: each["value"].replace(SECRETS, str(folder))
        for _, _, container in workloads(name)
        for each in container.get("env", [])
    }
    return load(file, variables)


@pytest.mark.parametrize("name", FILES)
def test_pods_are_closed(name: str) -> None:
    """They satisfy the restricted Pod Security Standard, write nowhere but in volumes, and know no Kubernetes API."""
    for _, pod, container in workloads(name):
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
        assert {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        } == container["securityContext"]
        assert {"configMap", "emptyDir", "secret"} >= {
            kind for volume in pod["volumes"] for kind in volume if kind != "name"
        }


@pytest.mark.parametrize("name", FILES)
def test_pods_have_requests_and_a_limit_of_memory(name: str) -> None:
    """None of them can take a node down; processor time is not limited, which would only slow scrapes."""
    for _, _, container in workloads(name):
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        assert {"memory"} == set(container["resources"]["limits"])


@pytest.mark.parametrize("name", FILES)
def test_probes_and_service_reach_what_is_served(name: str) -> None:
    """What answers has both probes at paths that exist, and the Service finds exactly those pods, at the same port."""
    (service,) = (each["spec"] for each in manifests(name) if each["kind"] == "Service")
    for workload, _, container in workloads(name):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        chosen = service["selector"].items() <= labels.items()
        serves = container["args"][0] in {"run", "serve"}
        probes = {kind: probe for kind, probe in container.items() if kind.endswith("Probe")}

        assert serves == chosen == bool(container.get("ports"))
        assert {"livenessProbe", "readinessProbe"} <= set(probes) or not serves
        assert PATHS > {probe["httpGet"]["path"] for probe in probes.values()}
        assert {"http"} >= {probe["httpGet"]["port"] for probe in probes.values()}
        assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert container["args"][0] in COMMANDS
    assert [(10977, "http")] == [(port["port"], port["targetPort"]) for port in service["ports"]]


@pytest.mark.parametrize("name", FILES)
def test_every_mount_has_its_volume(name: str) -> None:
    """And every volume is mounted."""
    for workload, pod, container in workloads(name):
        claims = [each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])]
        volumes = {volume["name"] for volume in pod["volumes"]} | set(claims)

        assert volumes == {mount["name"] for mount in container["volumeMounts"]}


def test_sqlite_has_one_writer_and_its_own_disk(tmp_path: Path) -> None:
    """One replica that is never doubled, with the store of the default settings on its volume."""
    ((workload, _, container),) = workloads("sqlite.yaml")
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}

    settings = configured("sqlite.yaml", tmp_path)

    assert ("StatefulSet", 1) == (workload["kind"], workload["spec"]["replicas"])
    assert "/data" == mounts["data"]
    assert "sqlite:///databricks-jobs.db" == settings.store.url
    assert "WORKDIR /data\n" in text("Dockerfile")


def test_postgresql_has_a_standby_for_everything(tmp_path: Path) -> None:
    """Two collectors and two servers over the store of the Secret, never all drained at once."""
    kinds = {container["args"][0]: workload for workload, _, container in workloads("postgresql.yaml")}

    settings = configured("postgresql.yaml", tmp_path)

    assert {"collect": 2, "serve": 2} == {name: each["spec"]["replicas"] for name, each in kinds.items()}
    assert "postgresql+psycopg://me:hush@db/jobs" == settings.store.url
    budgets = [each for each in manifests("postgresql.yaml") if each["kind"] == "PodDisruptionBudget"]
    assert [each["spec"]["selector"] for each in kinds.values()] == [
        budget["spec"]["selector"] for budget in budgets
    ]


@pytest.mark.parametrize("name", FILES)
def test_the_secret_of_the_readme_has_what_the_pods_name(name: str, tmp_path: Path) -> None:
    """Every file that the configuration or the environment names is a key of the Secret that the steps make."""
    steps = text("deploy", "kubernetes", "README.md")
    named = {
        word.strip("\"',").removeprefix(f"{SECRETS}/")
        for word in text("deploy", "kubernetes", name).split()
        if word.strip("\"',").startswith(f"{SECRETS}/")
    }

    (workspace,) = configured(name, tmp_path).workspaces

    assert workspace.client_secret
    assert "client-secret" in named
    assert [] == [key for key in named if f"--from-file={key}=" not in steps]


def test_the_service_monitor_finds_the_service() -> None:
    """By its label and the name of its port, at a path that exists."""
    (monitor,) = manifests("servicemonitor.yaml")
    (service,) = (each for each in manifests("sqlite.yaml") if each["kind"] == "Service")
    (endpoint,) = monitor["spec"]["endpoints"]

    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["path"] in PATHS
