"""The first row of every dashboard: how old the numbers below it are, and whether they are real."""

from exporter.dashboards import promql
from exporter.dashboards.panels import BAD, COUNT, GOOD, PLAIN, SECONDS, WARN, YES_IS_BAD, Panel, single

TITLE = "Can these numbers be trusted?"
LIVE_SUCCESS = promql.gauge(
    "databricks_exporter_collector_last_success_timestamp_seconds", "workspace", promql.LIVE
)


def live_age(*, width: int = 6) -> Panel:
    """How old the live state is."""
    return single(
        "Age of live data",
        "Time since Databricks last answered a poll of active and finished runs. After polling.stale_after, one minute "
        "unless configured otherwise, the gauges of running and queued runs end; counters and times stay.",
        promql.age(LIVE_SUCCESS),
        unit=SECONDS,
        legend="{{workspace}}",
        steps=((None, GOOD), (30, WARN), (60, BAD)),
        decimals=0,
        width=width,
    )


def demo(*, width: int = 6) -> Panel:
    """Whether the data are invented."""
    return single(
        "Simulated",
        "Yes while the numbers come from the exporter's demo, whose workspace is invented.",
        "max(databricks_exporter_demo_mode)",
        unit=PLAIN,
        words=YES_IS_BAD,
        width=width,
    )


def left_off(*, width: int = 6) -> Panel:
    """How many jobs have no series."""
    return single(
        "Jobs left off",
        "Jobs without series of their own, because jobs.include or jobs.exclude say so (filter) or because there are "
        "more than jobs.max_jobs (max_jobs). Panels by job do not show them, totals of a workspace do.",
        promql.total(
            promql.gauge("databricks_exporter_series_dropped", "workspace, reason"), "workspace, reason"
        ),
        unit=COUNT,
        legend="{{workspace}} {{reason}}",
        steps=((None, GOOD), (1, WARN)),
        width=width,
    )


def tables_age(*, width: int = 6) -> Panel:
    """How far the system tables reach."""
    return single(
        "Age of the system tables",
        "Age of the newest record that was read from each system table. Databricks fills them minutes to hours late; "
        "absent without a warehouse.",
        promql.age(
            promql.gauge("databricks_exporter_source_newest_record_timestamp_seconds", "workspace, source")
        ),
        unit=SECONDS,
        legend="{{workspace}} {{source}}",
        decimals=0,
        width=width,
    )


def strip() -> list[Panel]:
    """The row as most dashboards show it."""
    return [live_age(), tables_age(), left_off(), demo()]
