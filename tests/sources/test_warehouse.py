"""Sessions on a warehouse that is stopped, slow, busy, deleted or closed to us, through the unmodified connector."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.sources.budget import Budget
from collector.sources.connection import Connection
from collector.sources.session import GRACE
from collector.sources.source import (
    Refused,
    SourceError,
    Throttled,
    Ungranted,
    Unreachable,
    Unreadable,
)
from collector.sources.statements import Query, query
from collector.sources.translation import Missing
from collector.sources.warehouse import Warehouse
from simulator import Control, Simulator
from simulator.api import WAREHOUSE_ID
from tests.sources.workspace import connection_to, quiet, token_in

THRIFT = "/sql/1.0/warehouses/"
PARAMETERS = {"workspace_id": "4711", "since": "2026-01-01 00:00:00Z"}
JOBS = query("jobs")


def warehouse_of(sim: Simulator, connection: Connection | None = None, **given: Any) -> Warehouse:
    """Asks with a personal access token unless another connection is given; tries again soon."""
    return Warehouse(
        connection or connection_to(sim.url), **{"warehouse_id": WAREHOUSE_ID, "first_pause": 0.01} | given
    )


def rows_of(
    warehouse: Warehouse, asked: Query = JOBS, parameters: Mapping[str, object] = PARAMETERS
) -> list[Any]:
    return [row for batch in warehouse.batches(asked, parameters) for row in batch]


def ask(sim: Simulator, connection: Connection | None = None, seconds: float = 20, **given: Any) -> list[Any]:
    """The jobs, asked in a session of their own."""
    warehouse = warehouse_of(sim, connection, **given)
    with warehouse.session(seconds):
        return rows_of(warehouse)


def failure_of(function: Callable[[], object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        function()
    assert "\n" not in str(caught.value)
    assert "simulated-token" not in str(caught.value)
    return caught.value


def statement(text: str) -> Query:
    """Something else to ask."""
    return Query(
        name="custom", purpose="", tables=("system.lakeflow.jobs",), grants=("GRANT X;",), freshness="", parameters=(),
        text=text,
    )  # fmt: skip


def until(condition: Callable[[], object]) -> None:
    """Wait for the condition, but not for long."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def lasting_at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.fixture(scope="module")
def unspoiled() -> Iterator[Simulator]:
    """A workspace with one job, whose definition has arrived."""
    with Simulator(quiet()) as sim:
        sim.control.create_job("orders")
        sim.control.advance(86_400)
        yield sim


@pytest.fixture
def shared(unspoiled: Simulator) -> Iterator[Simulator]:
    """The same for tests that put faults in force and take rights away: both end with the test."""
    yield unspoiled
    unspoiled.control.clear_faults()
    unspoiled.control.set_warehouse(fail={}, enable="billing")


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_session_serves_all_queries_and_ends(workspace: Simulator, control: Control) -> None:
    """Queries of a block share a session, also when they are read in turn; it is closed, and says who asks what."""
    warehouse = warehouse_of(workspace, batch=1)
    for name in ("a", "b", "c"):
        control.create_job(name)
    control.advance(86_400)

    with warehouse.session(20):
        turns = zip(warehouse.batches(JOBS, PARAMETERS), warehouse.batches(JOBS, PARAMETERS), strict=True)
        assert all(left == right for left, right in turns)
        assert 1 == control.warehouse()["sessions_open"]

    told = control.warehouse()
    assert (1, 0, 2) == (told["sessions_opened"], told["sessions_open"], told["statements"])
    assert "(databricks-jobs-exporter/" in told["recent"][0]["user_agent"]
    assert "application:databricks-jobs-exporter,query:jobs" == told["recent"][0]["query_tags"]


def test_a_burst_is_one_session(workspace: Simulator, control: Control) -> None:
    """Passes one after the other share a session; after one that failed the next has its own."""
    warehouse = warehouse_of(workspace)

    with warehouse.burst():
        for _ in range(2):
            with warehouse.session(20):
                rows_of(warehouse)
        opened = control.warehouse()["sessions_opened"]
        with pytest.raises(RuntimeError, match="the pass fails"), warehouse.session(20):
            raise RuntimeError("the pass fails")
        with warehouse.session(20):
            rows_of(warehouse)

    told = control.warehouse()
    assert (1, 2, 0) == (opened, told["sessions_opened"], told["sessions_open"])


def test_what_was_asked_is_counted(workspace: Simulator, control: Control) -> None:
    """The tally has queries by outcome, rows and time, each once."""
    control.advance(86_400)
    warehouse = warehouse_of(workspace)

    with warehouse.session(20):
        rows_of(warehouse)
        rows_of(warehouse)
        failure_of(lambda: rows_of(warehouse, statement("SELECT nothing FROM system.lakeflow.jobs"), {}))
    tally = warehouse.take_tally()

    assert {("jobs", "ok"): 2, ("custom", "unreadable"): 1} == tally.queries
    assert {"jobs": 2, "custom": 0} == tally.rows
    assert 0 < tally.query_ms["jobs"] < 20_000
    assert not warehouse.take_tally().queries


def test_a_reader_may_stop_early(workspace: Simulator, control: Control) -> None:
    """What is not read on is closed at the warehouse, and the session goes on."""
    for number in range(10):
        control.create_job(f"job {number}")
    control.advance(86_400)
    warehouse = warehouse_of(workspace, batch=2)

    with warehouse.session(20):
        batches = warehouse.batches(JOBS, PARAMETERS)
        first = next(batches)
        batches.close()  # type: ignore[attr-defined]
        assert 11 == len(rows_of(warehouse))

    assert 2 == len(first)
    assert {("jobs", "ok"): 2} == warehouse.take_tally().queries


def test_no_thread_and_no_session_is_left(workspace: Simulator, control: Control) -> None:
    """After the block everything has been given back, whether it went well or not."""
    ask(workspace)
    control.set_warehouse(fail={"lakeflow.jobs": "Job aborted."})
    failure_of(lambda: ask(workspace))

    until(lambda: "warehouse" not in {thread.name for thread in threading.enumerate()})
    assert 0 == control.warehouse()["sessions_open"]


def test_a_stopped_warehouse_is_started(workspace: Simulator, control: Control) -> None:
    """The first query waits until it runs."""
    control.set_warehouse(start_seconds=0.4, hold_s=0.05)

    ask(workspace)

    told = control.warehouse()
    assert ("RUNNING", 1) == (told["state"], told["starts"])


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_statement_that_takes_too_long_is_cancelled(workspace: Simulator, control: Control) -> None:
    """At the deadline the statement ends, at the warehouse too, and so does the session."""
    control.set_warehouse(statement_seconds=60, hold_s=0.02)

    with lasting_at_most(10):
        failure = failure_of(lambda: ask(workspace, seconds=0.5))

    assert isinstance(failure, Unreachable)
    assert "before the deadline" in str(failure)
    until(lambda: ["CANCELED"] == [told["state"] for told in control.warehouse()["recent"]])
    assert 0 == control.warehouse()["sessions_open"]


def test_a_warehouse_that_does_not_start_in_time(workspace: Simulator, control: Control) -> None:
    """Its start is not waited for beyond the deadline."""
    control.set_warehouse(start_seconds=60, hold_s=0.02)

    with lasting_at_most(10):
        assert isinstance(failure_of(lambda: ask(workspace, seconds=0.3)), Unreachable)


def test_an_answer_that_does_not_come_is_not_waited_for(workspace: Simulator, control: Control) -> None:
    """A request that hangs is left to itself a moment after the deadline, and further questions fail at once."""
    warehouse = warehouse_of(workspace)

    with lasting_at_most(GRACE + 8), warehouse.session(0.5):
        control.fault("slow", endpoint=THRIFT, seconds=60)
        failure = failure_of(lambda: rows_of(warehouse))
        with lasting_at_most(GRACE):
            failure_of(lambda: rows_of(warehouse))

    assert isinstance(failure, Unreachable)
    assert {("jobs", "unreachable"): 2} == warehouse.take_tally().queries


def test_the_warehouse_itself_knows_the_deadline(workspace: Simulator, control: Control) -> None:
    """A statement whose client is gone does not run for ever."""
    control.set_warehouse(statement_seconds=60)
    warehouse = warehouse_of(workspace)

    failure = failure_of(lambda: ask(workspace, seconds=1.9))

    assert isinstance(failure, Unreachable)
    (told,) = control.warehouse()["recent"]
    assert "timeout limit of 1 seconds" in told["error"]
    assert not warehouse.take_tally().queries


@pytest.mark.parametrize("hangs", [False, True])
def test_close_ends_waiting(workspace: Simulator, control: Control, hangs: bool) -> None:
    """The program stops while a statement runs, or while an answer does not come."""
    control.set_warehouse(statement_seconds=60, hold_s=60 if hangs else 0.02)
    warehouse = warehouse_of(workspace)

    def stop() -> None:
        until(lambda: control.warehouse()["statements"])
        warehouse.close()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with lasting_at_most(10), warehouse.session(60):
        failure = failure_of(lambda: rows_of(warehouse))
    stopping.join()

    assert isinstance(failure, Unreachable)


def test_what_is_read_after_the_session_fails_at_once(workspace: Simulator, control: Control) -> None:
    """Batches do not outlive their session."""
    control.create_job("another")
    control.advance(86_400)
    warehouse = warehouse_of(workspace, batch=1)
    with warehouse.session(20):
        batches = warehouse.batches(JOBS, PARAMETERS)
        next(batches)

    with lasting_at_most(2):
        assert isinstance(failure_of(lambda: next(batches)), Unreachable)


# ── requests that fail ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "throttled", "retry_after": 30}, Throttled),
        ({"kind": "error", "status": 503}, Unreachable),
        ({"kind": "error", "status": 500}, Unreachable),
        ({"kind": "html", "status": 502}, Unreachable),
        ({"kind": "html", "status": 200}, Unreachable),
        ({"kind": "reset"}, Unreachable),
        ({"kind": "truncated"}, Unreachable),
        ({"kind": "unauthorized"}, Refused),
        ({"kind": "forbidden"}, Refused),
    ],
)
def test_a_request_that_fails_is_one_of_our_errors(
    shared: Simulator, fault: dict[str, Any], error: type[SourceError]
) -> None:
    """Whether the session or a statement meets it, the error says which warehouse."""
    warehouse = warehouse_of(shared)

    with warehouse.session(0.9):
        shared.control.fault(**fault, endpoint=THRIFT)
        asking = failure_of(lambda: rows_of(warehouse))
        opening = failure_of(lambda: ask(shared, seconds=0.9))

    assert [error, error] == [type(asking), type(opening)]
    assert all(str(failure).startswith(f"SQL warehouse {WAREHOUSE_ID}: ") for failure in (asking, opening))


def test_a_busy_warehouse_is_asked_again(shared: Simulator) -> None:
    """What it did not begin is sent again within the deadline: it may be starting."""
    warehouse = warehouse_of(shared)
    shared.control.fault("error", status=503, endpoint=THRIFT, count=1)

    with warehouse.session(20):
        shared.control.fault("throttled", retry_after=0, endpoint=THRIFT, count=1)
        assert rows_of(warehouse)

    assert {("jobs", "ok"): 1} == warehouse.take_tally().queries


def test_a_warehouse_that_does_not_exist(workspace: Simulator, control: Control) -> None:
    """A wrong id, or a deleted warehouse, is named."""
    control.set_warehouse(deleted=True)

    failure = failure_of(lambda: ask(workspace))

    assert Missing is type(failure)
    assert f"SQL warehouse {WAREHOUSE_ID}: status 404: SQL warehouse does not exist." == str(failure)


def test_a_warehouse_that_we_may_not_use(workspace: Simulator, control: Control) -> None:
    """The right that is missing is named."""
    control.revoke("CAN USE")

    failure = failure_of(lambda: ask(workspace))

    assert Refused is type(failure)
    assert "You do not have CAN USE permission on this SQL warehouse" in str(failure)


def test_a_session_that_is_gone(workspace: Simulator, control: Control) -> None:
    """An expired session is unreachable for this pass, and the next has a new one."""
    warehouse = warehouse_of(workspace)

    with warehouse.session(20):
        control.set_warehouse(expire_sessions=True)
        failure = failure_of(lambda: rows_of(warehouse))
    with warehouse.session(20):
        rows_of(warehouse)

    assert isinstance(failure, Unreachable)
    assert "the session has expired" in str(failure)


# ── signing in ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rotated_token_is_read_again(workspace: Simulator, control: Control, tmp_path: Path) -> None:
    """A token that was replaced in its file is taken within the same pass."""
    file = tmp_path / "token"
    file.write_text("simulated-token", encoding="utf-8")
    connection = Connection(token_in(workspace.url, file), Budget(1000))
    ask(workspace, connection)
    control.credentials(tokens=["another-token"])
    file.write_text("another-token", encoding="utf-8")

    ask(workspace, connection)

    assert 2 == control.warehouse()["statements"]


def test_a_token_that_expires_while_we_ask(workspace: Simulator, control: Control, tmp_path: Path) -> None:
    """The pass fails, and the next one signs in anew."""
    file = tmp_path / "token"
    file.write_text("simulated-token", encoding="utf-8")
    connection = Connection(token_in(workspace.url, file), Budget(1000))
    warehouse = warehouse_of(workspace, connection)

    with warehouse.session(20):
        control.credentials(tokens=["another-token"])
        file.write_text("another-token", encoding="utf-8")
        failure = failure_of(lambda: rows_of(warehouse))
    with warehouse.session(20):
        rows_of(warehouse)

    assert Refused is type(failure)


def test_a_service_principal_signs_in(workspace: Simulator, control: Control) -> None:
    """Every way of the SDK works; grants are then to its application id."""
    connection = connection_to(
        workspace.url,
        auth_type="oauth-m2m",
        client_id=workspace.client_id,
        client_secret=workspace.client_secret,
    )
    ask(workspace, connection)
    control.revoke("SELECT", "lakeflow")

    failure = failure_of(lambda: ask(workspace, connection))

    assert f"GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `{workspace.client_id}`;" in str(failure)
    assert workspace.client_secret not in str(failure)


# ── statements that fail ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "right",
    [("USE CATALOG", ""), ("USE SCHEMA", "lakeflow"), ("SELECT", "lakeflow"), ("SELECT", "lakeflow.jobs")],
)
def test_a_missing_grant_is_written_out(shared: Simulator, right: tuple[str, str]) -> None:
    """Whatever is lacking, the message has the statements that an administrator has to run; then it works."""
    shared.control.revoke(*right)
    failure = failure_of(lambda: ask(shared))

    shared.control.grant(*right)

    assert Ungranted is type(failure)
    assert (
        "system.lakeflow.jobs: missing, not enabled or not granted; an administrator runs "
        "GRANT USE CATALOG ON CATALOG system TO `<application id or user>`; "
        "GRANT USE SCHEMA, SELECT ON SCHEMA system.lakeflow TO `<application id or user>`;"
    ) == str(failure)
    ask(shared)


def test_a_schema_that_is_not_enabled_looks_the_same(shared: Simulator) -> None:
    """Nobody can tell it from a missing grant; other schemas are not touched."""
    shared.control.set_warehouse(disable="billing")
    warehouse = warehouse_of(shared)
    asked = query("usage")

    with warehouse.session(20):
        failure = failure_of(
            lambda: rows_of(
                warehouse,
                asked,
                {"workspace_id": "4711", "since_date": "2026-01-01", "ingested_since": "2026-01-01"},
            )
        )
        rows_of(warehouse)

    assert Ungranted is type(failure)
    assert "ON SCHEMA system.billing TO" in str(failure)


def test_another_catalogue_is_in_the_grants(shared: Simulator) -> None:
    """The statements are about the views that are configured, not about what they show."""
    warehouse = warehouse_of(shared)

    with warehouse.session(20):
        failure = failure_of(lambda: rows_of(warehouse, query("jobs", "ops")))

    assert str(failure).startswith("ops.lakeflow.jobs: ")
    assert "GRANT USE SCHEMA, SELECT ON SCHEMA `ops`.lakeflow TO" in str(failure)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("SELEC 1", Unreadable, "custom: [PARSE_SYNTAX_ERROR] Syntax error"),
        ("SELECT CAST('x' AS INT)", Unreadable, "custom: [CAST_INVALID_INPUT]"),
        ("SELECT nothing_known(1)", Unreadable, "custom: [UNRESOLVED_ROUTINE]"),
        (
            "SELECT colour FROM system.lakeflow.jobs",
            Unreadable,
            "system.lakeflow.jobs has no column `colour`",
        ),
        ("SELECT trigger.colour FROM system.lakeflow.jobs", Unreadable, "has no column `colour`"),
        ("SELECT :absent", Unreadable, "custom: [UNBOUND_SQL_PARAMETER]"),
        ("SELECT 1 FROM system.nothing.here", Ungranted, "GRANT X;"),
        ("SELECT 'broken'", Unreachable, "custom: [JOB_ABORTED] Stage failure."),
    ],
)
def test_a_statement_that_fails_says_why(
    shared: Simulator, text: str, error: type[SourceError], words: str
) -> None:
    """What is wrong with the statement is unreadable, what is wrong with the warehouse unreachable; the session goes on."""
    shared.control.set_warehouse(fail={"broken": "Stage failure."})
    warehouse = warehouse_of(shared)

    with warehouse.session(20):
        failure = failure_of(lambda: rows_of(warehouse, statement(text), {}))
        rows_of(warehouse)

    assert error is type(failure)
    assert words in str(failure)
    assert {("custom", error.reason): 1, ("jobs", "ok"): 1} == warehouse.take_tally().queries


def test_a_statement_that_somebody_cancels(workspace: Simulator, control: Control) -> None:
    """An administrator who ends it makes it unreachable, not an answer without rows."""
    control.set_warehouse(statement_seconds=60, hold_s=0.02)
    operations = workspace.workspace.warehouse.operations

    def cancel() -> None:
        until(lambda: operations._operations)
        for operation in list(operations._operations.values()):
            operation.cancel()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    failure = failure_of(lambda: ask(workspace))
    cancelling.join()

    assert isinstance(failure, Unreachable)
