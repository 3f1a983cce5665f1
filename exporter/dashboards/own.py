"""The exporter itself: whether it sees, what it asks, what that costs, and what it leaves out."""

from exporter.dashboards import asking, links, promql, strip, variables
from exporter.dashboards.board import Board
from exporter.dashboards.panels import (
    BYTES,
    COUNT,
    GOOD,
    PLAIN,
    SECONDS,
    SHARE,
    UP,
    WARN,
    Column,
    Panel,
    bars,
    lines,
    listing,
    single,
)

COLLECTOR = "workspace, collector"
SUCCESS = promql.gauge("databricks_exporter_collector_last_success_timestamp_seconds", COLLECTOR)
INTERVAL = promql.gauge("databricks_exporter_collector_interval_seconds", COLLECTOR)
DURATION = promql.gauge("databricks_exporter_collector_duration_seconds", COLLECTOR)
BUILD = "on (instance, job) group_left () max by (instance, job) (databricks_exporter_build_info)"


def own() -> Board:
    """The dashboard."""
    return Board(
        uid=links.Uid.EXPORTER,
        title="Databricks jobs: the exporter",
        about="Whether the exporter sees everything in time, what it asks Databricks, what that costs, and what it leaves "
        "out.",
        rows={
            strip.TITLE: [*strip.strip(), *_state()],
            "Collectors": _collectors(),
            "Requests to Databricks": asking.requests(),
            "System tables": asking.tables(),
            "Completeness": _completeness(),
            "Store and process": _process(),
        },
        variables=variables.for_workspaces(exporter_shown=True),
        since="now-6h",
        refresh="30s",
        more_links=[links.to_dashboard("Fleet overview", links.Uid.FLEET, "What needs attention now")],
    )


def _state() -> list[Panel]:
    return [
        single(
            "Version",
            "The exporter's version, by address.",
            "max by (instance, version) (databricks_exporter_build_info)",
            unit=PLAIN,
            legend="{{version}}",
            words={"1": ("running", GOOD)},
            width=6,
        ),
        single(
            "Store",
            "Whether the store could be read at the last attempt; down means that everything else may be old.",
            "min(databricks_exporter_store_readable)",
            unit=PLAIN,
            words=UP,
            width=6,
        ),
        single(
            "Throttled requests",
            "Requests in the time range that Databricks answered with 429; the exporter slows down by itself.",
            promql.total(
                promql.of_exporter(
                    "databricks_exporter_api_requests_total",
                    "endpoint, code",
                    ',code="429"',
                    during=promql.RANGE,
                )
            )
            + " or vector(0)",
            unit=COUNT,
            steps=((None, GOOD), (1, WARN)),
            decimals=0,
            width=6,
        ),
        single(
            "Failed polls",
            "Polls in the time range that failed; a failed poll changes nothing and the next one catches up.",
            promql.total(
                promql.of_exporter(
                    "databricks_exporter_collector_errors_total", "collector, reason", during=promql.RANGE
                )
            ),
            unit=COUNT,
            steps=((None, GOOD), (1, WARN)),
            decimals=0,
            width=6,
        ),
    ]


def _collectors() -> list[Panel]:
    up = promql.gauge("databricks_exporter_collector_up", COLLECTOR)
    return [
        listing(
            "Collectors",
            "Each collector of each workspace: whether its latest poll succeeded, how long ago one last did, how often it "
            "should poll, and how long the latest took.",
            [
                Column(header="State", expr=up, unit=PLAIN, words=UP),
                Column(header="Since the last success", expr=promql.age(SUCCESS), unit=SECONDS, decimals=0),
                Column(header="Interval", expr=INTERVAL, unit=SECONDS),
                Column(header="Latest took", expr=DURATION, unit=SECONDS, decimals=2),
            ],
            heads={"workspace": "Workspace", "collector": "Collector"},
            width=12,
            height=8,
        ),
        lines(
            "Age in intervals",
            "Time since the last success of each collector, in its own intervals: above 2 something is wrong.",
            {"{{workspace}} {{collector}}": f"({promql.age(SUCCESS)}) / {INTERVAL}"},
            unit=COUNT,
        ),
        lines(
            "How long polls take",
            "The latest poll of each collector.",
            {"{{workspace}} {{collector}}": DURATION},
            unit=SECONDS,
        ),
        bars(
            "Failed polls by reason",
            "Polls that failed in each step.",
            {
                "{{collector}} {{reason}}": promql.total(
                    promql.of_exporter("databricks_exporter_collector_errors_total", "collector, reason"),
                    "collector, reason",
                )
            },
        ),
    ]


def _completeness() -> list[Panel]:
    return [
        lines(
            "Attempts without details",
            "Counted attempts whose duration, phases and tasks are still to be read; rises when requests are short.",
            {"{{workspace}}": promql.gauge("databricks_exporter_attempts_without_details", "workspace")},
            unit=COUNT,
            width=8,
        ),
        bars(
            "Polls that did not take place",
            "Because the one before was still under way, or the exporter was late.",
            {
                "{{workspace}} {{collector}}": promql.total(
                    promql.of_exporter("databricks_exporter_polls_missed_total", "collector"), COLLECTOR
                )
            },
            width=8,
        ),
        bars(
            "Runs recovered",
            "Attempts that no poll saw and that the system tables brought.",
            {"{{workspace}}": promql.of_exporter("databricks_exporter_runs_recovered_total", "")},
            width=8,
        ),
        bars(
            "Words that are not known",
            "Values of a field that the exporter shows as OTHER: a newer version may know them.",
            {
                "{{field}}": promql.total(
                    promql.of_exporter("databricks_exporter_unknown_values_total", "field"), "field"
                )
            },
            width=8,
        ),
        bars(
            "Items set aside",
            "Runs or jobs in an answer that could not be understood; the log says why.",
            {
                "{{workspace}} {{collector}}": promql.total(
                    promql.of_exporter("databricks_exporter_unreadable_items_total", "collector"), COLLECTOR
                )
            },
            width=8,
        ),
        lines(
            "Jobs left off over time",
            "Jobs without series of their own, by filter or beyond max_jobs.",
            {
                "{{workspace}} {{reason}}": promql.gauge(
                    "databricks_exporter_series_dropped", "workspace, reason"
                )
            },
            unit=COUNT,
            steps=True,
            width=8,
        ),
    ]


def _process() -> list[Panel]:
    return [
        lines(
            "Size of the store",
            "The database on disk.",
            {"store": "max(databricks_exporter_store_bytes)"},
            unit=BYTES,
            width=6,
        ),
        lines(
            "Rows of the store",
            "Rows of each table of the database.",
            {"{{table}}": "max by (table) (databricks_exporter_store_rows)"},
            unit=COUNT,
            width=6,
        ),
        lines(
            "Memory",
            "What each exporter process holds.",
            {"{{instance}}": f"process_resident_memory_bytes * {BUILD}"},
            unit=BYTES,
            width=6,
        ),
        lines(
            "Processor time",
            "What each exporter process uses, as a share of one processor.",
            {"{{instance}}": f"rate(process_cpu_seconds_total[{promql.STEP}]) * {BUILD}"},
            unit=SHARE,
            width=6,
        ),
        lines(
            "Scrape duration",
            "How long Prometheus waits for the page.",
            {"{{instance}}": f"scrape_duration_seconds * {BUILD}"},
            unit=SECONDS,
        ),
        lines(
            "Series per scrape",
            "How many samples each scrape brings; grows with the number of jobs.",
            {"{{instance}}": f"scrape_samples_scraped * {BUILD}"},
            unit=COUNT,
        ),
    ]
