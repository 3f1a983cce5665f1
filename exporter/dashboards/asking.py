"""What the exporter asks of Databricks: two rows of its own dashboard."""

from exporter.dashboards import promql
from exporter.dashboards.panels import COUNT, SECONDS, Panel, bars, lines


def requests() -> list[Panel]:
    """Requests to the API."""
    name = "databricks_exporter_api_requests_total"
    rate = f"max by (workspace, endpoint, code) (rate({name}{{{promql.WORKSPACE}}}[{promql.STEP}]))"
    return [
        lines(
            "Requests by endpoint",
            "Requests per second to each endpoint; bounded by polling.max_requests_per_second.",
            {"{{endpoint}}": promql.total(rate, "endpoint")},
            unit="reqps",
            stacked=True,
        ),
        lines(
            "Requests by answer",
            "Requests per second by status code; 429 is Databricks asking for less.",
            {"{{code}}": promql.total(rate, "code")},
            unit="reqps",
            stacked=True,
        ),
    ]


def tables() -> list[Panel]:
    """Queries to the warehouse, and how far they reach."""
    queries = "databricks_exporter_warehouse_queries_total"
    seconds = "databricks_exporter_warehouse_query_seconds_total"
    rows = "databricks_exporter_warehouse_rows_total"
    newest = promql.gauge("databricks_exporter_source_newest_record_timestamp_seconds", "workspace, source")
    return [
        lines(
            "Age of the newest record",
            "How far behind each system table is. Databricks fills them with a delay of minutes to hours.",
            {"{{workspace}} {{source}}": promql.age(newest)},
            unit=SECONDS,
        ),
        lines(
            "Tables that can be read",
            "1 while the latest reading of the table succeeded, 0 while a right is missing or the warehouse refuses.",
            {"{{workspace}} {{source}}": promql.gauge("databricks_exporter_source_up", "workspace, source")},
            unit=COUNT,
            steps=True,
        ),
        bars(
            "Queries by outcome",
            "Queries to the warehouse in each step.",
            {
                "{{query}} {{outcome}}": promql.total(
                    promql.of_exporter(queries, "query, outcome"), "query, outcome"
                )
            },
            width=8,
        ),
        bars(
            "Warehouse time",
            "How long the exporter's queries took in each step. The warehouse also costs while it waits to stop.",
            {"{{query}}": promql.total(promql.of_exporter(seconds, "query"), "query")},
            unit=SECONDS,
            width=8,
        ),
        bars(
            "Rows read",
            "Rows that the queries of each step returned.",
            {"{{query}}": promql.total(promql.of_exporter(rows, "query"), "query")},
            width=8,
        ),
    ]
