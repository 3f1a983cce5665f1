"""What the status page shows, before anything of it is drawn."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from collector.core.bill import bill
from collector.core.failing import Ending
from collector.core.model import Agreement, Budget, Named, Target
from collector.core.snapshot import WorkspaceSnapshot
from exporter.due import Due
from exporter.status import words
from exporter.status.charts import SPARK_BARS, durations, meter, spark, stretch, ticks
from exporter.status.collecting import collecting
from exporter.status.cost import costs
from exporter.status.failing import failing
from exporter.status.late import late, missed
from exporter.status.links import job_in_databricks, job_page, run_in_databricks, web_only
from exporter.status.paging import PAGE, TOP, paged, top
from exporter.status.question import BadQuestionError, Question, Show, question
from exporter.status.running import Pace, by_need, running
from exporter.view import JobView, WorkspaceView, view
from tests.exporter.history import attempt, run_record
from tests.exporter.snapshots import active, collector, facts, options, snapshot, workspace
from tests.make import NOON, at, make_usage

MINUTE = timedelta(minutes=1)
ALL = Question()
DAILY = {"trigger_type": "SCHEDULE", "quartz_cron_expression": "0 0 11 * * ?", "timezone_id": "UTC"}


def seen(of: WorkspaceSnapshot) -> WorkspaceView:
    """The workspace at noon."""
    (shown,) = view(snapshot(of), options(), NOON).workspaces
    return shown


def held_to(minutes: float) -> Agreement:
    """An SLA."""
    return Agreement(target=Target(sla=timedelta(minutes=minutes), source="tag"))


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *((-5, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 min"), (3_661, "1 h 1 min")),
        *((90_000, "1 d 1 h"), (86_460, "1 d"), (3_605, "1 h")),
    ],
)
def test_span(seconds: float, expected: str) -> None:
    """Lengths are told in their two largest units, which follow each other."""
    assert expected == words.span(timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("then", "expected"), [(None, "never"), (at(-75), "1 min 15 s ago"), (at(-725), "12 min ago")]
)
def test_ago(then: datetime | None, expected: str) -> None:
    """Nobody counts the seconds of what is ten minutes old."""
    assert expected == words.ago(then, NOON)


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        (at(-3600), "11:00"),
        (at(-86_400 * 2), "28 Feb 12:00"),
        (datetime(2025, 7, 9, tzinfo=UTC), "9 Jul 2025"),
    ],
)
def test_short(then: datetime, expected: str) -> None:
    """An instant is as short as it is clear."""
    assert expected == words.short(then, NOON)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        *(("12.346", "$12.35"), ("1234.5", "$1,234"), ("0", "$0.00"), ("0.001", "$< 0.01")),
        *(("-3", "−$3.00"), ("999.999", "$1,000.00")),
    ],
)
def test_money(amount: str, expected: str) -> None:
    """Money is exact to the hundredth where that matters, and what is not nothing does not look like it."""
    assert expected == words.money(Decimal(amount), "USD")


def test_other_currencies() -> None:
    """Amounts of several currencies stand side by side; a rare one is named by its code."""
    assert "$1.00 + CHF 2.50" == words.sums([("USD", Decimal(1)), ("CHF", Decimal("2.5"))])
    assert "" == words.sums([])


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0", "0"), ("0.333", "0.33"), ("12.34", "12.3"), ("1234.5", "1,234"), ("7", "7")],
)
def test_dbus(amount: str, expected: str) -> None:
    """DBUs have the decimals that their size calls for."""
    assert expected == words.dbus(Decimal(amount))


# ── the question ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_can_be_asked_at_once() -> None:
    """Filters, table and page come by the query, and unknown keys are passed over."""
    asked = question(
        {"workspace": "prod", "team": "sales", "q": " Orders ", "show": "active", "page": "3", "utm": "x"}
    )

    assert Question(workspace="prod", team="sales", text="Orders", show=Show.ACTIVE, page=3) == asked
    assert "?workspace=prod&team=sales&q=Orders&show=active&page=4" == asked.query(page=4)
    assert "?workspace=prod&team=sales&q=Orders&show=failing" == asked.query(show=Show.FAILING)
    assert Question() == question({})


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ({"show": "everything"}, "show is one of failing, late, active"),
        *(
            ({"page": page}, "page is a whole number from 1")
            for page in ("0", "-1", "x", "1.5", "²", "9" * 30)
        ),
        *(({key: "x" * 201}, f"{key} may have 200 characters") for key in ("q", "team", "workspace")),
    ],
)
def test_wrong_words_are_refused(query: dict[str, str], mistake: str) -> None:
    """A query that cannot be answered is told what would be."""
    with pytest.raises(BadQuestionError, match=mistake):
        question(query)


def test_filters_look_at_workspace_team_and_text() -> None:
    """Workspace and team are compared as a whole, the text in any case and anywhere in name or id."""
    asked = Question(workspace="prod", team="sales", text="ORDER")

    assert asked.fits("prod", "sales", "daily orders", "7")
    assert not asked.fits("lab", "sales", "daily orders")
    assert not asked.fits("prod", "", "daily orders")
    assert not asked.fits("prod", "sales", "clicks", "7")


def test_tables_are_bounded() -> None:
    """The overview shows the top, a table alone its page, and a page beyond the end is the last."""
    rows = range(2 * PAGE + 1)

    assert (TOP, 2 * PAGE + 1, True) == (len(top(rows).rows), top(rows).total, top(rows).more)
    assert ((100,), 3, 3, 101) == (
        paged(rows, 99).rows,
        paged(rows, 99).page,
        paged(rows, 99).pages,
        paged(rows, 99).first,
    )
    assert ((), 1, 1) == (paged([], 1).rows, paged([], 1).page, paged([], 1).pages)


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil",
        "https://",
        "http://[",
        "",
        "ftp://x/y",
        "\thttps:x",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    """An address that a browser would run, or that is none, is not linked to."""
    assert "" == web_only(url)


def test_links_to_databricks() -> None:
    """A run is found by its own address, else by one made of the workspace's, and ids cannot leave their place."""
    shown = workspace(host="https://prod.example.com/")

    assert "https://x/#1" == run_in_databricks(shown, "7", "501", "https://x/#1")
    assert "https://prod.example.com/?o=1001#job/7/run/501" == run_in_databricks(
        shown, "7", "501", "javascript:1"
    )
    assert "https://prod.example.com/?o=1001#job/7" == job_in_databricks(shown, "7")
    assert "" == job_in_databricks(workspace(host="somewhere"), "7")
    assert "jobs/a%2Fb/..%2F7" == job_page("a/b", "../7")


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("minutes", "given", "expected"),
    [
        (44, {"agreement": held_to(60)}, Pace.FINE),
        (48, {"agreement": held_to(60)}, Pace.AT_RISK),
        (60, {"agreement": held_to(60)}, Pace.BREACHED),
        (31, {"p90": 10 * MINUTE, "observations": 5}, Pace.SLOW),
        (31, {"p90": 10 * MINUTE, "observations": 4}, Pace.FINE),
        (9, {"p90": MINUTE, "observations": 50}, Pace.FINE),
        (90, {"agreement": held_to(60), "definition": {"continuous": True}}, Pace.FINE),
    ],
)
def test_pace(minutes: float, given: dict[str, object], expected: Pace) -> None:
    """A run is held to its SLA, and to what nine in ten runs take where enough of them are known."""
    shown = seen(workspace(facts(**given), active_runs=(active(started=at(-60 * minutes)),)))

    assert [expected] == [run.pace for run in running(shown, ALL, NOON)]


def test_continuous_runs_are_held_to_nothing() -> None:
    """A run that is meant to go on for ever is compared with nothing."""
    job = facts(agreement=held_to(60), median=MINUTE, definition={"continuous": True})

    (run,) = running(seen(workspace(job, active_runs=(active(),))), ALL, NOON)

    assert (None, None, 0.0) == (run.sla, run.median, run.meter.filled)


def test_a_repair_is_not_as_old_as_its_run() -> None:
    """Where one run goes at a time, an attempt began after the end of the one before."""
    job = facts(last_end=at(-120), last_result="FAILED")
    several = facts("8", last_end=at(-120), last_result="FAILED", definition={"max_concurrent_runs": 2})
    runs = (active("1", started=at(-7200)), active("2", started=at(-7200), job_id="8"))

    taken = {
        run.run_id: run.elapsed for run in running(seen(workspace(job, several, active_runs=runs)), ALL, NOON)
    }

    assert {"1": timedelta(seconds=120), "2": timedelta(seconds=7200)} == taken


def test_those_who_need_help_come_first() -> None:
    """Over SLA, then near it, then slow, then waiting long; the longest first among equals."""
    runs = (
        active("fine", started=at(-100)),
        active("waits", started=at(-1000), state="QUEUED"),
        active("slow", job_id="8", started=at(-2000)),
        active("risky", job_id="9", started=at(-3000)),
        active("broken", job_id="9", started=at(-4000)),
        active("older", started=at(-500)),
    )
    jobs = (
        facts(),
        facts("8", p90=MINUTE, observations=9),
        facts("9", agreement=held_to(60)),
    )

    ordered = by_need(list(running(seen(workspace(*jobs, active_runs=runs)), ALL, NOON)))

    assert ["broken", "risky", "slow", "waits", "older", "fine"] == [run.run_id for run in ordered]


def test_old_live_state_is_not_shown() -> None:
    """Neither runs nor missed starts are claimed when the last successful poll is too long ago."""
    lost = workspace(
        facts(definition=DAILY, last_start=at(-86_400)),
        collectors=(collector(last_success=at(-3600)),),
        active_runs=(active(),),
    )

    assert [] == list(running(seen(lost), ALL, NOON))
    assert [] == list(late(seen(lost), ALL, NOON))


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, True),
        ({"consecutive_failures": 0}, False),
        ({"definition": {"paused": True}}, False),
        ({"deleted": at(-60)}, False),
        ({"last_end": at(-8 * 86_400)}, False),
        ({"last_end": at(-8 * 86_400), "definition": DAILY}, True),
        ({"job": None}, True),
    ],
)
def test_failing(given: dict[str, object], shown: bool) -> None:
    """A job fails while its last attempts failed and somebody still expects it to run."""
    job = facts(**({"consecutive_failures": 2, "last_end": at(-60), "last_result": "FAILED"} | given))

    assert shown == bool(failing(seen(workspace(job)), ALL, NOON))


def due_job(last_start: datetime | None, *, running: bool = False) -> JobView:
    """A job that was due an hour ago and is due in 23 hours."""
    runs = (active(),) if running else ()
    (shown,) = seen(workspace(facts(definition=DAILY, last_start=last_start), active_runs=runs)).jobs
    assert Due(at(-3600), at(23 * 3600)) == shown.due
    return shown


@pytest.mark.parametrize(
    ("last_start", "expected"),
    [
        (None, at(-3600)),
        (at(-86_400), at(-3600)),
        (at(-3590), None),
        (at(-3600 - 1800), None),
        (at(-3600 - 3720), at(-3600)),
    ],
)
def test_missed(last_start: datetime | None, expected: datetime | None) -> None:
    """A start up to an hour early is a start, an older one is not."""
    assert expected == missed(due_job(last_start), at(-86_400), NOON)


def test_not_missed() -> None:
    """What still runs, was due only just now, or was due before anybody looked was not missed."""
    assert missed(due_job(None, running=True), at(-86_400), NOON) is None
    assert missed(due_job(None), at(-86_400), at(-3600 + 599)) is None
    assert missed(due_job(None), at(-3599), NOON) is None


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_costs_by_team_and_job() -> None:
    """The largest come first, teams add up their jobs, and one-time runs stand together."""
    sales = Agreement(team=Named(name="sales", source="tag"), budget=Budget(dbus=Decimal(40), source="tag"))
    usage = (
        make_usage("10", "2"),
        make_usage("20", "4", job_id="8"),
        make_usage("3", "1", job_id="90001"),
        make_usage("5", "1.5", job_id="9", day=date(2026, 2, 10)),
    )
    shown = seen(
        workspace(
            *(facts(agreement=sales), facts("8", "clicks", agreement=sales), facts("9", "old")),
            bill=bill(usage, {}, NOON, jobs={"7", "8", "9"}),
        )
    )

    found = costs([shown], ALL, NOON)
    rows = [found.spent(item) for item in found.jobs]

    assert ["clicks", "orders", "old", "one-time runs"] == [row.name for row in rows]
    assert [1.0, 0.5, 0.375, 0.25] == [row.share for row in rows]
    assert [0.5, 0.25, None, None] == [row.used_budget for row in rows]
    assert [("sales", Decimal(30)), ("no team", Decimal(8))] == [(t.name, t.long.dbus) for t in found.teams]
    assert (("USD", Decimal(7)),) == found.day.costs
    assert ["clicks"] == [
        found.spent(item).name for item in costs([shown], Question(text="click"), NOON).jobs
    ]


def test_currencies_are_not_added() -> None:
    """With several currencies jobs are ranked by DBUs, and sums stay apart."""
    usage = (make_usage("1", "100"), make_usage("5", "2", job_id="8", currency="EUR"))
    shown = seen(workspace(facts(), facts("8", "clicks"), bill=bill(usage, {}, NOON)))

    found = costs([shown], ALL, NOON)

    assert ["8", "7"] == [item.job_id for item in found.jobs]
    assert (("EUR", Decimal(2)), ("USD", Decimal(100))) == found.day.costs


def test_nothing_is_known_of_cost() -> None:
    """Without a bill there is no 0."""
    found = costs([seen(workspace(facts()))], ALL, NOON)

    assert ((), (), ()) == (found.bills, found.jobs, found.teams)


# ── collectors ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_collectors_are_up_late_or_down() -> None:
    """A collector whose last success is several intervals old is late even when no poll failed."""
    states = (
        collector("definitions", error="throttled", message="HTTP 429"),
        collector("lookback", interval=timedelta(hours=1), last_success=None),
        collector("billing", interval=MINUTE, last_success=at(-600)),
        collector(),
    )

    (found,) = collecting([seen(workspace(collectors=states))], ALL, NOON)

    assert [("live", "up"), ("lookback", "late"), ("definitions", "down"), ("billing", "late")] == [
        (row.name, row.verdict) for row in found.collectors
    ]
    assert "throttled: HTTP 429" == found.collectors[2].error
    assert "down" == found.verdict


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_meter() -> None:
    """Every mark lies on the meter, and a run without marks has none."""
    full = meter(30 * MINUTE, 10 * MINUTE, 20 * MINUTE)

    assert (95.24, 31.75, 63.49) == (full.filled, full.median, full.sla)
    assert (0.0, None, None) == (
        (empty := meter(MINUTE, None, None)).filled,
        empty.median,
        empty.sla,
    )


def test_spark() -> None:
    """The newest attempt is at the right end, heights follow durations, and words say the same."""
    endings = [
        Ending(run_id=f"{number}", ended=at(number), duration=number * MINUTE, result=result)
        for number, result in enumerate(["SUCCESS"] * SPARK_BARS + ["FAILED", "CANCELED"])
    ]

    picture = spark(endings)

    assert picture is not None
    assert SPARK_BARS == len(picture.bars)
    assert ("neither", picture.height, 0.0) == (
        picture.bars[-1].kind,
        picture.bars[-1].height,
        picture.bars[-1].y,
    )
    assert "failed, 20 min, 2026-03-02 12:00:20 UTC" == picture.bars[-2].says
    assert "last 20: 1 canceled, 1 failed, 18 success" == picture.says
    assert spark([]) is None


def test_duration_chart() -> None:
    """Bars stand from old to new below the lines that they are compared with, inside the picture."""
    runs = (
        run_record("3", active=True, ended=None, result="", attempts=(), state="RUNNING", started=at(-300)),
        run_record("2", result="FAILED", attempts=(attempt(duration=4 * MINUTE, result="FAILED"),)),
        run_record("1"),
    )

    chart = durations(runs, NOON, median=2 * MINUTE, p90=3 * MINUTE, sla=6 * MINUTE)

    assert chart is not None
    assert ["1", "2", "3"] == [bar.run_id for bar in chart.bars]
    assert ["success", "failure", "active"] == [bar.kind for bar in chart.bars]
    assert chart.bars[0].height < chart.bars[1].height < chart.bars[2].height
    assert ["median 2 min", "9 in 10 within 3 min", "SLA 6 min"] == [line.label for line in chart.lines]
    assert all(0 <= line.y <= chart.height for line in (*chart.lines, *chart.grid))
    assert all(0 <= bar.x and bar.x + bar.width <= 100 and bar.y >= 0 for bar in chart.bars)
    assert "3 runs: 1 failed, 1 running, 1 success" == chart.says
    assert durations((), NOON) is None


def test_stretch_and_ticks() -> None:
    """Spans lie within the picture however short they are, and ticks are few and round."""
    end = at(600)

    assert (50.0, 25.0) == stretch(at(300), at(450), NOON, end)
    assert (99.6, 0.4) == stretch(end, end, NOON, end)
    assert ((0.0, "0"), (50.0, "30 s"), (100.0, "1 min")) == ticks(MINUTE, most=2)
    assert 2 <= len(ticks(timedelta(days=400))) <= 7
    assert ((0.0, "0"), (100.0, "1 s")) == ticks(timedelta(0))
