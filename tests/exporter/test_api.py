"""What the API answers, over a real socket and a real store, and what it says to questions that nobody can mean."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from exporter.pages import Pages
from exporter.server import create_app
from tests.exporter.api import HOSTILE, application, served
from tests.exporter.snapshots import active, collector, facts, options, snapshot, workspace
from tests.exporter.store import Clock, MemoryStore
from tests.make import at

PATHS = (
    "/api/health",
    "/api/me",
    "/api/jobs",
    "/api/jobs/runs",
    "/api/billing/usage",
    "/api/billing/by-job",
    "/api/jobs-api/list",
    "/api/jobs-api/runs/7",
    "/api/jobs-api/active",
    "/api/runs/101",
)
ABOUT_DATA = {"as_of", "age_seconds", "stale", "demo", "sources"}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[httpx.Client]:
    with application(tmp_path_factory.mktemp("api"), clock) as app, served(app) as client:
        yield client


def get(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    """What a good question is answered."""
    answer = client.get(path, params=query)
    assert 200 == answer.status_code, answer.text
    assert "application/json" == answer.headers["content-type"]
    found: dict[str, Any] = answer.json()
    return found


def walk(client: httpx.Client, path: str, items: str, key: str, **query: Any) -> list[str]:
    """The items of all parts of a list."""
    found: list[str] = []
    while True:
        page = get(client, path, **query)
        assert len(page[items]) <= page["limit"]
        found += [item[key] for item in page[items]]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


@pytest.mark.parametrize(
    ("path", "items", "fields"),
    [
        ("/api/jobs-api/list", "jobs", "job_id name creator_user_name created_time settings_format"),
        (
            "/api/jobs-api/runs/7",
            "runs",
            "run_id job_id run_name state result_state start_time end_time run_page_url",
        ),
        (
            "/api/jobs-api/active",
            "runs",
            "run_id job_id run_name state result_state start_time end_time run_page_url",
        ),
        (
            "/api/jobs/runs",
            "runs",
            "run_id job_id period_start_time period_end_time run_duration_seconds result_state",
        ),
        ("/api/jobs", "jobs", "job_id name creator_user_name run_as_user_name schedule"),
        ("/api/billing/usage", "usage", "usage_date job_id cluster_id sku_name total_dbus"),
        ("/api/billing/by-job", "jobs", "job_id sku_name total_dbus usage_days"),
    ],
)
def test_fields_of_old(client: httpx.Client, path: str, items: str, fields: str) -> None:
    """Whoever asked the earlier system finds its fields, and beside them workspace, age and paging."""
    answer = get(client, path)

    assert answer[items]
    assert {*fields.split(), "workspace"} <= answer[items][0].keys()
    assert answer.keys() >= ABOUT_DATA | {"limit", "next_cursor"}


def test_health(client: httpx.Client) -> None:
    """It names version and collectors, and is degraded as long as a collector is."""
    answer = get(client, "/api/health")

    assert ("degraded", "1.2.3", True) == (answer["status"], answer["version"], answer["store_readable"])
    assert ["lab", "production"] == [each["workspace"] for each in answer["workspaces"]]
    collectors = answer["workspaces"][1]["collectors"]
    assert ["billing", "definitions", "live"] == [each["collector"] for each in collectors]
    assert [True] * 3 == [each["up"] for each in collectors]


def test_me(client: httpx.Client) -> None:
    """Forwarded headers say nothing outside Databricks Apps."""
    answer = client.get("/api/me", headers={"X-Forwarded-Email": "eve@example.com"}).json()

    assert ("local-dev-user", None, "local") == (answer["display_name"], answer["email"], answer["auth_mode"])


def test_me_on_the_platform(tmp_path: Path) -> None:
    """On Databricks Apps the proxy's headers name the user."""
    with application(tmp_path, Clock(), on_databricks_apps=True) as app, served(app) as client:
        headers = {"X-Forwarded-Preferred-Username": "Ada", "X-Forwarded-Email": "ada@example.com"}
        answer = client.get("/api/me", headers=headers).json()

    assert ("Ada", "ada@example.com", "databricks-apps") == (
        answer["display_name"],
        answer["email"],
        answer["auth_mode"],
    )


def test_a_run(client: httpx.Client) -> None:
    """A run shows its attempts, its tasks in order, its repairs and its parameters without secrets."""
    answer = get(client, "/api/runs/101")

    assert ("FAILED", HOSTILE, 2) == tuple(
        answer["run"][name] for name in ("result_state", "message", "attempts")
    )
    assert [(False, 100.0), (True, 60.0)] == [
        (attempt["repair"], attempt["duration_seconds"]) for attempt in answer["attempts"]
    ]
    details = answer["details"]
    assert ["extract", "load"] == [task["task_key"] for task in details["tasks"]]
    assert (40.0, "77", ["extract"]) == (
        details["tasks"][0]["duration_seconds"],
        details["tasks"][1]["repair_id"],
        details["tasks"][1]["depends_on"],
    )
    assert [("77", "FAILED")] == [(each["repair_id"], each["result_state"]) for each in details["repairs"]]
    assert {"db_password": "********", "day": "today"} == {
        each["name"]: each["value"] for each in details["parameters"]
    }


@pytest.mark.parametrize(("run_id", "why"), [("501", "has ended"), ("200", "not read yet")])
def test_a_run_without_details(client: httpx.Client, run_id: str, why: str) -> None:
    """A run whose tasks are not known says so, and why."""
    answer = get(client, f"/api/runs/{run_id}")

    assert answer["details"] is None
    assert why in answer["details_missing"]


@pytest.mark.parametrize(
    ("path", "items", "key", "number"),
    [
        ("/api/jobs", "jobs", "job_id", 6),
        ("/api/jobs-api/list", "jobs", "job_id", 6),
        ("/api/jobs-api/active", "runs", "run_id", 6),
        ("/api/jobs-api/runs/7", "runs", "run_id", 9),
        ("/api/jobs/runs", "runs", "run_id", 13),
        ("/api/billing/usage", "usage", "usage_date", 7),
        ("/api/billing/by-job", "jobs", "job_id", 2),
    ],
)
def test_paging(client: httpx.Client, path: str, items: str, key: str, number: int) -> None:
    """Parts of any size make up the same list, and none is larger than its limit."""
    whole = [item[key] for item in get(client, path, limit=1000)[items]]

    assert number == len(whole)
    for limit in (1, 2, 1000):
        assert whole == walk(client, path, items, key, limit=limit)


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("/api/jobs-api/active", {"state": ["QUEUED", "PENDING"]}, {"501", "502", "504", "505"}),
        ("/api/jobs-api/active", {"job": "7"}, {"500", "502", "504"}),
        ("/api/jobs-api/active", {"job": "ORD*"}, {"500", "502", "504"}),
        ("/api/jobs-api/active", {"team": "sales"}, {"500", "502", "504"}),
        ("/api/jobs-api/active", {"workspace": "lab"}, set()),
        ("/api/jobs/runs", {"result": "FAILED"}, {"101"}),
        ("/api/jobs/runs", {"job": "9001"}, {"150"}),
        ("/api/jobs/runs", {"job": "*script*", "limit": 3}, {"501", "503", "505"}),
        ("/api/jobs/runs", {"team": "nobody"}, set()),
        ("/api/jobs/runs", {"workspace": "lab"}, set()),
        ("/api/jobs-api/runs/7", {"state": "RUNNING"}, {"500"}),
        ("/api/jobs-api/runs/7", {"since": "2026-03-02T11:59:58Z"}, {"500", "502"}),
        ("/api/jobs-api/runs/7", {"until": "2026-03-02T11:56:40Z", "result": "FAILED"}, {"101"}),
    ],
)
def test_filters(client: httpx.Client, path: str, query: dict[str, Any], found: set[str]) -> None:
    """Runs are found by workspace, job, team, state, result and time."""
    assert found == {run["run_id"] for run in get(client, path, **query)["runs"]}


def test_usage(client: httpx.Client) -> None:
    """Usage is in its own unit and, where that is one, in DBUs; totals are sums over days."""
    other = [row for row in get(client, "/api/billing/usage")["usage"] if row["usage_unit"] == "GB"]
    total = get(client, "/api/billing/by-job", job="7")["jobs"]

    assert [(64.0, None, None, None)] == [
        tuple(row[name] for name in ("usage_quantity", "total_dbus", "list_cost", "job_id")) for row in other
    ]
    assert [(3.0, 0.45, 2, "orders", "sales")] == [
        tuple(row[name] for name in ("total_dbus", "list_cost", "usage_days", "job_name", "team"))
        for row in total
    ]


def test_age() -> None:
    """Data that are not renewed are still shown, with their age, and called stale after a while."""
    clock = Clock()
    app = create_app(_pages(clock), records=_Nothing())
    clock.pass_by(3600)

    with served(app) as client:
        answer = get(client, "/api/jobs-api/active")

    assert (1, True, 3602.0) == (answer["total_active"], answer["stale"], answer["age_seconds"])
    assert "2026-03-02T11:59:58Z" == answer["as_of"]
    assert 3660.0 == answer["runs"][0]["elapsed_seconds"]


def _pages(clock: Clock, **given: Any) -> Pages:
    shown = snapshot(workspace(facts(), active_runs=(active(),), **given))
    pages = Pages(MemoryStore(shown), options(), clock)
    pages.refresh()
    return pages


def test_newest_record(client: httpx.Client) -> None:
    """What comes from the system tables says how far they could see."""
    sources = {source["workspace"]: source for source in get(client, "/api/billing/usage")["sources"]}

    assert "2026-03-02T00:53:20Z" == sources["production"]["newest_record"]
    assert (None, True) == (sources["lab"]["last_success"], sources["lab"]["stale"])
    assert not sources["production"]["stale"]


def test_definitions_may_be_older_than_live_state() -> None:
    """Each collector is stale by its own interval."""
    definitions = collector("definitions", interval=timedelta(minutes=5), last_success=at(-600))
    app = create_app(_pages(Clock(), collectors=(collector(), definitions)), records=_Nothing())

    with served(app) as client:
        assert not get(client, "/api/jobs")["stale"]


@pytest.mark.parametrize(
    ("path", "parameter", "said"),
    [
        ("/api/jobs/runs?days=0", "days", "1 to 90"),
        ("/api/jobs/runs?days=91", "days", "1 to 90"),
        ("/api/jobs/runs?days=x", "days", "1 to 90"),
        ("/api/billing/usage?days=366", "days", "1 to 365"),
        ("/api/jobs?limit=0", "limit", "1 to 1000"),
        ("/api/jobs?limit=1&limit=2", "limit", "1 to 1000"),
        ("/api/jobs-api/active?limit=10001", "limit", "1 to 10000"),
        ("/api/jobs-api/active?state=TERMINATED", "state", "QUEUED"),
        ("/api/jobs/runs?result=GOOD", "result", "SUCCESS"),
        ("/api/jobs?workspace=nix", "workspace", "lab, production"),
        ("/api/jobs?worksapce=lab", "worksapce", "workspace, job, team"),
        ("/api/health?deep=1", "deep", "none"),
        ("/api/jobs-api/runs/seven", "job_id", "digits"),
        ("/api/runs/1e3", "run_id", "digits"),
        ("/api/jobs-api/runs/7?since=yesterday", "since", "ISO 8601"),
        ("/api/jobs-api/runs/7?since=2026-03-02T12:00:00", "since", "ISO 8601"),
        ("/api/jobs-api/runs/7?since=0001-01-01T00:00:00Z", "since", "1970"),
        (
            "/api/jobs-api/runs/7?since=2026-03-02T12:00:00Z&until=2026-03-02T11:00:00Z",
            "until",
            "after since",
        ),
        ("/api/jobs?cursor=AAAA", "cursor", "next_cursor"),
        ("/api/jobs/runs?cursor=W10", "cursor", "next_cursor"),
        (f"/api/jobs?job={'x' * 257}", "job", "256"),
        (f"/api/jobs?{quote(HOSTILE)}=1", HOSTILE[:49] + "…", "workspace"),
    ],
)
def test_wrong_parameters(client: httpx.Client, path: str, parameter: str, said: str) -> None:
    """Every wrong parameter is named, with what is allowed."""
    answer = client.get(path)

    assert 422 == answer.status_code, answer.text
    problem = answer.json()["problems"][0]
    assert parameter == problem["parameter"]
    assert said in problem["allowed"]


@pytest.mark.parametrize("path", ["/api/jobs-api/runs/99", "/api/runs/99", "/api/runs/101?workspace=lab"])
def test_unknown_ids(client: httpx.Client, path: str) -> None:
    """An id that the store does not know is 404."""
    answer = client.get(path)

    assert 404 == answer.status_code
    assert "not known" in answer.json()["detail"]


def test_a_known_job_without_runs(client: httpx.Client) -> None:
    """A job that has no runs, or none that fit, is known all the same."""
    assert [] == get(client, "/api/jobs-api/runs/10")["runs"]
    assert [] == get(client, "/api/jobs-api/runs/9001", result="FAILED")["runs"]


@pytest.mark.parametrize("path", PATHS)
def test_before_a_snapshot(path: str) -> None:
    """Before the store was read the API says so, and is alive."""
    app = create_app(Pages(MemoryStore(None), options(), Clock()), records=_Nothing())

    with served(app) as client:
        answer = client.get(path)

    assert (200 if path in {"/api/health", "/api/me"} else 503) == answer.status_code
    if path == "/api/health":
        assert "starting" == answer.json()["status"]


@pytest.mark.parametrize("path", PATHS)
def test_head(client: httpx.Client, path: str) -> None:
    """HEAD answers as GET does, without the body."""
    answer = client.head(path)

    assert (200, b"") == (answer.status_code, answer.content)


def test_document(client: httpx.Client) -> None:
    """The OpenAPI document has every path once, and a word on every parameter and field."""
    document = client.get("/openapi.json").json()

    paths = {path.replace("/7", "/{job_id}").replace("/101", "/{run_id}") for path in PATHS}
    assert paths == document["paths"].keys()
    assert {"get"} == {method for operations in document["paths"].values() for method in operations}
    for operations in document["paths"].values():
        assert operations["get"]["description"]
        assert all(parameter["description"] for parameter in operations["get"].get("parameters", ()))


def test_written_documentation(client: httpx.Client) -> None:
    """The page in docs/ names every path, and no path or field that there is not."""
    document = client.get("/openapi.json").json()
    written = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| `(/api/[^?`]*)[^`]*` \| (.*) \|$", written, re.MULTILINE)
    fields = {name for model in document["components"]["schemas"].values() for name in model["properties"]}
    assert document["paths"].keys() == {path for path, _ in rows}
    for _, about in rows:
        first = re.match(r"`([a-z_, ]+)`", about)
        assert {*(first[1].split(", ") if first else ())} <= fields


def test_docs_page_needs_nobody_else(client: httpx.Client) -> None:
    """The page and all that it loads come from this server, and its policy lets nothing else in."""
    page = client.get("/docs")
    loaded = [part.split('"')[1] for part in page.text.replace("href=", "src=").split("src=")[1:]]

    assert "http" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert 5 == len([name for name in loaded if not name.startswith("data:")])
    for name in loaded:
        if not name.startswith("data:"):
            assert 200 == client.get(f"/{name}").status_code, name


def test_what_is_not_there(client: httpx.Client) -> None:
    """Paths beside the API are as everywhere."""
    assert 404 == client.get("/api/nothing").status_code
    assert 404 == client.get("/docs/..%2fdocs.html").status_code


def test_a_store_that_fails(tmp_path: Path) -> None:
    """While the store does not answer, questions to it say so; what is in memory is answered."""
    with application(tmp_path, Clock()) as app, served(app) as client:
        for file in tmp_path.glob("api.db*"):
            file.unlink()
        broken, held = client.get("/api/runs/101"), client.get("/api/jobs-api/active")

    assert (503, 200) == (broken.status_code, held.status_code)
    assert {"detail", "problems"} == broken.json().keys()
    assert str(tmp_path) not in broken.text


class _Nothing:
    """A store without runs and usage."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def test_no_digits_are_lost(client: httpx.Client) -> None:
    """Ids are strings in every answer."""
    for path in PATHS:
        for name, value in _fields(json.loads(client.get(path).text)):
            assert not name.endswith("_id") or value is None or isinstance(value, str)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from _fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item)
