"""Which jobs cost what, against budgets and habits: the tables of the cost dashboard."""

from exporter.dashboards import promql
from exporter.dashboards.panels import (
    BAD,
    COUNT,
    DBUS,
    GOOD,
    MONEY,
    SECONDS,
    SHARE,
    WARN,
    Column,
    Panel,
    job_listing,
)

UNTIL = promql.gauge("databricks_usage_complete_until_timestamp_seconds", "workspace")
BUDGET = promql.gauge("databricks_job_budget_dbus", promql.BY_JOB, promql.JOBS)
P90 = promql.gauge("databricks_job_dbus_daily_p90", promql.BY_JOB, promql.JOBS)
LAST_DAY = f"({UNTIL} - 1)"
"""An instant in the last complete day; its place in the month is how many days of the month are complete."""
ELAPSED = f"(day_of_month({LAST_DAY}) / days_in_month({LAST_DAY}))"


def budgets() -> Panel:
    """Budgets, and where the month leads."""
    share = f"{used('mtd')} / on (workspace, job_id, job_name) ({BUDGET} > 0)"
    rows = promql.top(share)
    expected = f"({share}) / on (workspace) group_left () {ELAPSED}"
    return job_listing(
        "Budgets",
        "DBUs of the month's complete days as a share of the job's monthly budget, and the share at the end of the month "
        "if it goes on like this. Only jobs with a budget.",
        [
            Column(
                header="Used",
                expr=rows,
                unit=SHARE,
                decimals=0,
                steps=((None, GOOD), (0.8, WARN), (1, BAD)),
            ),
            Column(
                header="Expected",
                expr=promql.beside(expected, rows),
                unit=SHARE,
                decimals=0,
                steps=((None, GOOD), (1, WARN), (1.2, BAD)),
            ),
            Column(header="DBUs", expr=promql.beside(used("mtd"), rows), unit=DBUS),
            Column(header="Budget", expr=promql.beside(BUDGET, rows), unit=DBUS),
        ],
        empty="No job has a budget",
        width=12,
    )


def jumps() -> Panel:
    """Jobs whose last day was unlike the days before."""
    rows = promql.top(f"{used('1d')} - on (workspace, job_id, job_name) {P90}")
    return job_listing(
        "Dearer than usual",
        "DBUs of the last complete day above what nine in ten days of the 30 before did not exceed; below 0 is less than "
        "usual. Only jobs with five days of usage.",
        [
            Column(header="Above usual", expr=rows, unit=DBUS, steps=((None, GOOD), (0.001, WARN))),
            Column(header="Last day", expr=promql.beside(used("1d"), rows), unit=DBUS),
            Column(header="Usual at most", expr=promql.beside(P90, rows), unit=DBUS),
        ],
        width=12,
    )


def dearest() -> Panel:
    """Jobs by what they used."""
    rows = promql.top(used("30d"))
    return job_listing(
        "Most DBUs",
        "The jobs that used most in the last 30 complete days; one-time runs are one row. Cost adds up currencies only "
        "where there is one.",
        [
            Column(header="30 days", expr=rows, unit=DBUS),
            Column(header="7 days", expr=promql.beside(used("7d"), rows), unit=DBUS),
            Column(header="Last day", expr=promql.beside(used("1d"), rows), unit=DBUS),
            Column(
                header="Cost, 30 days",
                expr=promql.beside(promql.total(_job_cost("30d"), promql.BY_JOB), rows),
                unit=MONEY,
                decimals=2,
            ),
        ],
        width=12,
    )


def fruitless() -> Panel:
    """Jobs by what they used in vain."""
    name = "databricks_job_dbus_since_last_success"
    rows = promql.top(promql.gauge(name, promql.BY_JOB, promql.JOBS))
    failing = promql.gauge("databricks_job_consecutive_failures", promql.BY_JOB, promql.JOBS)
    success = promql.gauge("databricks_job_last_success_timestamp_seconds", promql.BY_JOB, promql.JOBS)
    return job_listing(
        "Spent without success",
        "DBUs that jobs used after their last success: paid for, and nothing came of it.",
        [
            Column(header="Since the last success", expr=rows, unit=DBUS),
            Column(header="Failures in a row", expr=promql.beside(failing, rows), unit=COUNT),
            Column(
                header="Last success",
                expr=promql.beside(promql.age(success), rows),
                unit=SECONDS,
                decimals=0,
            ),
        ],
        width=12,
    )


def used(window: str) -> str:
    """DBUs of each job in the window."""
    return promql.gauge("databricks_job_dbus", promql.BY_JOB, f'{promql.JOBS},window="{window}"')


def _job_cost(window: str) -> str:
    where, by = f'{promql.JOBS},window="{window}"', f"{promql.BY_JOB}, currency"
    return promql.first_of(
        (
            promql.gauge("databricks_job_net_cost", by, where),
            promql.gauge("databricks_job_list_cost", by, where),
        )
    )
