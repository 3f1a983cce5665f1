"""Every setting: its key, default, meaning and limits, declared once.

Reading, the names of the environment variables and `config.toml` follow from these declarations. The docstring of a
section opens it in `config.toml`.
"""
# ruff: noqa: RUF009 – `setting` and `secret` make dataclass fields, which are there to be made in the class

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from collector.config import amounts, values
from collector.config.lakebase import Lakebase
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
    value = parse(default)  # by a factory, because a dataclass takes no table as a default
    return field(default_factory=lambda: value, repr=shown, metadata={SETTING: declared})


def secret(comment: str) -> Secret | None:
    """Declare a key whose value is named by `KEY_env` or `KEY_file`."""
    declared = Setting(default="", parse=values.optional_text, comment=comment, secret=True)
    return field(default=None, metadata={SETTING: declared})


def settings_of(section: Any) -> Iterator[tuple[str, Setting]]:
    """Keys and declarations of a section's class, in the order of `config.toml`."""
    declared: tuple[Field[Any], ...] = fields(section)
    return ((each.name, each.metadata[SETTING]) for each in declared if SETTING in each.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The HTTP server: plain HTTP, open to everybody who reaches the port, unless web_config_file says otherwise."""

    listen: Address = setting(
        values.address,
        'Address and port. ":10977" listens on all addresses, "127.0.0.1:10977" only for this machine, '
        '"[::1]:10977" on IPv6.',
        default="0.0.0.0:10977",
    )
    web_config_file: Path | None = setting(
        values.file,
        "TLS, sign-in and headers, in the format of Prometheus's exporters; docs/web-config.md says which of its "
        "fields are honoured. Read again when it changes. Empty: plain HTTP for everybody.",
        default="",
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
        'or PostgreSQL ("postgresql+psycopg://USER@HOST/DATABASE"; "?schema=NAME" keeps the tables in a schema that is '
        "made when it is missing). With a password in it, use url_file or DJE_STORE_URL instead. "
        '"lakebase" is the database that a Databricks App has among its resources (PGHOST, PGDATABASE, PGUSER, …), '
        "with tokens of the app's service principal as passwords.",
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
    details_retention: timedelta = setting(
        values.duration(at_least="1h"),
        "How long the tasks and parameters of a finished run are kept, for its page and /api/runs; nothing is counted "
        "from them. Costs about a kilobyte of disk space for each run, more with many tasks.",
        default="14d",
    )
    secret_parameters: tuple[str, ...] = setting(
        values.patterns,
        "Names of run parameters whose values are masked before they are stored: regular expressions, found anywhere "
        "in the name, capital or small.",
        default=["password", "token", "secret", "key"],
    )
    lakebase: Lakebase | None = None
    """Where the password comes from when the URL was "lakebase"; the URL is the address that it stands for then."""


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
        "Between two readings of run history and job definitions in the system tables, for workspaces with a "
        "warehouse_id; finds the runs that no poll saw. Each reading starts the warehouse: one that is asked more often "
        "than its auto-stop never stops and costs around the clock. The tables are minutes late anyway: where that "
        'does not matter, take an interval well above auto-stop, such as "1h".',
        default="5m",
    )
    billing_interval: timedelta = setting(
        values.duration(at_least="1s", at_most="7d"),
        "The same for usage and prices, which reach the tables about half a day late.",
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
        "Tag that names the team whom alerts of the job go to. Empty: no such tag.",
        default="team",
    )
    owner_tag: str = setting(
        values.text,
        "Tag that names the owner of the job, as a label of databricks_job_owner_info. Empty: no such tag, because "
        "owners are often people, and Prometheus keeps their names.",
        default="",
    )
    budget_tag: str = setting(
        values.text,
        "Tag whose value is the DBUs that the job may use in a month. Empty: no such tag.",
        default="budget_monthly_dbus",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingSettings:
    """What usage costs; for workspaces with a warehouse_id. Databricks shows list prices alone."""

    discounts: Mapping[str, Decimal] = setting(
        amounts.discounts,
        "What is off the list price, by product (billing_origin_product), as fractions: { JOBS = 0.2, SQL = 0.35 } "
        "is 20 % and 35 %. Shows the net cost beside the list cost. Empty: list cost alone.",
        default={},
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
class AgreementSettings:
    """What jobs without tags are held to, and who answers for them. A tag of the job and its health rule win; of
    several tables that fit, the first that sets a key gives it.
    """

    jobs: tuple[str, ...] = setting(
        values.selectors, "The jobs that are meant, written as in include above. Not empty.", default=[]
    )
    sla: timedelta | None = setting(
        values.optional(values.duration(at_least="1s")), 'How long a run may take, such as "30m".', default=""
    )
    budget_monthly_dbus: Decimal | None = setting(
        values.optional(amounts.budget), "DBUs that each of the jobs may use in a month.", default=""
    )
    team: str = setting(values.text, "The team whom alerts go to.", default="")
    owner: str = setting(values.text, "The owner, as a label of databricks_job_owner_info.", default="")


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
        values.optional_text,
        "SQL warehouse that reads run history, job definitions, usage and prices in the system tables. Without one "
        "nothing of this is asked, and no cost is shown.",
        default="",
    )
    system_catalog: str = setting(
        values.name(most=255, marks="_-"),
        "Catalogue of the system tables; another one where views of the same names stand in for them.",
        default="system",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is configured, checked as a whole."""

    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    polling: PollingSettings = PollingSettings()
    jobs: JobsSettings = JobsSettings()
    billing: BillingSettings = BillingSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    agreements: tuple[AgreementSettings, ...] = ()
    """In the order of the file."""
    workspaces: tuple[WorkspaceSettings, ...] = (WorkspaceSettings(),)
    """At least one. A host or profile of None leaves the choice to the environment of the Databricks SDK."""
    on_databricks_apps: bool = False
    """True behind the platform's proxy, which says who is asking."""
    secrets: tuple[Callable[[], str], ...] = field(default=(), repr=False, compare=False)
    """What no log line and no page may show: hand it to `collector.logs.configure`."""


SECTIONS: dict[str, Any] = {
    "server": ServerSettings,
    "store": StoreSettings,
    "polling": PollingSettings,
    "jobs": JobsSettings,
    "billing": BillingSettings,
    "metrics": MetricsSettings,
    "log": LogSettings,
}
"""The classes of the tables in `config.toml`, in its order."""
