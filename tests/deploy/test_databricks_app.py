"""The bundle of the Databricks App: that the CLI accepts it, and that its parts know each other."""

import tomllib
from typing import Any

import jsonschema
import pytest
import yaml

from collector.config import load
from tests.deploy.files import DEPLOY, blocks, data, document, text
from tests.deploy.servers import CLIENT_ID, CLIENT_SECRET, ENDPOINT

HERE = ("deploy", "databricks-app")


@pytest.fixture
def bundle() -> Any:
    """`databricks.yml`."""
    return document(*HERE, "databricks.yml")


@pytest.fixture
def app(bundle: Any) -> Any:
    """The app in it."""
    return bundle["resources"]["apps"]["exporter"]


@pytest.fixture
def environment() -> dict[str, dict[str, str]]:
    """What `app.yaml` adds to the environment, by name."""
    return {each.pop("name"): each for each in document(*HERE, "app.yaml")["env"]}


def test_the_bundle_says_what_a_bundle_may_say(bundle: Any) -> None:
    """No key is misspelt, and no value is one that the platform does not know."""
    jsonschema.validate(bundle, data("tests", "deploy", "bundle.schema.json"))


def test_a_mistake_in_the_bundle_would_be_found(bundle: Any, app: Any) -> None:
    """The schema is strict."""
    app["resources"][1]["postgres"]["instance"] = "jobs"

    with pytest.raises(jsonschema.ValidationError, match=r"'instance' was unexpected"):
        jsonschema.validate(bundle, data("tests", "deploy", "bundle.schema.json"))


def test_every_variable_is_declared_and_used(bundle: Any) -> None:
    """`${var.…}` names what the top of the file declares, and nothing is declared in vain."""
    used = {each for each in bundle["variables"] if "${var." + each + "}" in yaml.safe_dump(bundle)}

    assert set(bundle["variables"]) == used
    assert text(*HERE, "databricks.yml").count("${var.") == len(used)


def test_the_readme_sets_every_variable_without_a_default(bundle: Any) -> None:
    """Whoever copies the steps has named everything."""
    needed = {name for name, variable in bundle["variables"].items() if "default" not in variable}

    steps = "\n".join(blocks("sh", *HERE, "README.md"))

    assert {f"export BUNDLE_VAR_{name}=" for name in needed} == {
        word
        for word in steps.split()
        for word in [f"export {word.partition('=')[0]}="]
        if "BUNDLE_VAR_" in word
    }
    assert "databricks bundle run exporter" in steps


def test_values_come_from_resources_that_the_app_has(
    app: Any, environment: dict[str, dict[str, str]]
) -> None:
    """A `valueFrom` is the key of a resource, else the app does not start."""
    keys = {each["name"] for each in app["resources"]}

    assert keys == {each["valueFrom"] for each in environment.values() if "valueFrom" in each}


def test_the_environment_is_understood(environment: dict[str, dict[str, str]]) -> None:
    """With what the platform sets, the app has a store, a warehouse and a workspace, and no mistake."""
    platform = {
        "DATABRICKS_APP_NAME": "databricks-jobs-exporter",
        "DATABRICKS_APP_PORT": "8000",
        "DATABRICKS_HOST": "dbc-a1b2c3d4-e5f6.cloud.databricks.com",
        "DATABRICKS_CLIENT_ID": CLIENT_ID,
        "DATABRICKS_CLIENT_SECRET": CLIENT_SECRET,
        "PGHOST": "ep-1.database.cloud.databricks.com",
        "PGDATABASE": "databricks_postgres",
        "PGUSER": CLIENT_ID,
    }
    given = {"sql-warehouse": "0123456789abcdef", "postgres": ENDPOINT}
    ours = {name: each.get("value") or given[each["valueFrom"]] for name, each in environment.items()}

    settings = load(None, platform | ours)

    assert settings.store.lakebase
    assert ENDPOINT == settings.store.lakebase.endpoint
    assert ["0123456789abcdef"] == [each.warehouse_id for each in settings.workspaces]
    assert 8000 == settings.server.port


def test_the_command_is_the_one_that_is_installed() -> None:
    """There is no shell: the first word is the program of the package."""
    program = tomllib.loads(text("pyproject.toml"))["project"]["scripts"]

    command = document(*HERE, "app.yaml")["command"]

    assert command[0] in program
    assert ["run"] == command[1:]


def test_what_is_installed_is_what_is_built(bundle: Any) -> None:
    """The wheel has the version of this source, is uploaded although git ignores it, and brings PostgreSQL's driver."""
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    wheel = f"databricks_jobs_exporter-{version}-py3-none-any.whl"

    lines = [line for line in text(*HERE, "requirements.txt").splitlines() if not line.startswith("#")]

    assert ["--constraint constraints.txt", f"./{wheel}[postgresql]"] == lines
    assert ["*.whl", "constraints.txt"] == bundle["sync"]["include"]
    build = bundle["artifacts"]["exporter"]
    assert (DEPLOY / "databricks-app" / build["path"] / "pyproject.toml").is_file()
    assert "--wheel-dir deploy/databricks-app ." in build["build"]
    assert "cp constraints.txt deploy/databricks-app/" in build["build"]


def test_the_app_holds_no_secret() -> None:
    """Neither file has a value that should not be read."""
    written = text(*HERE, "app.yaml") + text(*HERE, "databricks.yml")

    assert [] == [word for word in ("token", "secret", "password:") if f"{word}:" in written.lower()]
