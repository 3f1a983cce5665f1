"""The command `check`: each thing that is missing is named with what mends it, and nothing else is."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.checking import Patience, reports
from collector.config import load
from collector.findings import Outcome
from databricks_jobs_exporter import commands
from databricks_jobs_exporter.__main__ import main
from simulator import Options, Simulator
from simulator.api import WAREHOUSE_ID
from tests.end_to_end.program import configured, ended, workspace
from tests.end_to_end.test_secrets import TOKEN, echo, found
from tests.sources.scripted import scripted

SMALL = Options(jobs=5, active_runs=3, history=timedelta(hours=2), history_runs=20)
USER = "simulated@example.com"
LAKEFLOW = ("job_run_timeline", "job_task_run_timeline", "jobs")
BILLING = ("list_prices", "usage")
TABLES = tuple(f"system.billing.{name}" for name in BILLING) + tuple(
    f"system.lakeflow.{name}" for name in LAKEFLOW
)
BEFORE = ("workspace", "sign-in", "jobs", "warehouse")
USE_WAREHOUSE = (
    f"databricks warehouses update-permissions {WAREHOUSE_ID} --json "
    '\'{"access_control_list": [{"user_name": "' + USER + '", "permission_level": "CAN_USE"}]}\''
)
VIEW_JOBS = re.compile(r"databricks jobs update-permissions JOB_ID .*" + USER + ".*CAN_VIEW.*")


@dataclass(frozen=True)
class Shown:
    """What a check of one workspace printed."""

    code: int
    text: str

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each thing that was tried."""
        table = self.text.partition("outcome")[2].partition("\n\n")[0]
        rows = (re.split(r" {2,}", line.strip()) for line in table.splitlines()[1:])
        return {row[0]: row[1] for row in rows if len(row) > 1}

    @property
    def wrong(self) -> list[str]:
        """What does not work."""
        return [subject for subject, outcome in self.outcomes.items() if outcome in {"missing", "failed"}]

    @property
    def mending(self) -> list[str]:
        """The lines that say what mends it."""
        return self.text.partition("What mends it")[2].partition("\n\n")[0].splitlines()[1:]


Check = Callable[..., Shown]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A workspace whose rights each test puts back."""
    with Simulator(SMALL) as simulated:
        yield simulated


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the command in this process against one workspace."""

    def checked(given: Mapping[str, object], **sections: Mapping[str, object]) -> Shown:
        code = commands.check(load(configured(tmp_path, given, **sections), {}))
        return Shown(code, capsys.readouterr().out)

    return checked


def with_warehouse(folder: Path, simulator: Simulator, **more: object) -> dict[str, object]:
    """The simulated workspace with its warehouse."""
    return workspace(folder, simulator.url, simulator.token) | {"warehouse_id": WAREHOUSE_ID} | more


def test_all_that_works_is_ok(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """The exit code is 0, every table and query was tried, nothing is to be mended, and there is no store."""
    shown = check(with_warehouse(tmp_path, simulator))

    assert 0 == shown.code
    assert {*BEFORE, "CAN USE", *TABLES, "queries"} == set(shown.outcomes)
    assert {"ok"} == set(shown.outcomes.values())
    assert "What mends it" not in shown.text
    assert re.search(
        r"queries +ok +jobs, run_hours, run_timeline, task_runs, usage, usage_since_", shown.text
    )
    assert {"config.toml", "production.token"} == {file.name for file in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("privilege", "on", "tables", "statement"),
    [
        ("USE CATALOG", "", TABLES, "USE CATALOG ON CATALOG system"),
        ("USE SCHEMA", "lakeflow", TABLES[2:], "USE SCHEMA ON SCHEMA system.lakeflow"),
        ("USE SCHEMA", "billing", TABLES[:2], "USE SCHEMA ON SCHEMA system.billing"),
        ("SELECT", "lakeflow", TABLES[2:], "SELECT ON SCHEMA system.lakeflow"),
        ("SELECT", "billing", TABLES[:2], "SELECT ON SCHEMA system.billing"),
        *(
            ("SELECT", table.removeprefix("system."), (table,), f"SELECT ON TABLE {table}")
            for table in TABLES
        ),
    ],
)
def test_the_one_grant_that_is_missing(
    *,
    privilege: str,
    on: str,
    tables: tuple[str, ...],
    statement: str,
    simulator: Simulator,
    check: Check,
    tmp_path: Path,
) -> None:
    """Only what depends on the right is missing, and one statement in a line of its own mends all of it."""
    simulator.control.revoke(privilege, on)
    try:
        shown = check(with_warehouse(tmp_path, simulator))
    finally:
        simulator.control.grant(privilege, on)

    assert 1 == shown.code
    assert list(tables) == shown.wrong
    assert [f"GRANT {statement} TO `{USER}`;"] == shown.mending


def test_the_grants_go_to_the_service_principal(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """Who signs in with an OAuth secret is named by the application id."""
    secret = tmp_path / "secret"
    secret.write_text(simulator.client_secret, encoding="utf-8")
    signed_in = {"client_id": simulator.client_id, "client_secret_file": str(secret)}
    given = {"name": "production", "host": simulator.url, "warehouse_id": WAREHOUSE_ID, **signed_in}
    simulator.control.revoke("SELECT", "billing.usage", simulator.client_id)
    try:
        shown = check(given)
    finally:
        simulator.control.grant("SELECT", "billing.usage", simulator.client_id)

    assert [f"GRANT SELECT ON TABLE system.billing.usage TO `{simulator.client_id}`;"] == shown.mending
    assert simulator.client_secret not in shown.text


def test_a_warehouse_that_may_not_be_used(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """CAN USE is no grant of SQL: the command that gives it is named, and no table is."""
    simulator.control.revoke("CAN USE")
    try:
        shown = check(with_warehouse(tmp_path, simulator))
    finally:
        simulator.control.grant("CAN USE")

    assert 1 == shown.code
    assert ["CAN USE"] == shown.wrong
    assert [USE_WAREHOUSE] == shown.mending


def test_a_schema_that_is_not_enabled(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """The warehouse tells no right: all that its tables take is named, and nothing of the other schema."""
    simulator.control.set_warehouse(disable="lakeflow")
    try:
        shown = check(with_warehouse(tmp_path, simulator))
    finally:
        simulator.control.set_warehouse(enable="lakeflow")

    assert 1 == shown.code
    assert list(TABLES[2:]) == shown.wrong
    assert [
        f"GRANT USE CATALOG ON CATALOG system TO `{USER}`;",
        f"GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `{USER}`;",
    ] == shown.mending


def test_a_catalogue_that_has_no_such_tables(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """The setting comes first, and what is to be granted if it is right after it."""
    shown = check(with_warehouse(tmp_path, simulator, system_catalog="elsewhere"))

    assert 1 == shown.code
    assert [table.replace("system", "elsewhere") for table in TABLES] == shown.wrong
    assert '[[workspaces]] "production" system_catalog: "elsewhere"' in shown.mending[0]
    assert all("GRANT" in line and "`elsewhere`" in line for line in shown.mending[1:])


def test_a_catalogue_of_another_name(check: Check, tmp_path: Path) -> None:
    """Views in a catalogue of one's own are tried and granted under its name."""
    with Simulator(Options(jobs=2, active_runs=0, system_catalog="our-views")) as simulator:
        works = check(with_warehouse(tmp_path, simulator, system_catalog="our-views"))
        simulator.control.revoke("SELECT", "lakeflow.jobs")
        lacks = check(with_warehouse(tmp_path, simulator, system_catalog="our-views"))

    assert 0 == works.code
    assert [f"GRANT SELECT ON TABLE `our-views`.lakeflow.jobs TO `{USER}`;"] == lacks.mending


@pytest.mark.parametrize(
    ("catalog", "mends"),
    [("system", "A version of this exporter"), ("views", "The views in catalogue views")],
)
def test_a_column_that_is_missing(catalog: str, mends: str, check: Check, tmp_path: Path) -> None:
    """The query, the table and the column are named; the rights are not to blame."""
    with Simulator(Options(jobs=2, active_runs=0, system_catalog=catalog)) as simulator:
        simulator.control.set_warehouse(drop_column=["lakeflow.jobs", "timeout_seconds"])
        shown = check(with_warehouse(tmp_path, simulator, system_catalog=catalog))

    assert 1 == shown.code
    assert ["query jobs"] == shown.wrong
    assert re.search(r"query jobs .*lakeflow\.jobs has no column .*timeout_seconds", shown.text)
    assert [mends] == [line[: len(mends)] for line in shown.mending]


@pytest.mark.parametrize("gone", ["deleted", "unknown"])
def test_a_warehouse_that_does_not_exist(
    gone: str, simulator: Simulator, check: Check, tmp_path: Path
) -> None:
    """One that was deleted and one that never was: the setting is named, and no warehouse is asked for rights."""
    simulator.control.set_warehouse(deleted=gone == "deleted")
    ident = WAREHOUSE_ID if gone == "deleted" else "ffffffffffffffff"
    try:
        shown = check(with_warehouse(tmp_path, simulator, warehouse_id=ident))
    finally:
        simulator.control.set_warehouse(deleted=False)

    assert 1 == shown.code
    assert ["warehouse"] == shown.wrong
    assert [
        '[[workspaces]] "production" warehouse_id: the id of a SQL warehouse of this workspace'
    ] == shown.mending


def test_a_warehouse_that_is_still_shown_but_deleted(check: Check, tmp_path: Path) -> None:
    """Its state tells that it will never start."""
    script = {
        "/.well-known/databricks-config": [{}],
        "/api/2.0/preview/scim/v2/Me": [{"userName": USER}],
        f"/api/2.0/sql/warehouses/{WAREHOUSE_ID}": [{"name": "old", "state": "DELETED"}],
        "/api/2.2/jobs/list": [{"jobs": [{"job_id": 1, "settings": {"name": "daily"}}]}],
        "/api/2.2/jobs/runs/list": [{}],
    }
    with scripted(script) as server:
        shown = check(workspace(tmp_path, server.url, "token") | {"warehouse_id": WAREHOUSE_ID})

    assert ["warehouse"] == shown.wrong
    assert "it is deleted" in shown.text
    assert [True] == ["warehouse_id" in line for line in shown.mending]


def test_no_warehouse_is_no_mistake(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """The system tables are off, what they would bring is said, and the exit code is 0."""
    shown = check(workspace(tmp_path, simulator.url, simulator.token))

    assert 0 == shown.code
    assert "off" == shown.outcomes["system tables"]
    assert re.search("no warehouse_id; with one: what jobs cost", shown.text)
    assert [] == shown.mending
    assert "minutes per day" not in shown.text


def test_a_token_that_is_not_accepted(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """The setting of the token is named, and nothing behind it is asked."""
    shown = check(with_warehouse(tmp_path, simulator) | workspace(tmp_path, simulator.url, "not-the-token"))

    assert 1 == shown.code
    assert {"sign-in": "missing"} == shown.outcomes
    assert [
        '[[workspaces]] "production" token_env or token_file: a token that the workspace accepts'
    ] == shown.mending
    assert "not-the-token" not in shown.text


def test_a_client_secret_that_is_not_accepted(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """The settings of the service principal are named."""
    secret = tmp_path / "secret"
    secret.write_text("not-the-secret", encoding="utf-8")
    signed_in = {"client_id": simulator.client_id, "client_secret_file": str(secret)}

    shown = check({"name": "production", "host": simulator.url, **signed_in})

    assert {"sign-in": "missing"} == shown.outcomes
    assert 1 == len(shown.mending)
    assert "client_id, and client_secret_env or client_secret_file" in shown.mending[0]
    assert "not-the-secret" not in shown.text


def test_a_host_that_cannot_be_reached(check: Check, tmp_path: Path) -> None:
    """The host is named, and nothing behind it is asked."""
    shown = check(workspace(tmp_path, "http://127.0.0.1:9", "token"))

    assert 1 == shown.code
    assert {"workspace": "failed"} == shown.outcomes
    assert 1 == len(shown.mending)
    assert '[[workspaces]] "production" host: "http://127.0.0.1:9"' in shown.mending[0]


def test_a_host_that_is_no_workspace(check: Check, tmp_path: Path) -> None:
    """A page for people instead of an answer points at the host as well."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("html", status=200)
        shown = check(workspace(tmp_path, simulator.url, simulator.token))

    assert {"workspace": "failed"} == shown.outcomes
    assert '[[workspaces]] "production" host' in shown.mending[0]


def test_a_workspace_that_asks_to_slow_down(check: Check, tmp_path: Path) -> None:
    """It could not be found out, and no setting is to blame."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("throttled", retry_after=300)
        shown = check(workspace(tmp_path, simulator.url, simulator.token))

    assert 1 == shown.code
    assert {"workspace": "failed"} == shown.outcomes
    assert [] == shown.mending


def test_no_job_is_to_be_seen(check: Check, tmp_path: Path) -> None:
    """A workspace that shows fewer jobs instead of refusing them: the right to see one is named."""
    with Simulator(Options(jobs=0, active_runs=0)) as simulator:
        shown = check(workspace(tmp_path, simulator.url, simulator.token))

    assert 1 == shown.code
    assert ["jobs"] == shown.wrong
    assert 1 == len(shown.mending)
    assert VIEW_JOBS.fullmatch(shown.mending[0])


def test_jobs_that_may_not_be_listed(check: Check, tmp_path: Path) -> None:
    """A refusal by the Jobs API leaves the system tables to be tried."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("forbidden", endpoint="/api/2.2/jobs")
        shown = check(with_warehouse(tmp_path, simulator))

    assert ["jobs"] == shown.wrong
    assert "ok" == shown.outcomes["queries"]
    assert VIEW_JOBS.fullmatch(shown.mending[0])
    assert "Requests" not in shown.text


def test_a_warehouse_that_may_not_be_looked_at(check: Check, tmp_path: Path) -> None:
    """Who may not see it may not use it either."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("forbidden", endpoint="/api/2.0/sql/warehouses")
        shown = check(with_warehouse(tmp_path, simulator))

    assert ["warehouse"] == shown.wrong
    assert [USE_WAREHOUSE] == shown.mending


def test_what_cannot_be_found_out_is_not_called_missing(check: Check, tmp_path: Path) -> None:
    """A workspace that asks to slow down after the first answer leaves jobs and warehouse open, and mends nothing."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("throttled", endpoint="/api/2.2/jobs", retry_after=300)
        shown = check(with_warehouse(tmp_path, simulator))

    assert 1 == shown.code
    assert {"workspace": "ok", "sign-in": "ok", "jobs": "failed", "warehouse": "failed"} == shown.outcomes
    assert [] == shown.mending


def test_a_warehouse_that_is_out_of_order(check: Check, tmp_path: Path) -> None:
    """Neither a right nor a setting is to blame."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("html", endpoint="/sql/1.0/", status=502)
        shown = check(with_warehouse(tmp_path, simulator))

    assert ["system tables"] == shown.wrong
    assert "failed" == shown.outcomes["system tables"]
    assert [] == shown.mending


def test_a_busy_workspace_is_judged_by_its_latest_runs(check: Check, tmp_path: Path) -> None:
    """About 2,400 runs start in an hour; twenty pages of them are enough to tell."""
    busy = Options(
        jobs=10,
        active_runs=40,
        mean_duration=timedelta(minutes=1),
        history=timedelta(hours=1),
        history_runs=3000,
    )
    with Simulator(busy) as simulator:
        shown = check(workspace(tmp_path, simulator.url, simulator.token))
        asked = simulator.control.requests()["requests"]
    started = re.search(r"(\d+) started in an hour", shown.text)

    assert started
    assert 800 < int(started[1]) < 8000
    assert asked < 40


def test_a_workspace_that_hangs_does_not_hold_up_the_answer(simulator: Simulator, tmp_path: Path) -> None:
    """It fails at its deadline, and the others are checked meanwhile."""
    with Simulator(SMALL) as slow:
        slow.control.fault("slow", seconds=60)
        settings = load(
            configured(
                tmp_path,
                workspace(tmp_path, slow.url, slow.token, name="slow"),
                workspace(tmp_path, simulator.url, simulator.token),
            ),
            {},
        )
        began = time.monotonic()
        found = tuple(reports(settings, datetime.now(UTC), Patience(api=timedelta(seconds=1))))
        seconds = time.monotonic() - began

    assert ["slow", "production"] == [report.workspace for report in found]
    assert [Outcome.FAILED] == [finding.outcome for finding in found[0].findings]
    assert found[1].complete
    assert seconds < 10


def test_a_warehouse_that_hangs_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    """What was found out before is said, and that the tables could not be tried."""
    with Simulator(SMALL) as simulator:
        simulator.control.fault("slow", seconds=60, endpoint="/sql/1.0/")
        settings = load(configured(tmp_path, with_warehouse(tmp_path, simulator)), {})
        began = time.monotonic()
        (report,) = reports(settings, datetime.now(UTC), Patience(warehouse=timedelta(seconds=1)))
        seconds = time.monotonic() - began

    assert [*BEFORE, "system tables"] == [finding.subject for finding in report.findings]
    assert Outcome.FAILED == report.findings[-1].outcome
    assert seconds < 15


@pytest.mark.parametrize(
    ("auto_stop", "intervals", "said"),
    [
        (10, {"system_tables_interval": "5m", "billing_interval": "1h"}, 'system_tables_interval = "1h" in'),
        (
            60,
            {"system_tables_interval": "30m", "billing_interval": "1h"},
            'system_tables_interval = "3h" and billing_interval = "3h" in',
        ),
        (0, {"system_tables_interval": "1h", "billing_interval": "1h"}, "give the warehouse an auto-stop"),
    ],
)
def test_a_warehouse_that_never_stops(
    *,
    auto_stop: int,
    intervals: Mapping[str, object],
    said: str,
    simulator: Simulator,
    check: Check,
    tmp_path: Path,
) -> None:
    """An interval within the auto-stop costs around the clock, and the settings that change that are named."""
    simulator.control.set_warehouse(auto_stop_minutes=auto_stop)
    try:
        shown = check(with_warehouse(tmp_path, simulator), polling=intervals)
    finally:
        simulator.control.set_warehouse(auto_stop_minutes=10)

    assert 0 == shown.code
    assert "about 1440 minutes per day" in shown.text
    assert "It never stops" in shown.text
    assert said in shown.text


def test_what_it_will_cost(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """Twelve polls a minute of two lists each, and a warehouse that is read once an hour."""
    polling = {"active_interval": "5s", "definitions_interval": "5m", "lookback_interval": "1h"}
    shown = check(
        with_warehouse(tmp_path, simulator),
        polling=polling | {"system_tables_interval": "1h", "stale_after": "1m"},
    )

    assert re.search(r"Requests, about \d\d per minute: 2\d for lists of runs", shown.text)
    assert "about 264 minutes per day" in shown.text
    assert "never stops" not in shown.text


def test_more_requests_than_allowed(simulator: Simulator, check: Check, tmp_path: Path) -> None:
    """Polls that will come further apart than configured are announced."""
    shown = check(workspace(tmp_path, simulator.url, simulator.token), polling={"max_requests_per_second": 5})

    assert 0 == shown.code
    assert "more than max_requests_per_second = 5 allows" in shown.text


def test_the_command_line_checks_and_leaves_no_secret(simulator: Simulator, tmp_path: Path) -> None:
    """Two workspaces, one of which repeats the token in its errors: a table each, code 1, and no line is cut."""
    with echo() as careless:
        config = configured(
            tmp_path,
            with_warehouse(tmp_path, simulator),
            workspace(tmp_path, careless, TOKEN, name="careless"),
            log={"level": "debug"},
        )
        simulator.control.revoke("CAN USE")
        try:
            code, printed, said = ended(tmp_path, "check", "--config", config, environ={"COLUMNS": "40"})
        finally:
            simulator.control.grant("CAN USE")

    assert 1 == code
    assert ["workspace production", "workspace careless"] == re.findall(
        r"^workspace \w+$", printed, re.MULTILINE
    )
    assert USE_WAREHOUSE in printed.splitlines()
    assert "cannot use" in printed
    assert set() == found(printed, said)
    assert [] == list(tmp_path.glob("store.db*"))


def test_a_wrong_configuration_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked then."""
    config = configured(
        tmp_path, {"name": "production", "host": "https://example.invalid", "token": "secret"}
    )

    code = main(["check", "--config", str(config)])

    assert 2 == code
    assert "token_env" in capsys.readouterr().err


def test_help_says_what_it_does_to_the_warehouse(capsys: pytest.CaptureFixture[str]) -> None:
    """It changes nothing and makes no store, but it starts the warehouse."""
    with pytest.raises(SystemExit) as ending:
        main(["check", "--help"])
    text = " ".join(capsys.readouterr().out.split())

    assert 0 == ending.value.code
    assert "Changes nothing" in text
    assert "starts the SQL warehouse" in text
    assert "Exits with 1 when something is missing" in text
