"""What one job costs: a row of its dashboard."""

from exporter.dashboards import promql
from exporter.dashboards.panels import DBUS, MONEY, Panel, lines, single


def rows() -> list[Panel]:
    """The panels."""
    return [
        lines(
            "DBUs",
            "What Databricks billed to the job: in the last complete day, the last 7 and 30 complete days, and the "
            "complete days of the month. Falls when past days are corrected.",
            {"{{window}}": promql.of_job("databricks_job_dbus", "window")},
            unit=DBUS,
            steps=True,
        ),
        lines(
            "Cost",
            "The same at list price, or less the configured discounts. What the cloud provider charges for the machines "
            "of classic compute is not in it.",
            {
                "{{window}} {{currency}}": promql.first_of(
                    (
                        promql.of_job("databricks_job_net_cost", "window, currency"),
                        promql.of_job("databricks_job_list_cost", "window, currency"),
                    )
                )
            },
            unit=MONEY,
            steps=True,
        ),
        single(
            "Spent since the last success",
            "DBUs that the job used after its last success.",
            promql.of_job("databricks_job_dbus_since_last_success"),
            unit=DBUS,
            width=8,
        ),
        single(
            "Used this month",
            "DBUs of the complete days of the calendar month.",
            promql.of_job("databricks_job_dbus", more=',window="mtd"'),
            unit=DBUS,
            width=8,
        ),
        single(
            "Budget",
            "DBUs that the job may use in a month, and who says so.",
            promql.of_job("databricks_job_budget_dbus", "source"),
            unit=DBUS,
            legend="{{source}}",
            empty="none",
            width=8,
        ),
    ]
