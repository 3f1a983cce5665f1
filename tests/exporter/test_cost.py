"""What the page says of usage and cost, and of reading the system tables."""

from decimal import Decimal
from typing import Any

import pytest

from collector.core.bill import WINDOWS, bill
from collector.core.model import Agreement, Budget, Measure, Spending, Usage
from collector.core.snapshot import Snapshot
from exporter.catalogue.cost import COST
from exporter.catalogue.family import Kind, Source
from exporter.exposition import Format, Renderer
from exporter.view import view
from tests.exporter.snapshots import counter, facts, options, rich, snapshot, source, text, workspace
from tests.exporter.test_families import samples
from tests.make import NOON, at, make_usage

JOB_7 = 'job_id="7",job_name="orders"'
JOB_8 = 'job_id="8",job_name="idle"'


def billed(*usage: Usage, spending: Any = (), **given: Any) -> Snapshot:
    """A workspace with jobs 7 and 8 and a bill made at noon, a tenth off for jobs."""
    made = bill(usage, {"JOBS": Decimal("0.1")}, NOON, spending=spending, jobs={"7", "8"})
    return snapshot(workspace(facts(), facts("8", "idle"), **({"bill": made} | given)))


def in_window(shown: Snapshot, name: str, window: str = "1d", **given: Any) -> dict[str, float]:
    """The samples of one window: labels without it → value."""
    found = samples(shown, name, **given)
    return {
        labels.replace(f',window="{window}"', ""): value
        for labels, value in found.items()
        if f'window="{window}"' in labels
    }


def test_nothing_is_claimed_before_the_first_bill() -> None:
    """Without billing tables there is no usage, not even none."""
    agreement = Agreement(budget=Budget(dbus=Decimal(10), source="tag"))

    page = text(snapshot(workspace(facts(agreement=agreement))), discounts=True)

    assert [] == [
        line
        for line in page.splitlines()
        if line.startswith(tuple(family.name for family in COST.families))
        and not line.startswith("databricks_job_budget_dbus")
    ]
    assert "databricks_usage" not in page


def test_jobs_without_usage_used_nothing() -> None:
    """Once there is a bill every job has its DBUs in every window, and a cost only where there is one."""
    shown = billed(make_usage("2", "0.3"))

    dbus = samples(shown, "databricks_job_dbus")

    assert 3 * len(WINDOWS) == len(dbus)
    assert {
        'job_id="",job_name="",workspace="prod"': 0.0,
        f'{JOB_7},workspace="prod"': 2.0,
        f'{JOB_8},workspace="prod"': 0.0,
    } == in_window(shown, "databricks_job_dbus")
    assert {f'currency="USD",{JOB_7},workspace="prod"': 0.3} == in_window(shown, "databricks_job_list_cost")


def test_what_has_no_price_is_shown() -> None:
    """Usage without a price is in the DBUs and in no cost, and says so itself."""
    shown = billed(
        make_usage("2", "0.3"), make_usage("3", None), make_usage("5", None, unit="GB", product="NETWORKING")
    )

    assert 5.0 == in_window(shown, "databricks_job_dbus")[f'{JOB_7},workspace="prod"']
    assert {f'{JOB_7},workspace="prod"': 3.0} == in_window(shown, "databricks_job_unpriced_dbus")
    assert {
        'product="JOBS",unit="DBU",workspace="prod"': 3.0,
        'product="NETWORKING",unit="GB",workspace="prod"': 5.0,
    } == in_window(shown, "databricks_usage_unpriced")


def test_jobs_and_the_rest_make_the_total() -> None:
    """One-time runs share an empty job, and what no job is billed for has a family of its own."""
    shown = billed(
        make_usage("1", "0.15"),
        make_usage("2", "0.3", job_id="900001"),
        make_usage("4", "0.6", job_id="900002"),
        make_usage("8", "5.6", job_id="", product="SQL", sku="SERVERLESS_SQL"),
        make_usage("16", "0.4", job_id="", unit="DSU", product="DEFAULT_STORAGE", sku="STORAGE"),
    )

    total = in_window(shown, "databricks_usage_dbus")
    jobs = in_window(shown, "databricks_job_dbus")
    rest = in_window(shown, "databricks_usage_unattributed_dbus")
    cost = in_window(shown, "databricks_usage_list_cost")

    assert 15.0 == sum(total.values()) == sum(jobs.values()) + sum(rest.values())
    assert 6.0 == jobs['job_id="",job_name="",workspace="prod"']
    assert {'product="JOBS",workspace="prod"': 0.0, 'product="SQL",workspace="prod"': 8.0} == rest
    assert 0.4 == cost['currency="USD",product="DEFAULT_STORAGE",sku="STORAGE",workspace="prod"']
    assert "900001" not in text(shown)


def test_net_cost() -> None:
    """Discounts lower the cost of their product and no other's, and never the list cost."""
    shown = billed(
        make_usage("2", "0.3"), make_usage("8", "5.6", job_id="", product="SQL", sku="SERVERLESS_SQL")
    )

    assert {f'currency="USD",{JOB_7},workspace="prod"': 0.27} == in_window(
        shown, "databricks_job_net_cost", discounts=True
    )
    assert {
        'currency="USD",product="JOBS",sku="JOBS_COMPUTE",workspace="prod"': 0.27,
        'currency="USD",product="SQL",sku="SERVERLESS_SQL",workspace="prod"': 5.6,
    } == in_window(shown, "databricks_usage_net_cost", discounts=True)
    assert 0.3 in in_window(shown, "databricks_job_list_cost", discounts=True).values()


def test_a_bill_without_discounts_has_no_net_cost() -> None:
    """Discounts that were configured after the bill was made show with the next one."""
    made = bill([make_usage()], {}, NOON)

    assert {} == samples(snapshot(workspace(facts(), bill=made)), "databricks_job_net_cost", discounts=True)


@pytest.mark.parametrize(
    ("reckoned_from", "last_success", "expected"),
    [
        (None, None, 5.0),
        (at(-9000), None, 5.0),
        (at(-9000), at(-9000 + 0.4), 5.0),
        (at(-9000), at(-9999), 5.0),
        (at(-9000), at(-600), 0.0),
        (None, at(-600), 0.0),
        (None, at(-40 * 86400), 5.0),
    ],
)
def test_a_later_success_ends_what_was_spent_without_one(
    reckoned_from: Any, last_success: Any, expected: float
) -> None:
    """The tables are hours behind: a success seen live counts at once, the same success or an older one does not."""
    spending = [Spending(job_id="7", dbus=Decimal(5), success=reckoned_from)]
    made = bill([], {}, NOON, spending=spending)
    shown = snapshot(workspace(facts(last_success=last_success), bill=made))

    assert [expected] == list(samples(shown, "databricks_job_dbus_since_last_success").values())


def test_unknown_spending_is_absent() -> None:
    """Where nobody could say what was used since the last success, no job is said to have used nothing."""
    assert {} == samples(billed(make_usage(), spending=None), "databricks_job_dbus_since_last_success")


def test_daily_p90() -> None:
    """A job with enough days has it, others do not."""
    days = [make_usage(str(day), day=NOON.date().replace(month=2, day=day)) for day in range(20, 25)]

    shown = samples(billed(*days), "databricks_job_dbus_daily_p90")

    assert {f'{JOB_7},workspace="prod"': 24.0} == shown


def test_budget() -> None:
    """It is there without any billing table, with who says so."""
    held = facts(agreement=Agreement(budget=Budget(dbus=Decimal("99.5"), source="config")))

    shown = samples(snapshot(workspace(held, facts("8", "idle"))), "databricks_job_budget_dbus")

    assert {f'{JOB_7},source="config",workspace="prod"': 99.5} == shown


def test_deleted_job_has_no_cost() -> None:
    """Its gauges end at once; the usage of the workspace keeps what it used."""
    agreement = Agreement(budget=Budget(dbus=Decimal(10), source="tag"))
    gone = facts(deleted=at(-60), agreement=agreement)
    made = bill([make_usage()], {"JOBS": Decimal("0.1")}, NOON, spending=[])

    page = text(snapshot(workspace(gone, bill=made)), discounts=True)

    cost = tuple(family.name for family in COST.families)
    assert [] == [line for line in page.splitlines() if line.startswith(cost) and 'job_id="7"' in line]
    assert 'databricks_usage_dbus{product="JOBS"' in page


def test_complete_until() -> None:
    """Noon is late enough for the day before to be complete."""
    assert [at(-12 * 3600).timestamp()] == list(
        samples(billed(), "databricks_usage_complete_until_timestamp_seconds").values()
    )


def test_all_windows_add_up_on_the_rich_page() -> None:
    """No sample of a window is without its neighbours, and shorter windows are parts of longer ones."""
    for name in ("databricks_job_dbus", "databricks_usage_list_cost", "databricks_usage_unattributed_dbus"):
        counts = {len(in_window(rich(), name, window)) for window in WINDOWS}
        assert 1 == len(counts)


@pytest.mark.parametrize("family", COST.families, ids=lambda family: family.name)
def test_help_says_what_is_missing(family: Any) -> None:
    """Whoever reads a cost learns that it is list cost, over which days, without what, and why it may fall."""
    assert Kind.GAUGE is family.kind
    if family.source is Source.BILLING:
        assert "complete" in family.help
        assert "corrections" in family.help
    if family.name.endswith("_cost"):
        assert "list price" in family.help
        assert "cloud provider's bill" in family.help
        assert "discounts" in family.help
    if (
        family.name.startswith("databricks_job_")
        and "window" in family.labels
        and "unpriced" not in family.name
    ):
        assert "SQL warehouses and pipelines" in family.help


@pytest.mark.parametrize(
    "after",
    [
        billed(make_usage()),
        billed(make_usage("2")),
        billed(make_usage(), bill=None),
        billed(make_usage(), name="renamed"),
        snapshot(workspace(facts(), bill=billed(make_usage()).workspaces[0].bill)),
        snapshot(workspace(facts(name="renamed"), bill=billed(make_usage()).workspaces[0].bill)),
        snapshot(workspace(facts(deleted=at(-60)), bill=billed(make_usage()).workspaces[0].bill)),
        snapshot(),
    ],
)
def test_remembered_lines_follow_the_bill(after: Snapshot) -> None:
    """A renderer that remembers shows another bill, and other jobs under the same bill, like one that does not."""
    renderer = Renderer(process=False)
    renderer.page(view(billed(make_usage()), options(), NOON), Format.TEXT)

    page = renderer.page(view(after, options(), NOON), Format.TEXT)

    assert text(after) == page.decode()


def test_sources() -> None:
    """A source that cannot be read is down, and keeps telling how far it reached."""
    shown = snapshot(workspace(sources=(source("jobs"), source("usage", newest=at(-60), error="refused"))))

    assert {'source="jobs",workspace="prod"': 1.0, 'source="usage",workspace="prod"': 0.0} == samples(
        shown, "databricks_exporter_source_up"
    )
    assert {'source="usage",workspace="prod"': at(-60).timestamp()} == samples(
        shown, "databricks_exporter_source_newest_record_timestamp_seconds"
    )


def test_counters_of_the_warehouse_start_at_zero() -> None:
    """The first failure of a query is an increase from 0; without a warehouse nothing is counted."""
    counters = {Measure.WAREHOUSE_QUERIES: (counter(3, "usage", "ok"),)}
    shown = snapshot(workspace(sources=(source("usage"),), counters=counters))

    queries = samples(shown, "databricks_exporter_warehouse_queries_total")

    assert 3.0 == queries['outcome="ok",query="usage",workspace="prod"']
    assert 0.0 == queries['outcome="refused",query="usage",workspace="prod"']
    assert {'query="usage",workspace="prod"': 0.0} == samples(
        shown, "databricks_exporter_warehouse_query_seconds_total"
    )
    assert {'workspace="prod"': 0.0} == samples(shown, "databricks_exporter_runs_recovered_total")
    assert "databricks_exporter_warehouse" not in text(snapshot(workspace()))
    assert "databricks_exporter_runs_recovered" not in text(snapshot(workspace()))
