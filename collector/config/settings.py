"""Every setting: its key, default, meaning and limits, declared once.

Reading, the names of the environment variables and `config.toml` follow from these declarations. The docstring of a
section opens it in `config.toml`.
"""
# ruff: noqa: RUF009 – `setting` and `secret` make dataclass fields, which are there to be made in the class

from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from collector.config import values
from collector.config.secret import Secret
from collector.config.values import Address

T = TypeVar("T")

SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is known about one key."""

    default: object
    """As one writes it in `config.toml`."""
    parse: Callable[[object], object]
    """Raises `Mistake`."""
    comment: str
    """Meaning, unit, effect and cost, for the people who write `config.toml`."""
    secret: bool = False
    """The value never stands in the file: `KEY_env` names a variable, `KEY_file` a file that holds it."""


def setting(parse: Callable[[object], T], comment: str, *, default: object, shown: bool = True) -> T:
    """Declare a key with its default as written in the file; what is not shown stays out of `repr`."""
    declared = Setting(default=default, parse=parse, comment=comment)
    return field(default=parse(default), repr=shown, metadata={SETTING: declared})


def secret(comment: str) -> Secret | None:
    """Declare a key whose value is named by `KEY_env` or `KEY_file`."""
    declared = Setting(default="", parse=values.optional_text, comment=comment, secret=True)
    return field(default=None, metadata={SETTING: declared})


def settings_of(section: Any) -> Iterator[tuple[str, Setting]]:
    """Keys and declarations of a section's class, in the order of `config.toml`."""
    declared: tuple[Field[Any], ...] = fields(section)
    return ((each.name, each.metadata[SETTING]) for each in declared)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The HTTP server: plain HTTP, open to everybody who reaches the port; put TLS and sign-in in front of it."""

    listen: Address = setting(
        values.address,
        'Address and port. ":10977" listens on all addresses, "127.0.0.1:10977" only for this machine, '
        '"[::1]:10977" on IPv6.',
        default="0.0.0.0:10977",
    )

    @property
    def host(self) -> str:
        """The host to listen on."""
        return self.listen.host

    @property
    def port(self) -> int:
        """The port to listen on; 0 lets the system choose."""
        return self.listen.port


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The database that holds runs, counters and polls. It is what makes counters survive a restart: keep it."""

    url: str = setting(
        values.store_url,
        'SQLite on a local disk ("sqlite:///FILE", relative to the working directory; "sqlite:////FILE" absolute), '
        'or PostgreSQL ("postgresql+psycopg://USER@HOST/DATABASE"). With a password in it, use url_file or '
        "DJE_STORE_URL instead.",
        default="sqlite:///databricks-jobs.db",
        shown=False,
    )
    url_file: Path | None = setting(values.file, "A file that holds the URL, instead of url.", default="")
    retention: timedelta = setting(
        values.duration(at_least="1d"),
        "How long finished runs and polls are kept; counters are kept for ever. Medians and percentiles look 30 days "
        "back, so less makes them poorer. Costs disk space for each run.",
        default="60d",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PollingSettings:
    """How often Databricks is asked. A scrape never asks Databricks: the cost depends on these alone."""

    active_interval: timedelta = setting(
        values.duration(at_least="100ms", at_most="1h"),
        "Between two polls of the active and just finished runs, per workspace; how old /metrics may be. "
        "One request per 25 active runs, and one per run that ended.",
        default="5s",
    )
    definitions_interval: timedelta = setting(
        values.duration(at_least="100ms", at_most="1d"),
        "Between two readings of all job definitions (names, tags, schedules). One request per 100 jobs.",
        default="5m",
    )
    overlap: timedelta = setting(
        values.duration(at_least="100ms", at_most="1d"),
        "How far before the last successful poll finished runs are read again, against answers that come late or out "
        "of order. Once a minute and after a failed poll; at least active_interval.",
        default="10m",
    )
    lookback: timedelta = setting(
        values.duration(at_least="0s", at_most="60d"),
        "How far back finished runs are searched for attempts that no poll saw, after the start, after an outage and "
        "every lookback_interval. Databricks keeps runs for 60 days. One request per 25 runs in that time.",
        default="1d",
    )
    lookback_interval: timedelta = setting(
        values.duration(at_least="100ms", at_most="7d"), "Between two such searches.", default="1h"
    )
    stale_after: timedelta = setting(
        values.duration(at_least="200ms", at_most="1d"),
        "After so long without a successful poll the gauges of live state disappear, because a false "
        '"0 running" is worse than none. At least twice active_interval.',
        default="1m",
    )
    max_requests_per_second: float = setting(
        values.positive_number,
        "Most requests per second to one workspace, with short bursts, by everything that asks it. When a poll needs "
        "more, polls come further apart and say so in the metrics.",
        default=20.0,
    )
    system_tables_interval: timedelta = setting(
        values.duration(at_least="1s", at_most="7d"),
        "Between two readings of the run history in the system tables, for workspaces with a warehouse_id. Not used "
        "yet: this version does not read the system tables.",
        default="5m",
    )
    billing_interval: timedelta = setting(
        values.duration(at_least="1s", at_most="7d"),
        "The same for usage and prices. Not used yet.",
        default="1h",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSettings:
    """Which jobs get series of their own, and what their tags mean. Totals per workspace cover all jobs."""

    include: tuple[str, ...] = setting(
        values.selectors,
        "Jobs that get series: regular expressions that fit the whole name, "
        'or "tag:key=value" or "tag:key". Empty: all.',
        default=[],
    )
    exclude: tuple[str, ...] = setting(
        values.selectors, "Jobs that get none, in the same way; stronger than include.", default=[]
    )
    max_jobs: int = setting(
        values.whole_number(at_least=1),
        "Most jobs per workspace with series of their own: bounds /metrics and what Prometheus keeps. What is dropped is counted in a metric.",
        default=10000,
    )
    tag_labels: tuple[str, ...] = setting(
        values.texts,
        "Job tags that become labels of databricks_job_tags. Each value of each tag is kept by Prometheus: "
        "name only tags with few values.",
        default=["team"],
    )
    sla_tag: str = setting(
        values.text,
        "Tag whose value is the minutes that a run of the job may take. Empty: no such tag.",
        default="sla_minutes",
    )
    team_tag: str = setting(
        values.text,
        "Tag that names the team whom alerts of the job go to. Not used yet. Empty: no such tag.",
        default="team",
    )
    budget_tag: str = setting(
        values.text,
        "Tag whose value is the DBUs that the job may use in a month. Not used yet. Empty: no such tag.",
        default="budget_monthly_dbus",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """What /metrics shows beyond the usual; each costs series in Prometheus."""

    task_runs: bool = setting(
        values.boolean,
        "Count finished task runs by job, task and result: one series per job, task and result.",
        default=False,
    )
    job_histograms: bool = setting(
        values.boolean,
        "A histogram of run durations for each job, beside the one for the workspace: about 15 series per job.",
        default=False,
    )
    exemplars: bool = setting(
        values.boolean,
        "Name a run behind each counter as exemplar, for scrapers that ask for OpenMetrics. No further series.",
        default=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What the process says on standard error, one line per event, secrets masked."""

    format: str = setting(values.choice("logfmt", "json"), '"logfmt" or "json".', default="logfmt")
    level: str = setting(
        values.choice("debug", "info", "warning", "error"),
        'Least important level that is written: "debug", "info", "warning" or "error". '
        "Libraries write warnings and errors only.",
        default="info",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """One Databricks workspace and how to sign in there."""

    name: str = setting(
        values.name(most=64, marks="_.-"),
        "The workspace in every metric, unique. A new name starts new counters.",
        default="default",
    )
    host: str | None = setting(
        values.workspace_host,
        "Address of the workspace, such as https://HOST. Not needed with a profile.",
        default="",
    )
    profile: str | None = setting(
        values.optional_text, "Profile in ~/.databrickscfg to sign in with, or:", default=""
    )
    token: Secret | None = secret("personal access token, or:")
    client_id: str | None = setting(
        values.optional_text, "application id of a service principal,", default=""
    )
    client_secret: Secret | None = secret(
        "with its OAuth secret. With none of these, the SDK searches its environment."
    )
    warehouse_id: str | None = setting(
        values.optional_text, "SQL warehouse that reads the system tables. Not used yet.", default=""
    )
    system_catalog: str = setting(
        values.name(most=255, marks="_-"),
        "Catalogue that shows the system tables, where views stand in for them. Not used yet.",
        default="system",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is configured, checked as a whole."""

    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    polling: PollingSettings = PollingSettings()
    jobs: JobsSettings = JobsSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    workspaces: tuple[WorkspaceSettings, ...] = (WorkspaceSettings(),)
    """At least one. A host or profile of None leaves the choice to the environment of the Databricks SDK."""
    secrets: tuple[Callable[[], str], ...] = field(default=(), repr=False, compare=False)
    """What no log line and no page may show: hand it to `collector.logs.configure`."""


SECTIONS: dict[str, Any] = {
    "server": ServerSettings,
    "store": StoreSettings,
    "polling": PollingSettings,
    "jobs": JobsSettings,
    "metrics": MetricsSettings,
    "log": LogSettings,
}
"""The classes of the tables in `config.toml`, in its order."""
