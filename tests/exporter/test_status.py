"""The pages for people, as a browser gets them."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from collector.core.model import Agreement, Named, Target
from collector.core.records import MASKED, Parameter, RepairDetail
from collector.core.snapshot import Snapshot
from exporter.pages import Pages
from exporter.server import create_app
from exporter.status.history import History, NoHistory
from exporter.status.overview import overview
from exporter.status.paging import PAGE, TOP
from exporter.status.question import Question
from exporter.view import view
from tests.exporter.history import MemoryHistory, attempt, detailed, run_record, task, why
from tests.exporter.html import Html
from tests.exporter.snapshots import active, collector, facts, options, rich, snapshot, source, workspace
from tests.exporter.store import Clock, MemoryStore
from tests.make import NOON, at

HOSTILE = (
    '<script>alert("x")</script>',
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7 * 7 }}{% raw %}",
    "x" * 4096,
    "\u202egnp.exe\u202c عربي",
    "</title></svg>&lt;&amp;",
)
JOB, RUN = "/jobs/prod/7", "/runs/prod/480"


class Site:
    """The pages over this snapshot and history, at noon."""

    def __init__(self, shown: Snapshot | None, history: History | None = None, **given: object) -> None:
        self.store = MemoryStore(shown)
        self.pages = Pages(self.store, options(**given), Clock())
        self.pages.refresh()
        self._app = create_app(self.pages, history or MemoryHistory())

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """The answer, still packed where it was."""

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
                return await client.request(method, path, headers=headers or {"Accept-Encoding": "identity"})

        return asyncio.run(answer())


def page(shown: Snapshot | None, path: str = "/", history: History | None = None, **given: object) -> Html:
    """The page, which has to be there."""
    answer = Site(shown, history, **given).get(path)
    assert 200 == answer.status_code, answer.text
    return Html(answer.text)


def failing_job(job_id: str = "7", name: str = "orders", **given: object) -> object:
    """Facts of a job that failed twice."""
    told = {
        "consecutive_failures": 2,
        "last_result": "FAILED",
        "last_end": at(-600),
        "last_success": at(-7200),
    }
    return facts(job_id, name, **(told | given))


# ── the overview ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_fails_is_told_with_its_reason() -> None:
    """How often, since when, the message, and links to the run here and in Databricks."""
    shown = page(snapshot(workspace(failing_job())), history=MemoryHistory(failing=[why()]))

    text = shown.text("failing")
    for told in (
        *("Failing now 1", "orders", "2 in a row", "since 1 h ago", "succeeded 2 h ago", "failed 10 min ago"),
        *("run execution error", "Workload failed, see run output for details"),
    ):
        assert told in text
    assert {"./jobs/prod/7", "./runs/prod/480", "https://prod.example.com/?o=1001#job/7/run/480"} <= {
        *shown.links()
    }


def test_what_fails_is_told_without_the_store() -> None:
    """When runs cannot be read the page shows what the snapshot knows, and says what is missing."""
    shown = page(snapshot(workspace(failing_job())), history=MemoryHistory(broken=True))

    assert "The store did not say why jobs fail." in shown.text("notes")
    assert "2 in a row" in shown.text("failing")


def test_active_runs_against_median_and_sla() -> None:
    """A run is shown with what its job usually takes, its SLA, and whether it broke it."""
    job = facts(
        median=timedelta(minutes=8),
        agreement=Agreement(target=Target(sla=timedelta(minutes=45), source="tag")),
    )
    runs = (
        active("501", started=at(-3600)),
        active("502", state="QUEUED", queue_reason="MAX_CONCURRENT_RUNS_REACHED", started=at(-40)),
        active("601", job_id="90001", run_type="SUBMIT_RUN", name="an adhoc query"),
    )

    shown = page(snapshot(workspace(job, active_runs=runs)))

    text = shown.text("active")
    for told in (
        *("Active runs 3", "over SLA", "1 h", "usually 8 min, SLA 45 min", "queued", "40 s"),
        *("max concurrent runs reached", "an adhoc query", "one-time run"),
    ):
        assert told in text
    tiles = shown.text("tiles")
    assert "2 running" in tiles
    assert "1 queued" in tiles
    assert "1 slow or over SLA" in tiles


def test_jobs_that_did_not_start() -> None:
    """A missed start is told with its due time, the last start and the schedule."""
    schedule = {"trigger_type": "SCHEDULE", "quartz_cron_expression": "0 0 11 * * ?", "timezone_id": "UTC"}
    job = facts(definition=schedule, last_start=at(-90_000))

    text = page(snapshot(workspace(job, horizon=at(-86_400)))).text("late")

    for told in (
        "Not started when due 1",
        "1 h ago",
        "11:00 UTC",
        "1 d 1 h ago",
        "in 23 h",
        "0 0 11 * * ? UTC",
    ):
        assert told in text


def test_cost_with_its_age() -> None:
    """Cost of the last day and the month by team and job, up to which day, and when it was read."""
    shown = page(rich(), "/?workspace=prod")

    text = shown.text("cost")
    for told in (
        "At list price",
        "Up to the end of 1 March 2026, read 0 s ago",
        "sales",
        "orders",
        "no team",
    ):
        assert told in text
    assert "last complete day" in shown.text("tiles")
    assert "Not known: no billing table has been read" in page(snapshot(workspace(facts()))).text("cost")


def test_collectors_with_age_and_error() -> None:
    """A person sees what is collected, how old it is, what went wrong, and how recent the system tables are."""
    failing = collector("definitions", last_success=at(-3900), error="throttled", message="HTTP 429")
    refused = source("usage", newest=at(-7200), error="refused", message="GRANT SELECT ON SCHEMA x")

    text = page(snapshot(workspace(facts(), collectors=(collector(), failing), sources=(refused,)))).text(
        "collectors"
    )

    for told in (
        *("prod", "down", "https://prod.example.com , 1 job", "2 s ago", "1 h 5 min ago"),
        *("throttled: HTTP 429", "usage 2 h ago", "refused: GRANT SELECT ON SCHEMA x"),
    ):
        assert told in text


def test_several_workspaces_are_told_apart() -> None:
    """With several workspaces rows name theirs, and the filter offers them."""
    both = snapshot(workspace(failing_job()), workspace(failing_job(), name="lab"))

    shown = page(both)
    one = page(both, "/?workspace=lab")

    assert "orders prod" in shown.text("failing")
    assert "orders lab" in shown.text("failing")
    assert "Failing now 1 " in one.text("failing")
    assert "./jobs/lab/7" in one.links()
    assert "./jobs/prod/7" not in one.links()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"orders", "clicks"}),
        ("?team=sales", {"orders"}),
        ("?q=LICK", {"clicks"}),
        ("?q=8", {"clicks"}),
        ("?team=sales&q=click", set()),
        ("?team=unheard", set()),
        ("?workspace=unheard", set()),
    ],
)
def test_filters_work_by_address(query: str, names: set[str]) -> None:
    """Search and filters are links like any other, and the form keeps what was asked."""
    sales = Agreement(team=Named(name="sales", source="tag"))
    shown = page(snapshot(workspace(failing_job(agreement=sales), failing_job("8", "clicks"))), f"/{query}")

    assert names == {name for name in ("orders", "clicks") if name in shown.text("failing")}
    assert names == {name for name in ("orders", "clicks") if name in shown.text("jobs")}
    fields = {given.get("name"): given.get("value", "") for tag, given in shown.tags if tag == "input"}
    assert dict(httpx.QueryParams(query.removeprefix("?"))).get("q", "") == fields["q"]


def test_two_thousand_active_runs_stay_readable() -> None:
    """The overview shows the top and a link to all, which come in pages."""
    runs = tuple(active(f"{number}", started=at(-number)) for number in range(1, 2001))
    busy = snapshot(workspace(facts(), active_runs=runs))

    client = Site(busy)
    first, alone, last = (
        Html(client.get(path).text) for path in ("/", "/?show=active", "/?show=active&page=40")
    )

    assert "Active runs 2,000" in first.text("active")
    assert "?show=active" in first.links()
    assert TOP == sum(link.startswith("./runs/") for link in first.links()) / 2
    assert PAGE == sum(link.startswith("./runs/") for link in alone.links()) / 2
    assert "1 to 50 of 2,000" in alone.text("active")
    assert "failing" not in alone.ids
    assert "1,951 to 2,000 of 2,000" in last.text("active")


@pytest.mark.parametrize(
    ("show", "runs"), [("running", {"501"}), ("queued", {"502"}), ("slow", set()), ("active", {"501", "502"})]
)
def test_runs_by_state(show: str, runs: set[str]) -> None:
    """The table of runs can be cut down to a state."""
    both = (active("501"), active("502", state="QUEUED"))

    shown = page(snapshot(workspace(facts(), active_runs=both)), f"/?show={show}")

    assert runs == {link.removeprefix("./runs/prod/") for link in shown.links() if "./runs/" in link}


# ── when there is nothing, or nothing new ────────────────────────────────────────────────────────────────────────


def test_quiet_workspace() -> None:
    """With nothing to tell the page says so in words."""
    text = page(snapshot(workspace(facts()))).text()

    for told in (
        "No job fails: each has succeeded since its last failure.",
        "Every scheduled job has started when it was due.",
        "Nothing runs and nothing waits.",
    ):
        assert told in text


def test_empty_and_unread_stores_say_so() -> None:
    """No workspace, no poll, no snapshot and no store each have words of their own."""
    broken = Site(snapshot(workspace(facts())))
    broken.store.shown = None
    broken.pages.refresh()

    assert "The store is empty: no workspace has been registered yet." in page(snapshot()).text("notes")
    assert "No poll has finished yet." in page(snapshot(workspace(collectors=()))).text("collectors")
    assert "Nothing is loaded yet" in page(None).text()
    assert "The store cannot be read at the moment; what is shown may be old." in broken.get("/").text


def test_stale_data_do_not_look_fresh() -> None:
    """A workspace whose polls fail is named with the age of what is known and the reason, and nothing is claimed."""
    lost = workspace(
        facts(),
        name="lost",
        collectors=(collector(last_success=at(-3600), error="unreachable", message="no route"),),
        active_runs=(active(),),
    )

    shown = page(snapshot(lost))

    assert "lost is not up to date. The last successful poll was 1 h ago" in shown.text("notes")
    assert "unreachable: no route" in shown.text("notes")
    assert "? running is not known" in shown.text("tiles")
    assert "Not known." in shown.text("active")
    assert "Not known." in shown.text("late")


def test_demo_is_visible() -> None:
    """Simulated data are never taken for real ones."""
    assert "demo: simulated data" in page(snapshot(), demo=True).text()
    assert "demo" not in page(snapshot()).text()


# ── the page of a job ────────────────────────────────────────────────────────────────────────────────────────────


def test_job_page() -> None:
    """A job with its agreement, cost, due times, chart and recent runs."""
    runs = (
        run_record(result="FAILED", termination_code="DRIVER_ERROR", message="out of memory"),
        run_record("470", attempts=(attempt(), attempt())),
    )

    shown = page(rich(), JOB, MemoryHistory(*runs))

    for told in (
        *(
            "orders",
            "job 7",
            "team sales",
            "owner Ada",
            "Failing: 2 failed attempts",
            "20 min",
            "9 in 10 within",
        ),
        *("45 min by tag", "of 58 in 30 days", "0 0 6 * * ?", "Europe/Berlin", "Last complete day"),
        *("Monthly budget 1,500 DBU", "2 runs: 1 failed, 1 success", "SLA 45 min", "driver error"),
        *("out of memory", "2 attempts", "Active now"),
    ):
        assert told in shown.text(), told
    assert {"../../", "../../runs/prod/480", "https://prod.example.com/?o=1001#job/7"} <= {*shown.links()}


def test_run_page() -> None:
    """A run with its tasks along time, attempts, repairs, parameters and termination."""
    details = detailed(
        task("extract"),
        task(
            "load",
            run_id="901",
            depends_on=("extract",),
            attempt=1,
            result="FAILED",
            termination_code="RUN_EXECUTION_ERROR",
            message="boom",
        ),
        task("publish", run_id="902", result="UPSTREAM_FAILED", started=None, ended=None),
        parameters=(Parameter(name="api_token", value=MASKED), Parameter(name="day", value="2026-03-01")),
        repairs=(RepairDetail(repair_id="77", result="SUCCESS", started=at(-300)),),
    )
    run = run_record(
        result="FAILED",
        termination_code="RUN_EXECUTION_ERROR",
        termination_type="CLIENT_ERROR",
        message="Task load failed",
        details=details,
    )

    shown = page(rich(), RUN, MemoryHistory(run))

    for told in (
        *("Run 480", "orders", "Task load failed", "run execution error", "client error", "usually 20 min"),
        *("Tasks 3", "extract", "after extract", "retry 1", "boom", "setup 10 s, execution 50 s"),
        *("upstream failed", "Repairs 1", "77", "api_token", MASKED, "2026-03-01", "Attempts 1"),
    ):
        assert told in shown.text(), told
    bars = [given for tag, given in shown.tags if tag == "rect" and given.get("height") == "12"]
    assert [("0.0%", "16.67%", "waiting"), ("16.67%", "83.33%", "success")] == [
        (bar["x"], bar["width"], bar["class"]) for bar in bars[:2]
    ]
    assert "../../jobs/prod/7" in shown.links()


def test_run_without_details() -> None:
    """What was not read, or is not kept any more, is not shown as nothing."""
    over = page(rich(), RUN, MemoryHistory(run_record()))
    going = run_record(active=True, ended=None, result="", state="RUNNING", attempts=())

    assert "they were not read yet, or are older than the store keeps them" in over.text("tasks")
    assert "they are read when the run has ended" in page(rich(), RUN, MemoryHistory(going)).text("tasks")


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/?show=all", 422, "show is one of"),
        ("/?page=0", 422, "page is a whole number"),
        ("/jobs/prod/404", 404, "The store holds no job 404 of a workspace prod"),
        ("/jobs/nowhere/7", 404, "No such job"),
        ("/runs/prod/404", 404, "No such run"),
        ("/runs/prod/%3Cb%3E%00%ff", 404, "No such run"),
        ("/static/%2e%2e/site.py", 404, "not found"),
        ("/static/other.css", 404, "not found"),
    ],
)
def test_refusals(path: str, status: int, told: str) -> None:
    """What is wrong or not there is said with its status."""
    client = Site(rich())
    answer = client.get(path)

    assert status == answer.status_code
    assert told in answer.text
    assert "<b>" not in answer.text


def test_single_pages_without_the_store() -> None:
    """While the store cannot be read, pages of single jobs and runs say that, with 503."""
    client = Site(rich(), MemoryHistory(broken=True))
    answers = [client.get(path) for path in (JOB, RUN)]

    assert [503, 503] == [answer.status_code for answer in answers]
    assert all("The store cannot be read" in Html(answer.text).text() for answer in answers)


@pytest.mark.parametrize("text", HOSTILE)
def test_everything_is_escaped(text: str) -> None:
    """Names and messages of others cannot become part of any page, whatever is in them."""
    nasty = workspace(
        failing_job(name=text, agreement=Agreement(team=Named(name=text, source="tag"))),
        host=text,
        collectors=(collector(text, error="internal", message=text), collector()),
        active_runs=(active(name=text, state=text, queue_reason=text, url=f"javascript:{text}"),),
        sources=(source(text, error="refused", message=text),),
    )
    run = run_record(
        name=text,
        message=text,
        result="FAILED",
        termination_code=text,
        details=detailed(
            task(text, message=text, result="FAILED", url=f"javascript:{text}", depends_on=(text,)),
            parameters=(Parameter(name=text, value=text, default=text),),
        ),
    )
    history = MemoryHistory(run, failing=[why(message=text, url=text)])

    client = Site(snapshot(nasty), history, version=text)
    answers = [
        client.get(path) for path in ("/", JOB, RUN, f"/?{httpx.QueryParams(q=text[:200], team=text[:200])}")
    ]

    for answer in answers:
        shown = Html(answer.text)
        assert ["script"] == [tag for tag, _ in shown.tags if tag in {"script", "style", "iframe", "base"}]
        assert ["icon.svg"] * 1 == [
            Path(given["src"]).name.split("?")[0] for tag, given in shown.tags if tag == "img"
        ]
        assert not [given for _, given in shown.tags if any(name.startswith("on") for name in given)]
        assert not [link for link in shown.links() if link.lower().startswith(("javascript", "data"))]
        assert " ".join(text.split())[:150] in " ".join(shown.words())
        assert "49" not in shown.text("failing")


@pytest.mark.parametrize("path", ["/", "/?show=active", JOB, RUN])
def test_tables_can_be_scrolled_with_the_keyboard(path: str) -> None:
    """A table that is wider than the screen may hold no link that the focus could go to."""
    details = detailed(task(), parameters=(Parameter(name="day", value="x" * 200),))
    client = Site(rich(), MemoryHistory(run_record(details=details)))

    tables = [given for _, given in Html(client.get(path).text).tags if given.get("class") == "table"]

    assert tables
    assert {"0"} == {given.get("tabindex") for given in tables}


# ── what the browser is told ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", JOB, RUN, "/jobs/prod/404"])
def test_pages_are_locked_down(path: str) -> None:
    """Pages load the exporter's own files alone, hold no script or style of their own, and cannot be framed."""
    client = Site(rich(), MemoryHistory(run_record(details=detailed(task()))))
    answer = client.get(path)
    shown = Html(answer.text)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "no-store" == answer.headers["cache-control"]
    assert not [given for _, given in shown.tags if "style" in given]
    assert not re.search(r"<script(?! src=)", answer.text)
    assert len(shown.ids) == len(set(shown.ids))


@pytest.mark.parametrize(
    ("path", "root"), [("/", "./"), (JOB, "../../"), (RUN, "../../"), ("/runs/prod/404", "../../")]
)
def test_links_survive_a_path_prefix(path: str, root: str) -> None:
    """Metrics, API and the page's own files are found relative to the page; documentation is where it was told."""
    client = Site(rich(), MemoryHistory(run_record()))
    shown = Html(client.get(path).text)

    own = [
        given.get("href") or given.get("src", "") for tag, given in shown.tags if tag in {"link", "script"}
    ]
    assert {f"{root}metrics", f"{root}docs", root} <= {*shown.links()}
    assert all(address.startswith(f"{root}static/") for address in own)
    assert any(link.startswith("https://github.com/") for link in shown.links())
    assert not [link for link in shown.links() if link.startswith("/")]


def test_files_are_kept_by_browsers_until_they_change() -> None:
    """A file is asked for by its version and kept for ever; without the right version it is asked for again."""
    client = Site(snapshot())
    shown = Html(client.get("/").text)
    (style,) = (given["href"] for _, given in shown.tags if given.get("rel") == "stylesheet")
    current, other = client.get(style), client.get("/static/page.css?v=0")

    assert "public, max-age=31536000, immutable" == current.headers["cache-control"]
    assert "no-cache" == other.headers["cache-control"]
    assert "text/css; charset=utf-8" == current.headers["content-type"]
    assert current.content == other.content


def test_pages_are_packed_for_those_who_can_read_that() -> None:
    """Compression follows the request, and HEAD has the headers of GET."""
    client = Site(rich())
    plain, head = client.get("/"), client.get("/", "HEAD")
    packed = client.get("/", **{"Accept-Encoding": "gzip"})

    assert plain.content == packed.content
    assert ("gzip", None) == tuple(each.headers.get("content-encoding") for each in (packed, plain))
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert "Accept-Encoding" == packed.headers["vary"]
    assert (b"", plain.headers["content-length"]) == (head.content, head.headers["content-length"])


def test_light_and_dark_follow_the_system_and_the_switch() -> None:
    """Every colour has a light and a dark value, and the switch overrules the system."""
    style = (Path(__file__).parents[2] / "exporter/status/assets/page.css").read_text(encoding="utf-8")

    assert "color-scheme: light dark" in style
    assert ':root[data-theme="dark"] { color-scheme: dark; }' in style
    assert '<meta name="color-scheme" content="light dark">' in page_text()
    assert 'id="theme"' in page_text()


def page_text() -> str:
    """The source of an empty overview."""
    client = Site(snapshot())
    return client.get("/").text


# ── size ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_jobs_are_cut_to_their_top() -> None:
    """The overview of 10,000 jobs and 2,000 active runs counts all of them and shows ten of each kind."""
    team = [Agreement(team=Named(name=f"team-{number}", source="tag")) for number in range(20)]
    jobs = [
        facts(
            f"{number}",
            f"job {number}",
            agreement=team[number % 20],
            consecutive_failures=number % 10 == 0,
            last_end=at(-60),
            last_result="FAILED",
            median=timedelta(minutes=3),
        )
        for number in range(1, 10_001)
    ]
    runs = tuple(active(f"{number}", job_id=f"{number}") for number in range(1, 2001))
    full = snapshot(workspace(*jobs, active_runs=runs))

    shown = overview(view(full, options(), NOON), NoHistory(), Question(), NOON)

    assert (10_000, 2_000, 1_000) == (shown.jobs.total, shown.active.total, shown.failing.total)
    assert [10, 10, 10] == [len(table.rows) for table in (shown.jobs, shown.active, shown.failing)]
