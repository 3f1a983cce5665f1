"""Cost and budgets: what was used, by what and by whom, against what was agreed. Complete days of UTC only."""

from exporter.dashboards import cost_jobs, links, promql, strip, variables
from exporter.dashboards.board import Board
from exporter.dashboards.panels import (
    COUNT,
    DBUS,
    GOOD,
    MONEY,
    SECONDS,
    SHARE,
    UP,
    WARN,
    Column,
    Panel,
    lines,
    listing,
    single,
)

PRODUCT = "workspace, product, sku, window"


def cost() -> Board:
    """The dashboard."""
    return Board(
        uid=links.Uid.COST,
        title="Databricks jobs: cost and budgets",
        about="What Databricks billed, by product, job and team, against budgets and habits. Complete days of UTC only, "
        "which Databricks corrects afterwards. Cost is list cost less configured discounts; what the cloud provider "
        "charges for the machines of classic compute is not in it, and tasks on all-purpose clusters, SQL warehouses "
        "and pipelines are billed to no job.",
        rows={
            strip.TITLE: _trust(),
            "Sums": _sums(),
            "By product and team": _products(),
            "Budgets and habits": [cost_jobs.budgets(), cost_jobs.jumps()],
            "Which jobs": [cost_jobs.dearest(), cost_jobs.fruitless()],
        },
        variables=variables.for_jobs(),
        since="now-30d",
        refresh="15m",
        more_links=[links.to_dashboard("Fleet overview", links.Uid.FLEET, "What needs attention now")],
    )


def _usage(window: str) -> str:
    return promql.gauge("databricks_usage_dbus", PRODUCT, f'{promql.WORKSPACE},window="{window}"')


def _spent(window: str) -> str:
    where, by = f'{promql.WORKSPACE},window="{window}"', f"{PRODUCT}, currency"
    return promql.first_of(
        (
            promql.gauge("databricks_usage_net_cost", by, where),
            promql.gauge("databricks_usage_list_cost", by, where),
        )
    )


def _trust() -> list[Panel]:
    unattributed = promql.gauge(
        "databricks_usage_unattributed_dbus", "workspace, product", f'{promql.WORKSPACE},window="30d"'
    )
    return [
        single(
            "Age of the last complete day",
            "Time since the end of the last day that these numbers contain. A day is taken to be complete 12 hours after "
            "its end, so up to 36 hours are normal.",
            promql.age(cost_jobs.UNTIL),
            unit=SECONDS,
            legend="{{workspace}}",
            steps=((None, GOOD), (48 * 3600, WARN)),
            decimals=0,
            width=6,
        ),
        single(
            "Reading the tables",
            "Whether the latest reading of each system table succeeded; down mostly means a missing right.",
            promql.gauge("databricks_exporter_source_up", "workspace, source"),
            unit=COUNT,
            legend="{{source}}",
            words=UP,
            width=6,
        ),
        single(
            "Not billed to a job",
            "Share of the DBUs of the last 30 complete days that belong to no job: all-purpose clusters, SQL warehouses, "
            "pipelines and other products.",
            promql.ratio(promql.total(unattributed, "workspace"), promql.total(_usage("30d"), "workspace")),
            unit=SHARE,
            legend="{{workspace}}",
            decimals=0,
            width=6,
        ),
        strip.demo(),
    ]


def _sums() -> list[Panel]:
    day, week, month, so_far = "the last complete day", "7 complete days", "30 complete days", "this month"
    return [
        *(
            single(
                f"DBUs, {name}",
                f"DBUs of all products of the workspaces in {name}, priced or not.",
                promql.total(_usage(window)),
                unit=DBUS,
                width=3,
            )
            for window, name in (("1d", day), ("7d", week), ("30d", month), ("mtd", so_far))
        ),
        *(
            single(
                f"Cost, {name}",
                f"List cost less configured discounts of all products of the workspaces in {name}, by currency.",
                promql.total(_spent(window), "currency"),
                unit=MONEY,
                legend="{{currency}}",
                decimals=0,
                width=3,
            )
            for window, name in (("1d", day), ("7d", week), ("30d", month), ("mtd", so_far))
        ),
    ]


def _products() -> list[Panel]:
    by_team = (
        f"sum by (team) (({cost_jobs.used('1d')}) * on (workspace, job_id) group_left (team) {promql.TEAM})"
    )
    rows = f"topk(20, {promql.total(_usage('30d'), 'workspace, product, sku')})"
    costs = promql.total(_spent("30d"), "workspace, product, sku")
    return [
        lines(
            "DBUs per day by product",
            "DBUs of the last complete day, by product; one step per day.",
            {"{{product}}": promql.total(_usage("1d"), "product")},
            unit=DBUS,
            stacked=True,
            steps=True,
        ),
        lines(
            "Cost per day by product",
            "Cost of the last complete day, by product and currency; one step per day.",
            {"{{product}} {{currency}}": promql.total(_spent("1d"), "product, currency")},
            unit=MONEY,
            stacked=True,
            steps=True,
        ),
        lines(
            "DBUs per day by team",
            "DBUs billed to jobs in the last complete day, by the team of the job; without a name: jobs of no team.",
            {"{{team}}": by_team},
            unit=DBUS,
            stacked=True,
            steps=True,
        ),
        listing(
            "Products and SKUs",
            "The largest of the last 30 complete days. Cost adds up currencies only where there is one.",
            [
                Column(header="DBUs", expr=rows, unit=DBUS),
                Column(
                    header="Cost",
                    expr=f"({costs}) and on (workspace, product, sku) ({rows})",
                    unit=MONEY,
                    decimals=2,
                ),
            ],
            heads={"product": "Product", "sku": "SKU", "workspace": "Workspace"},
            width=12,
            height=8,
        ),
    ]
