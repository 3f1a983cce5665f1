"""The configuration: what can be set, which mistakes are named how, and where secrets stay."""

import tomllib
from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from collector.config import (
    AgreementSettings,
    BillingSettings,
    ConfigError,
    JobsSettings,
    LogSettings,
    MetricsSettings,
    PollingSettings,
    SecretError,
    ServerSettings,
    Settings,
    StoreSettings,
    WorkspaceSettings,
    load,
)
from collector.config.settings import SECTIONS, settings_of
from collector.config.template import template
from collector.config.values import Address, duration_written

SHIPPED = Path(__file__).parents[2] / "config.toml"
ENVIRON = {"DATABRICKS_HOST": "https://workspace.example", "HOME": "/nonexistent"}

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a configuration file and returns its path."""

    def written(text: str) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def mistakes(file: Path | None, environ: Mapping[str, str] = ENVIRON) -> tuple[str, ...]:
    """What is wrong, without the folder of the file."""
    with pytest.raises(ConfigError) as caught:
        load(file, environ)

    folder = f"{file.parent}/" if file else ""
    return tuple(mistake.replace(folder, "") for mistake in caught.value.mistakes)


# ── the shipped file and the defaults ────────────────────────────────────────────────────────────────────────────


def test_shipped_file_changes_nothing() -> None:
    """Every default in `config.toml` is the true one: with the file and without it the settings are equal."""
    settings = load(SHIPPED, ENVIRON)

    assert Settings() == settings


def test_shipped_file_is_what_the_declarations_say() -> None:
    """`config.toml` holds every setting with its comment; renew it with `python -m collector.config.template`."""
    assert template() == SHIPPED.read_text(encoding="utf-8")


def test_shipped_file_shows_every_setting() -> None:
    """Nothing can be set that `config.toml` does not show, and nothing is shown that cannot be set."""
    declared = {name: [key for key, _ in settings_of(kind)] for name, kind in SECTIONS.items()}

    shown = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))

    assert declared == {name: list(table) for name, table in shown.items()}


def test_every_section_is_a_part_of_the_settings() -> None:
    """The sections of the file are the fields of `Settings`, beside what follows from the environment."""
    assert [*SECTIONS, "agreements", "workspaces", "on_databricks_apps", "secrets"] == [
        field.name for field in fields(Settings)
    ]


def uncommented(text: str, first: str) -> str:
    """The text with the comment signs removed from this line to the next paragraph of two empty lines."""
    head, start, rest = text.partition(f"# {first}\n")
    examples, end, tail = (start + rest).partition("\n\n\n")
    return head + examples.replace("\n# ", "\n").replace("\n#\n", "\n").removeprefix("# ") + end + tail


def test_example_of_an_agreement_works(write: Write) -> None:
    """Whoever removes the comment signs of the example has an agreement."""
    text = SHIPPED.read_text(encoding="utf-8")

    settings = load(write(uncommented(text, "[[agreements]]")), ENVIRON)

    expected = AgreementSettings(
        jobs=("etl_.*", "tag:team=data"),
        sla=timedelta(minutes=30),
        budget_monthly_dbus=Decimal(100),
        team="data",
    )
    assert (expected,) == settings.agreements


def test_examples_of_workspaces_work(tmp_path: Path, write: Write) -> None:
    """Whoever removes the comment signs of the examples has three workspaces."""
    file = write(uncommented(SHIPPED.read_text(encoding="utf-8"), "[[workspaces]]"))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "production-client-secret").write_text("hush-hush\n", encoding="utf-8")

    settings = load(file, {"STAGING_TOKEN": "psst-psst"})

    production, staging, development = settings.workspaces
    assert ("production", "staging", "development") == (production.name, staging.name, development.name)
    assert production.client_secret
    assert production.client_secret.reveal() == "hush-hush"
    assert staging.token
    assert staging.token.reveal() == "psst-psst"
    assert development.profile == "DEV"


def test_no_file_means_defaults(tmp_path: Path) -> None:
    """Without a file in the working directory the defaults apply."""
    with chdir(tmp_path):
        settings = load(None, ENVIRON)

    assert Settings() == settings


def test_file_in_the_working_directory_is_found(tmp_path: Path, write: Write) -> None:
    """`config.toml` in the working directory is read when no file is named."""
    write("[jobs]\nmax_jobs = 7\n")

    with chdir(tmp_path):
        settings = load(None, ENVIRON)

    assert settings.jobs.max_jobs == 7


# ── what can be set ──────────────────────────────────────────────────────────────────────────────────────────────

FULL = """
[server]
listen = "[::1]:9000"
[store]
url = "postgresql+psycopg://exporter:pass-word@db/jobs"
retention = "90d"
[polling]
active_interval = "250ms"
definitions_interval = "1h30m"
overlap = "5m"
lookback = "2d"
lookback_interval = "2h"
stale_after = "30s"
max_requests_per_second = 5
system_tables_interval = "10m"
billing_interval = "3h"
[jobs]
include = ["etl-.*", "tag:env=prod"]
exclude = ["tag:noise"]
max_jobs = 50
tag_labels = ["team", "tier"]
sla_tag = ""
team_tag = "squad"
budget_tag = "dbus"
owner_tag = "owner"
[billing.discounts]
JOBS = 0.1
ALL_PURPOSE = 0
[metrics]
task_runs = true
job_histograms = true
exemplars = false
[log]
format = "json"
level = "warning"
[[agreements]]
jobs = ["tag:tier=1", "nightly .*"]
sla = "1h30m"
budget_monthly_dbus = 0.7
team = " data "
owner = "Ada"
[[agreements]]
jobs = [".*"]
team = "rest"
sla = ""
[[workspaces]]
name = "prod"
host = "https://adb-1.azuredatabricks.net/"
warehouse_id = "abc"
token_env = "PROD_TOKEN"
system_catalog = "ops"
"""


def test_every_setting_is_read(tmp_path: Path, write: Write) -> None:
    """Each key of the file arrives in its field."""
    settings = load(write(FULL), {"PROD_TOKEN": "hush-hush"})

    expected = Settings(
        server=ServerSettings(listen=Address("::1", 9000)),
        store=StoreSettings(
            url="postgresql+psycopg://exporter:pass-word@db/jobs", retention=timedelta(days=90)
        ),
        polling=PollingSettings(
            active_interval=timedelta(milliseconds=250),
            definitions_interval=timedelta(minutes=90),
            overlap=timedelta(minutes=5),
            lookback=timedelta(days=2),
            lookback_interval=timedelta(hours=2),
            stale_after=timedelta(seconds=30),
            max_requests_per_second=5.0,
            system_tables_interval=timedelta(minutes=10),
            billing_interval=timedelta(hours=3),
        ),
        jobs=JobsSettings(
            include=("etl-.*", "tag:env=prod"),
            exclude=("tag:noise",),
            max_jobs=50,
            tag_labels=("team", "tier"),
            sla_tag="",
            team_tag="squad",
            budget_tag="dbus",
            owner_tag="owner",
        ),
        billing=BillingSettings(discounts={"JOBS": Decimal("0.1"), "ALL_PURPOSE": Decimal(0)}),
        metrics=MetricsSettings(task_runs=True, job_histograms=True, exemplars=False),
        log=LogSettings(format="json", level="warning"),
        agreements=(
            AgreementSettings(
                jobs=("tag:tier=1", "nightly .*"),
                sla=timedelta(minutes=90),
                budget_monthly_dbus=Decimal("0.7"),
                team="data",
                owner="Ada",
            ),
            AgreementSettings(jobs=(".*",), team="rest"),
        ),
        workspaces=(
            WorkspaceSettings(
                name="prod",
                host="https://adb-1.azuredatabricks.net",
                warehouse_id="abc",
                token=settings.workspaces[0].token,
                system_catalog="ops",
            ),
        ),
    )
    assert expected == settings
    assert settings.workspaces[0].token


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("0.0.0.0:10977", "0.0.0.0", 10977),
        (":10977", "0.0.0.0", 10977),
        ("[::1]:10977", "::1", 10977),
        ("localhost:0", "localhost", 0),
    ],
)
def test_listen_is_host_and_port(write: Write, listen: str, host: str, port: int) -> None:
    """The address is split into host and port, without brackets, and no host means all addresses."""
    server = load(write(f'[server]\nlisten = "{listen}"\n'), ENVIRON).server

    assert (host, port) == (server.host, server.port)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=60), "60d"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=10), "10s"),
        (timedelta(milliseconds=100), "100ms"),
    ],
)
def test_durations_are_shown_as_they_are_written(length: timedelta, text: str) -> None:
    """A message names a duration in a form that could be copied into the file."""
    assert text == duration_written(length)


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────

VARIABLES = {
    "DJE_SERVER_LISTEN": ("127.0.0.1:1", "server", "listen", Address("127.0.0.1", 1)),
    "DJE_STORE_URL": ("sqlite:///other.db", "store", "url", "sqlite:///other.db"),
    "DJE_STORE_RETENTION": ("61d", "store", "retention", timedelta(days=61)),
    "DJE_STORE_DETAILS_RETENTION": ("12h", "store", "details_retention", timedelta(hours=12)),
    "DJE_STORE_SECRET_PARAMETERS": ("^pin$,pass", "store", "secret_parameters", ("^pin$", "pass")),
    "DJE_POLLING_ACTIVE_INTERVAL": ("10s", "polling", "active_interval", timedelta(seconds=10)),
    "DJE_POLLING_DEFINITIONS_INTERVAL": ("1s", "polling", "definitions_interval", timedelta(seconds=1)),
    "DJE_POLLING_OVERLAP": ("11m", "polling", "overlap", timedelta(minutes=11)),
    "DJE_POLLING_LOOKBACK": ("3d", "polling", "lookback", timedelta(days=3)),
    "DJE_POLLING_LOOKBACK_INTERVAL": ("7m", "polling", "lookback_interval", timedelta(minutes=7)),
    "DJE_POLLING_STALE_AFTER": ("2m", "polling", "stale_after", timedelta(minutes=2)),
    "DJE_POLLING_MAX_REQUESTS_PER_SECOND": ("2.5", "polling", "max_requests_per_second", 2.5),
    "DJE_POLLING_SYSTEM_TABLES_INTERVAL": ("6m", "polling", "system_tables_interval", timedelta(minutes=6)),
    "DJE_POLLING_BILLING_INTERVAL": ("2h", "polling", "billing_interval", timedelta(hours=2)),
    "DJE_JOBS_INCLUDE": ("etl-.*, tag:env=prod", "jobs", "include", ("etl-.*", "tag:env=prod")),
    "DJE_JOBS_EXCLUDE": ("tmp", "jobs", "exclude", ("tmp",)),
    "DJE_JOBS_MAX_JOBS": ("9", "jobs", "max_jobs", 9),
    "DJE_JOBS_TAG_LABELS": ("a,b", "jobs", "tag_labels", ("a", "b")),
    "DJE_JOBS_SLA_TAG": ("sla", "jobs", "sla_tag", "sla"),
    "DJE_JOBS_TEAM_TAG": ("squad", "jobs", "team_tag", "squad"),
    "DJE_JOBS_BUDGET_TAG": ("dbus", "jobs", "budget_tag", "dbus"),
    "DJE_JOBS_OWNER_TAG": ("owner", "jobs", "owner_tag", "owner"),
    "DJE_BILLING_DISCOUNTS": (
        "JOBS=0.2, SQL = 0.35",
        "billing",
        "discounts",
        {"JOBS": Decimal("0.2"), "SQL": Decimal("0.35")},
    ),
    "DJE_METRICS_TASK_RUNS": ("true", "metrics", "task_runs", True),
    "DJE_METRICS_JOB_HISTOGRAMS": ("TRUE", "metrics", "job_histograms", True),
    "DJE_METRICS_EXEMPLARS": ("false", "metrics", "exemplars", False),
    "DJE_LOG_FORMAT": ("json", "log", "format", "json"),
    "DJE_LOG_LEVEL": ("debug", "log", "level", "debug"),
}


@pytest.mark.parametrize(("environ", "there"), [({}, False), ({"DATABRICKS_APP_NAME": "exporter"}, True)])
def test_who_stands_in_front(environ: dict[str, str], there: bool) -> None:
    """The platform's proxy is in front of us on Databricks Apps alone."""
    store = {"DJE_STORE_URL": "postgresql+psycopg://me@db/x"}

    assert there == load(None, {**ENVIRON, **store, **environ}).on_databricks_apps


@pytest.mark.parametrize("variable", VARIABLES)
def test_environment_wins_over_the_file(variable: str) -> None:
    """A variable replaces what the file says for its setting and leaves the others alone."""
    text, section, name, value = VARIABLES[variable]

    settings = load(SHIPPED, {**ENVIRON, variable: text})

    changed = replace(getattr(Settings(), section), **{name: value})
    assert replace(Settings(), **{section: changed}) == settings


def test_every_setting_has_a_variable() -> None:
    """The names above are those of all settings, but those that need a file of their own."""
    declared = {
        f"DJE_{section}_{key}".upper() for section, kind in SECTIONS.items() for key, _ in settings_of(kind)
    }

    assert declared == {*VARIABLES, "DJE_STORE_URL_FILE", "DJE_SERVER_WEB_CONFIG_FILE"}


def test_empty_variable_is_unset() -> None:
    """A compose file may pass on variables that nobody has set."""
    settings = load(SHIPPED, {**ENVIRON, "DJE_POLLING_ACTIVE_INTERVAL": "", "DJE_JOBS_TAG_LABELS": " "})

    assert Settings() == settings


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────

NO_FRACTION = "is no fraction; write a number from 0 to below 1, such as 0.2 for 20 %"
NOT_A_DURATION = 'is not a duration; write a number with a unit, such as "5s", "10m" or "1h"'
SELECTOR = 'correct it, or write "tag:key=value" or "tag:key"'
ADDRESS = 'is not an address; write HOST:PORT such as "0.0.0.0:10977", ":10977" or "[::1]:10977"'
STORE = (
    "is not a store that is supported; "
    'write "sqlite:///FILE" or "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"'
)

BAD_FILES = {
    '[polling]\nactive_interval = "5 parsecs"': f'[polling] active_interval: "5 parsecs" {NOT_A_DURATION}',
    "[polling]\nactive_interval = 5": f"[polling] active_interval: 5 {NOT_A_DURATION}",
    '[polling]\nactive_interval = "99ms"': '[polling] active_interval: "99ms" is too short; write at least "100ms"',
    '[polling]\nlookback = "61d"': '[polling] lookback: "61d" is too long; write at most "60d"',
    f'[store]\nretention = "{"9" * 400}w"': f'[store] retention: "{"9" * 400}w" is too long; write at most "3650d"',
    '[polling]\nstale_after = "9s"': '[polling] stale_after: "9s" is shorter than 2 × active_interval; '
    'write at least "10s"',
    '[polling]\nactive_interval = "40s"': '[polling] stale_after: "1m" is shorter than 2 × active_interval; '
    'write at least "80s"',
    '[polling]\noverlap = "1s"': '[polling] overlap: "1s" is shorter than active_interval; write at least "5s"',
    '[store]\nretention = "1d"\n[polling]\nlookback = "7d"': '[store] retention: "1d" is shorter than lookback; '
    'write at least "7d"',
    "[polling]\nmax_requests_per_second = 0": "[polling] max_requests_per_second: 0 is out of range; "
    "write a number above 0",
    "[polling]\nmax_requests_per_second = nan": "[polling] max_requests_per_second: nan is out of range; "
    "write a number above 0",
    '[polling]\nmax_requests_per_second = "many"': '[polling] max_requests_per_second: "many" is not a number; '
    "write one above 0",
    "[jobs]\nmax_jobs = 0": "[jobs] max_jobs: 0 is too small; write at least 1",
    "[jobs]\nmax_jobs = 1.5": "[jobs] max_jobs: 1.5 is not a whole number; write one of at least 1",
    "[jobs]\nmax_jobs = true": "[jobs] max_jobs: true is not a whole number; write one of at least 1",
    '[jobs]\ninclude = ["etl-("]': '[jobs] include: "etl-(" is not a regular expression '
    f"(missing ), unterminated subpattern at position 4); {SELECTOR}",
    '[store]\nsecret_parameters = ["*key"]': '[store] secret_parameters: "*key" is not a regular expression '
    "(nothing to repeat at position 0); correct it",
    '[jobs]\nexclude = ["tag:=prod"]': '[jobs] exclude: "tag:=prod" names no tag; write "tag:key=value" or "tag:key"',
    '[jobs]\ninclude = "etl"': '[jobs] include: "etl" is not a list of texts; write it like ["one", "two"]',
    '[jobs]\ntag_labels = ["a", "a"]': '[jobs] tag_labels: "a" stands there more than once; write it once',
    "[jobs]\nsla_tag = 5": "[jobs] sla_tag: 5 is not text; put it in quotes",
    '[metrics]\ntask_runs = "yes"': '[metrics] task_runs: "yes" is neither true nor false; '
    "write true or false without quotes",
    '[log]\nformat = "xml"': '[log] format: "xml" is not known; write one of "logfmt", "json"',
    '[server]\nlisten = "10977"': f'[server] listen: "10977" {ADDRESS}',
    '[server]\nlisten = "::1:10977"': f'[server] listen: "::1:10977" {ADDRESS}',
    '[server]\nlisten = ":65536"': "[server] listen: 65536 is not a port; write one from 0 to 65535",
    '[store]\nurl_file = "no.url"': "[store] url_file: there is no file no.url; name one that exists",
    '[store]\nurl = "mysql://me:pa@ss@db/x"': f'[store] url: "mysql://me:***@db/x" {STORE}',
    '[store]\nurl = "postgresql://me:pa/ss@db/x"': f'[store] url: "postgresql://me:***@db/x" {STORE}',
    '[store]\nurl = "sqlite:///:memory:"': f'[store] url: "sqlite:///:memory:" {STORE}',
    '[store]\nurl_file = "no-url"': "[store] url_file: there is no file no-url; name one that exists",
    "[pollling]\nx = 1": "[pollling]: unknown section; did you mean [polling]?",
    "[workspace]\nx = 1": "[workspace]: unknown section; did you mean [[workspaces]]?",
    "[xyzzy]": "[xyzzy]: unknown section; the sections are [server], [store], [polling], [jobs], [billing], "
    "[metrics], [log], [[agreements]], [[workspaces]]",
    "[polling]\nactiv_interval = 5": "[polling] activ_interval: unknown setting; did you mean active_interval?",
    "[log]\nxyzzy = 5": "[log] xyzzy: unknown setting; the settings are format, level",
    'active_interval = "5s"': "active_interval: stands in no section; move it below [polling]",
    "xyzzy = 1": "xyzzy: stands in no section; remove it",
    "[agreement]\nx = 1": "[agreement]: unknown section; did you mean [[agreements]]?",
    '[agreements]\nteam = "x"': "agreements: is not a list of tables; write [[agreements]] in double brackets",
    "[billing]\ndiscounts = 0.2": "[billing] discounts: 0.2 is not a table; write it like { JOBS = 0.2, SQL = 0.35 }",
    "[billing]\ndiscounts = { jobs = 0.2 }": '[billing] discounts: "jobs" is not a product; '
    "write it as billing_origin_product does, such as JOBS or SQL",
    "[billing]\ndiscounts = { JOBS = 20 }": f"[billing] discounts: JOBS: 20 {NO_FRACTION}",
    "[billing]\ndiscounts = { JOBS = 1.0 }": f"[billing] discounts: JOBS: 1.0 {NO_FRACTION}",
    "[billing]\ndiscounts = { JOBS = -0.1 }": f"[billing] discounts: JOBS: -0.1 {NO_FRACTION}",
    "[billing]\ndiscounts = { JOBS = nan }": f"[billing] discounts: JOBS: NaN {NO_FRACTION}",
    '[billing]\ndiscounts = { JOBS = "20 %" }': f'[billing] discounts: JOBS: "20 %" {NO_FRACTION}',
    "[[log]]": "log: is not a section; write [log] in single brackets and its settings below",
    '[workspaces]\nname = "x"': "workspaces: is not a list of tables; write [[workspaces]] in double brackets",
    "[log]\nlevel =\n": "line 2, column 8: Invalid value; correct the TOML there",
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.items())
def test_each_mistake_in_the_file_says_what_to_change(write: Write, text: str, message: str) -> None:
    """One bad file per mistake, one message per file."""
    assert (f"config.toml: {message}",) == mistakes(write(text))


BAD_AGREEMENTS = {
    'team = "x"': ' jobs: names no job; write the jobs that are meant, such as ["etl_.*"], or [".*"] for all',
    'jobs = []\nteam = "x"': " jobs: names no job; write the jobs that are meant, "
    'such as ["etl_.*"], or [".*"] for all',
    'jobs = ["etl-("]\nteam = "x"': ' jobs: "etl-(" is not a regular expression '
    f"(missing ), unterminated subpattern at position 4); {SELECTOR}",
    'jobs = "etl"\nteam = "x"': ' jobs: "etl" is not a list of texts; write it like ["one", "two"]',
    'jobs = [".*"]': ": says nothing; add sla, budget_monthly_dbus, team or owner",
    'jobs = [".*"]\nteam = ""': ": says nothing; add sla, budget_monthly_dbus, team or owner",
    'jobs = [".*"]\nsla = 30': f" sla: 30 {NOT_A_DURATION}",
    'jobs = [".*"]\nsla = "0s"': ' sla: "0s" is too short; write at least "1s"',
    'jobs = [".*"]\nbudget_monthly_dbus = -1': " budget_monthly_dbus: -1 is out of range; "
    "write a number above 0, or leave it out",
    'jobs = [".*"]\nbudget_monthly_dbus = 0': " budget_monthly_dbus: 0 is out of range; "
    "write a number above 0, or leave it out",
    'jobs = [".*"]\nbudget_monthly_dbus = inf': " budget_monthly_dbus: Infinity is not a number of DBUs; "
    "write one above 0",
    'jobs = [".*"]\nbudget_monthly_dbus = "100"': ' budget_monthly_dbus: "100" is not a number of DBUs; '
    "write one above 0",
    'jobs = [".*"]\nbudget_monthly_dbus = true': " budget_monthly_dbus: true is not a number of DBUs; "
    "write one above 0",
    'jobs = [".*"]\nteam = "x"\nbudget_monthly_dbu = 5': " budget_monthly_dbu: unknown setting; "
    "did you mean budget_monthly_dbus?",
    'jobs = [".*"]\nteam = "x"\nxyzzy = 5': " xyzzy: unknown setting; "
    "the settings are jobs, sla, budget_monthly_dbus, team, owner",
}


@pytest.mark.parametrize(("table", "message"), BAD_AGREEMENTS.items())
def test_each_mistake_in_an_agreement_says_what_to_change(write: Write, table: str, message: str) -> None:
    """One bad agreement per mistake, one message per agreement, behind one that is right."""
    good = '[[agreements]]\njobs = [".*"]\nteam = "good"\n'

    assert (f"config.toml: [[agreements]] 2{message}",) == mistakes(write(f"{good}[[agreements]]\n{table}\n"))


BAD_WORKSPACES = {
    'name = "a b"\nhost = "h"': ' name: "a b" is not a name; write 1 to 64 letters, digits or characters of "_.-"',
    'name = "a"': ' host: is missing; write host = "https://…", or the profile to take it from',
    'host = "https://h/?o=1"': ' host: "https://h/?o=1" is not the address of a workspace; '
    'write it without path, like "https://HOST"',
    'host = "h"\ntoken = "dapi123"': " token: a secret does not belong in this file; "
    'say where it is with token_env = "VARIABLE" or token_file = "PATH"',
    'host = "h"\ntoken_evn = "T"': " token_evn: unknown setting; did you mean token_env?",
    'host = "h"\nxyzzy = "T"': " xyzzy: unknown setting; remove it",
    'host = "h"\ntoken_env = "MISSING"': " token_env: the environment variable MISSING is not set; "
    "set it, or name another",
    'host = "h"\ntoken_env = "EMPTY"': " token_env: the environment variable EMPTY is empty; "
    "set it, or name another",
    f'host = "h"\ntoken_env = "dapi{"0f" * 16}"': " token_env: the environment variable *** is not set; "
    "set it, or name another",
    'host = "h"\ntoken_file = "missing"': " token_file: the file missing cannot be read (No such file or directory); "
    "put the secret there, or name another file",
    'host = "h"\ntoken_file = "empty"': " token_file: the file empty is empty; "
    "put the secret there, or name another file",
    'host = "h"\ntoken_file = "binary"': " token_file: the file binary is not text in UTF-8; "
    "put the secret there, or name another file",
    'host = "h"\ntoken_env = "T"\ntoken_file = "good"': " token: is named twice; keep token_env or token_file",
    'profile = "p"\ntoken_env = "T"': ": profile and token are different ways to sign in; keep one of them",
    'host = "h"\ntoken_env = "T"\nclient_id = "c"\nclient_secret_env = "T"': ": token and client_id are different "
    "ways to sign in; keep one of them",
    'host = "h"\nclient_id = "c"': " client_id: has no secret; add client_secret_env or client_secret_file",
    'host = "h"\nclient_secret_env = "T"': " client_secret: belongs to no client_id; add client_id",
    'host = "h"\nsystem_catalog = "a`b"': ' system_catalog: "a`b" is not a name; '
    'write 1 to 255 letters, digits or characters of "_-"',
}


@pytest.mark.parametrize(("table", "message"), BAD_WORKSPACES.items())
def test_each_mistake_in_a_workspace_says_what_to_change(
    tmp_path: Path, write: Write, table: str, message: str
) -> None:
    """One bad workspace per mistake, one message per workspace, and never the value of a secret."""
    for name, content in (("empty", b" \n"), ("binary", b"\xff\xfe"), ("good", b"hush-hush")):
        (tmp_path / name).write_bytes(content)

    found = mistakes(write(f"[[workspaces]]\n{table}\n"), {"T": "hush-hush", "EMPTY": " "})

    assert (f"config.toml: [[workspaces]] 1{message}",) == found


def test_workspaces_have_different_names(write: Write) -> None:
    """The name is in every key, so that no two workspaces share one."""
    found = mistakes(
        write('[[workspaces]]\nname = "a"\nhost = "x"\n[[workspaces]]\nname = "a"\nhost = "y"\n')
    )

    assert (
        'config.toml: [[workspaces]] 2 name: "a" is taken; give each workspace a name of its own',
    ) == found


def test_all_mistakes_are_named_at_once(write: Write) -> None:
    """Whoever starts with a bad configuration sees everything that is to be changed, in file and environment."""
    file = write('[pollling]\n[server]\nlisten = "x"\n[jobs]\nmax_jobs = 0\n[[workspaces]]\nname = "a"\n')

    found = mistakes(file, {"DJE_LOG_LEVEL": "loud", "DJE_LOG_LEVLE": "info"})

    assert (
        "config.toml: [pollling]: unknown section; did you mean [polling]?",
        "DJE_LOG_LEVLE: unknown variable; did you mean DJE_LOG_LEVEL?",
        f'config.toml: [server] listen: "x" {ADDRESS}',
        "config.toml: [jobs] max_jobs: 0 is too small; write at least 1",
        'DJE_LOG_LEVEL: "loud" is not known; write one of "debug", "info", "warning", "error"',
        'config.toml: [[workspaces]] 1 host: is missing; write host = "https://…", or the profile to take it from',
    ) == found


def test_wrong_value_is_not_compared(write: Write) -> None:
    """A mistake brings no second one about a value that nobody wrote."""
    file = write('[polling]\nactive_interval = "2m"\nstale_after = "5"\n')

    assert (f'config.toml: [polling] stale_after: "5" {NOT_A_DURATION}',) == mistakes(file)


def test_message_of_the_error_has_one_line_per_mistake(write: Write) -> None:
    """The error can be printed as it is."""
    with pytest.raises(ConfigError) as caught:
        load(write("[jobs]\nmax_jobs = 0\nsla_tag = 5\n"), ENVIRON)

    assert "\n".join(caught.value.mistakes) == str(caught.value)
    assert len(caught.value.mistakes) == 2


BAD_VARIABLES = {
    ("DJE_POLLING_ACTIVE_INTERVAL", "5"): f'"5" {NOT_A_DURATION}',
    ("DJE_POLLING_STALE_AFTER", "6s"): '"6s" is shorter than 2 × active_interval; write at least "10s"',
    ("DJE_METRICS_EXEMPLARS", "1"): '"1" is neither true nor false; write true or false without quotes',
    ("DJE_JOBS_MAX_JOBS", "many"): '"many" is not a whole number; write one of at least 1',
    (
        "DJE_JOBS_INCLUDE",
        "a,[",
    ): f'"[" is not a regular expression (unterminated character set at position 0); {SELECTOR}',
    ("DJE_BILLING_DISCOUNTS", "JOBS=20%"): f'JOBS: "20%" {NO_FRACTION}',
    ("DJE_BILLING_DISCOUNTS", "JOBS"): f'JOBS: "" {NO_FRACTION}',
    ("DJE_POLLING_INTERVAL", "5s"): "unknown variable; did you mean DJE_POLLING_ACTIVE_INTERVAL?",
    ("DJE_XYZZY", "1"): "unknown variable; the variables are DJE_SECTION_KEY, as in config.toml",
    ("DJE_STORE_URL", "mysql://me:pass@db/x"): f'"mysql://me:***@db/x" {STORE}',
}


@pytest.mark.parametrize(("variable", "message"), BAD_VARIABLES.items())
def test_each_mistake_in_a_variable_says_what_to_change(variable: tuple[str, str], message: str) -> None:
    """A mistake in the environment is named by its variable."""
    name, text = variable

    found = mistakes(SHIPPED, {**ENVIRON, name: text})

    assert (f"{name}: {message}",) == found


def test_missing_file_is_a_mistake(tmp_path: Path) -> None:
    """A file that is named has to exist."""
    assert ("config.toml: there is no such file; name one that exists",) == mistakes(tmp_path / "config.toml")


def test_folder_is_no_file(tmp_path: Path) -> None:
    """A path that cannot be read is named with its reason."""
    (tmp_path / "folder").mkdir()

    assert ("folder: cannot be read (Is a directory); make it readable",) == mistakes(tmp_path / "folder")


def test_file_has_to_be_text(tmp_path: Path) -> None:
    """A file in another encoding is a mistake and no traceback."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xff\xfe")

    assert ("config.toml: is not text in UTF-8; save it as UTF-8",) == mistakes(file)


# ── which workspace ──────────────────────────────────────────────────────────────────────────────────────────────


def test_sdk_environment_is_the_only_workspace() -> None:
    """Without tables there is one workspace whose address and credentials the SDK finds by itself."""
    settings = load(SHIPPED, {**ENVIRON, "DATABRICKS_WAREHOUSE_ID": "abc"})

    assert (WorkspaceSettings(name="default", host=None, warehouse_id="abc"),) == settings.workspaces


def test_profile_of_the_sdk_is_enough(tmp_path: Path) -> None:
    """A file with profiles in the home folder makes a workspace."""
    (tmp_path / ".databrickscfg").touch()

    settings = load(SHIPPED, {"HOME": str(tmp_path)})

    assert (WorkspaceSettings(),) == settings.workspaces


def test_no_workspace_is_a_mistake(write: Write) -> None:
    """Nothing starts that has nothing to poll."""
    assert (
        (
            "config.toml: [[workspaces]]: no workspace is configured; "
            "add a [[workspaces]] table, or set DATABRICKS_HOST and the credentials of the Databricks SDK"
        ),
    ) == mistakes(write(""), {"HOME": "/nonexistent", "DATABRICKS_HOST": ""})


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_secret_file_is_read_anew(tmp_path: Path, write: Write) -> None:
    """A rotated file works without a restart, and white space around the secret does not matter."""
    file = tmp_path / "token"
    file.write_text(" first-token\n", encoding="utf-8")
    token = load(write('[[workspaces]]\nhost = "h"\ntoken_file = "token"\n'), {}).workspaces[0].token
    assert token
    assert token.reveal() == "first-token"

    file.write_text("second-token\n", encoding="utf-8")

    assert token.reveal() == "second-token"


def test_secret_that_vanishes_is_an_error(tmp_path: Path, write: Write) -> None:
    """Between two rotations a file may be gone; the error says which, and the next poll tries again."""
    file = tmp_path / "token"
    file.write_text("first-token", encoding="utf-8")
    token = load(write('[[workspaces]]\nhost = "h"\ntoken_file = "token"\n'), {}).workspaces[0].token
    assert token

    file.unlink()

    with pytest.raises(
        SecretError, match=r"^the file \S+/token cannot be read \(No such file or directory\)$"
    ):
        token.reveal()


def test_store_url_may_come_from_a_file(tmp_path: Path, write: Write) -> None:
    """A URL with a password is kept in a file of its own, which is stronger than `url`."""
    (tmp_path / "url").write_text("postgresql+psycopg://me:pass-word@db/x\n", encoding="utf-8")

    settings = load(write('[store]\nurl_file = "url"\nurl = "sqlite:///x.db"\n'), ENVIRON)

    assert settings.store.url == "postgresql+psycopg://me:pass-word@db/x"


def test_empty_file_for_the_store_is_a_mistake(tmp_path: Path, write: Write) -> None:
    """A file that should hold the URL of the store has to hold one."""
    (tmp_path / "url").touch()

    assert (
        "config.toml: [store] url_file: the file url is empty; put the URL there, or name another file",
    ) == mistakes(write('[store]\nurl_file = "url"\n'))


def test_variable_for_the_store_wins_over_its_file(write: Write) -> None:
    """The environment replaces both ways to say in the file where the store is."""
    settings = load(write('[store]\nurl_file = "missing"\n'), {**ENVIRON, "DJE_STORE_URL": "sqlite:///x.db"})

    assert settings.store.url == "sqlite:///x.db"


def test_settings_do_not_show_secrets(write: Write) -> None:
    """Neither repr nor str of the settings, of a workspace or of a secret holds what must not be seen."""
    settings = load(write(FULL), {"PROD_TOKEN": "hush-hush"})
    workspace = settings.workspaces[0]

    shown = f"{settings} {settings!r} {workspace} {workspace.token} {workspace.token!r} {settings.store}"

    assert "hush-hush" not in shown
    assert "pass-word" not in shown
    assert "environment variable PROD_TOKEN" in str(workspace.token)


def test_settings_know_what_to_mask(write: Write) -> None:
    """Tokens, client secrets, the store's password and the secrets of the SDK's environment are handed to the log."""
    text = (
        '[store]\nurl = "postgresql+psycopg://me:pass%40word@db/x"\n[[workspaces]]\nname = "a"\nhost = "a"\n'
        'token_env = "A"\n[[workspaces]]\nhost = "b"\nclient_id = "b"\nclient_secret_env = "B"\n'
    )

    settings = load(write(text), {"A": "token-a", "B": "secret-b", "DATABRICKS_TOKEN": "token-of-sdk"})

    assert {"token-a", "secret-b", "pass@word", "token-of-sdk"} == {read() for read in settings.secrets}


@pytest.mark.parametrize(
    "variable", ["DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"]
)
def test_a_profile_beside_variables_of_the_sdk_is_refused(write: Write, variable: str) -> None:
    """The SDK prefers the variables: the profile's token would be sent to another host."""
    with pytest.raises(ConfigError) as refused:
        load(
            write('[[workspaces]]\nname = "development"\nprofile = "DEV"\n'),
            {variable: "https://other.example"},
        )

    (mistake,) = refused.value.mistakes
    assert mistake.endswith(
        f"config.toml: [[workspaces]] 1 profile: the environment sets {variable}, which the Databricks SDK prefers to "
        "a profile; unset it, or write host and credentials here instead of the profile"
    )
