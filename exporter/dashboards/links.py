"""Where links lead: between the dashboards, to the exporter and to Databricks. Knows the uid of every dashboard."""

from enum import StrEnum

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

TAG = "databricks-jobs"
"""What all dashboards carry, and by which they find each other."""


class Uid(StrEnum):
    """The dashboards, by the uid that links and bookmarks rely on."""

    FLEET = "databricks-jobs-fleet"
    JOB = "databricks-jobs-job"
    FAILURES = "databricks-jobs-failures"
    COST = "databricks-jobs-cost"
    QUEUE = "databricks-jobs-queue"
    EXPORTER = "databricks-jobs-exporter"


KEEPING = "${datasource:queryparam}&${exporter:queryparam}&${__url_time_range}"
JOB_CELL = {
    "title": "Dashboard of this job",
    "url": (
        f"/d/{Uid.JOB}?var-workspace=${{__data.fields.Workspace}}&var-job=${{__data.fields.job_id}}&{KEEPING}"
    ),
}
DATABRICKS_CELL = {
    "title": "This job in Databricks",
    "url": "${__data.fields.host}/jobs/${__data.fields.job_id}",
    "targetBlank": True,
}


def others() -> DashboardLink:
    """A menu of all dashboards; variables and time range come along."""
    return (
        DashboardLink("Databricks jobs")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


def to_dashboard(title: str, uid: Uid, tooltip: str) -> DashboardLink:
    """Another dashboard with the same variables and time range."""
    link = DashboardLink(title).type(DashboardLinkType.LINK).url(f"/d/{uid}").icon("dashboard")
    return link.tooltip(tooltip).include_vars(include_vars=True).keep_time(keep_time=True)


def back_to_fleet() -> DashboardLink:
    """The overview of all jobs: unlike the other links it leaves the choice of a job behind."""
    url = f"/d/{Uid.FLEET}?${{workspace:queryparam}}&${{datasource:queryparam}}&${{exporter:queryparam}}"
    link = DashboardLink("Fleet overview").type(DashboardLinkType.LINK).url(url).icon("dashboard")
    return link.tooltip("What needs attention now").keep_time(keep_time=True)


def outside(title: str, url: str, tooltip: str) -> DashboardLink:
    """A page that is not Grafana's."""
    link = DashboardLink(title).type(DashboardLinkType.LINK).url(url).icon("external link")
    return link.tooltip(tooltip).target_blank(target_blank=True)


def status() -> DashboardLink:
    """The exporter's page for people."""
    return outside("Status page", "${exporter}/", "What the exporter collects, and what went wrong last")


def api() -> DashboardLink:
    """The documentation of the exporter's JSON API."""
    return outside("API", "${exporter}/docs", "The exporter's JSON API")
