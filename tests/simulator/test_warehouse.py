"""The unmodified connector talks to the simulated warehouse, and is refused as a real one refuses."""

import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from databricks.sql.exc import DatabaseError, RequestError, ServerOperationError

from simulator import Control
from simulator.warehouse import schema
from tests.simulator.conftest import START
from tests.simulator.raw import ask
from tests.simulator.warehouse import PATH, connected, rows

TYPED = """
SELECT 'a' AS text, CAST(7 AS BIGINT) AS whole, true AS yes, CAST('1.5' AS DECIMAL(38, 18)) AS exact,
       CAST('2026-11-23' AS DATE) AS day, CAST('2026-11-23 12:00:00.25' AS TIMESTAMP) AS moment, CAST(NULL AS STRING) AS nothing,
       array(1, 2) AS list, map('k', 'v') AS pairs, named_struct('m', 'x') AS record
"""
MANY = "SELECT id, CAST(id AS STRING) AS text FROM (SELECT explode(sequence(1, 100001)) AS id)"
WITHOUT_PYARROW = """
import sys, warnings
sys.modules["pyarrow"] = None
warnings.simplefilter("ignore")
from databricks import sql
url, path, token, statement = sys.argv[1:]
with sql.connect(server_hostname=url, http_path=path, _connection_uri=url + path, access_token=token,
                 enable_telemetry=False) as connection, connection.cursor() as cursor:
    print([tuple(row) for row in cursor.execute(statement).fetchall()])
"""
ADDRESS = f"/api/2.0/sql{PATH.removeprefix('/sql/1.0')}"


def until(condition):
    """Wait for the condition, but not for long."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def without_pyarrow(sim, statement):
    command = [sys.executable, "-c", WITHOUT_PYARROW, sim.url, PATH, sim.token, statement]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_every_type_arrives_as_the_connector_presents_it(quiet):
    """Text, numbers, exact decimals, dates, instants, NULL and nested values come through Arrow as Python values."""
    (row,) = rows(quiet, TYPED)

    assert ("a", 7, True, Decimal("1.5")) == tuple(row[:4])
    assert (date(2026, 11, 23), datetime(2026, 11, 23, 12, 0, 0, 250_000, UTC)) == tuple(row[4:6])
    assert (None, [1, 2], [("k", "v")], {"m": "x"}) == (row[6], list(row[7]), row[8], row[9])


def test_nested_values_are_text_where_the_client_wants_no_native_types(quiet):
    """Without native nested types maps, arrays and structs are JSON text."""
    (row,) = rows(quiet, TYPED, _use_arrow_native_complex_types=False)

    assert ("[1,2]", '{"k":"v"}', '{"m":"x"}') == tuple(row[7:])


def test_a_client_without_pyarrow_gets_columns(quiet):
    """Without pyarrow the same statement gives the same values; instants have no zone and nested values are text."""
    text = without_pyarrow(quiet, TYPED)

    moment = "datetime.datetime(2026, 11, 23, 12, 0, 0, 250000)"
    expected = (
        f"[('a', 7, True, Decimal('1.500000000000000000'), datetime.date(2026, 11, 23), {moment}, None, "
        """'[1,2]', '{"k":"v"}', '{"m":"x"}')]\n"""
    )
    assert expected == text


def test_a_client_without_pyarrow_fetches_page_by_page(quiet):
    """A result of more than 100,000 rows is complete in columns too."""
    text = without_pyarrow(quiet, f"SELECT id FROM ({MANY}) ORDER BY id")

    assert str([(number,) for number in range(1, 100_002)]) == text.strip()


def test_named_parameters_have_their_types(quiet):
    """Parameters are bound by name with the type of the Python value, lists and NULL included."""
    statement = "SELECT :text, :number + 1, :day, :moment, :exact * 2, :nothing IS NULL, array_contains(:list, 'b'), :yes"
    values = {
        "text": "it's",
        "number": 2**40,
        "day": date(2026, 1, 2),
        "moment": START,
        "exact": Decimal("0.1"),
        "nothing": None,
        "list": ["a", "b"],
        "yes": True,
    }

    (row,) = rows(quiet, statement, values)

    assert ("it's", 2**40 + 1, date(2026, 1, 2), START) == tuple(row[:4])
    assert (Decimal("0.2"), True, True, True) == tuple(row[4:])


def test_positional_parameters(quiet):
    """Question marks take the values in their order."""
    assert [("b", "a")] == [tuple(row) for row in rows(quiet, "SELECT ? AS x, ? AS y", ["b", "a"])]


def test_results_come_in_pages(quiet, control):
    """More rows than one answer holds are fetched with several calls, none twice and none missing."""
    control.set_warehouse(rows_per_fetch=7_000)

    with connected(quiet) as connection, connection.cursor() as cursor:
        cursor.execute(MANY)
        first = cursor.fetchmany(10)
        rest = cursor.fetchall()

    assert list(range(1, 100_002)) == sorted(row.id for row in [*first, *rest])
    assert 14 < control.requests()["total"][f"POST {PATH}"]["200"]


def test_the_current_time_is_simulated(quiet):
    """`current_timestamp()` and `current_date()` are those of the workspace."""
    (row,) = rows(quiet, "SELECT current_timestamp(), current_date(), current_date() - INTERVAL 1 DAY")

    assert (START, date(2026, 11, 23)) == tuple(row[:2])


def test_differences_count_whole_units(quiet):
    """A difference in seconds or days is that of completed ones, of dates in days that of dates; Unix time is whole."""
    statement = """
        SELECT timestampdiff(SECOND, a, b), timestampdiff(DAY, a, b), datediff(b, a), unix_timestamp(b) - unix_timestamp(a), unix_millis(b)
        FROM (SELECT TIMESTAMP '2026-11-22 23:59:59.900' AS a, TIMESTAMP '2026-11-23 00:00:00.100' AS b)
    """
    (row,) = rows(quiet, statement)

    assert (0, 0, 1, 1, 1_795_392_000_100) == tuple(row)


def test_days_added_to_a_day_give_a_day(quiet):
    """`date_add` and `date_sub` give dates."""
    (row,) = rows(quiet, "SELECT date_add(current_date(), 1), date_sub(current_date(), 23)")

    assert (date(2026, 11, 24), date(2026, 10, 31)) == tuple(row)


def test_a_table_can_be_named_by_a_parameter(quiet):
    """`IDENTIFIER` takes a constant made of parameters, and is checked as any other name."""
    statement = "SELECT j.job_id FROM IDENTIFIER(:catalog || '.lakeflow.jobs') AS j LIMIT 1"

    assert 1 == len(rows(quiet, statement, {"catalog": "system"}))
    with pytest.raises(ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
        rows(quiet, statement, {"catalog": "other"})


def test_columns_are_named_as_they_are_written(quiet):
    """An alias keeps its case, and an expression without one is its own text."""
    with connected(quiet) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 AS JobId, COUNT(*) FROM system.lakeflow.jobs")

        assert ["JobId", "COUNT(*)"] == [column[0] for column in cursor.description]


def test_decimals_are_multiplied_as_databricks_does(quiet):
    """A product of two DECIMAL(38,18) has six decimals, rounded half up, and does not overflow."""
    statement = """
        SELECT CAST(a AS DECIMAL(38, 18)) * CAST(b AS DECIMAL(38, 18)) AS product
        FROM VALUES ('0.0000015', '1'), ('-0.0000015', '1'), ('123456789.123456789', '987654.321987654'), ('0', '5') AS t(a, b)
    """
    found = [row.product for row in rows(quiet, statement)]

    exact = Decimal("123456789.123456789") * Decimal("987654.321987654")
    assert [Decimal("0.000002"), Decimal("-0.000002"), round(exact, 6), Decimal(0)] == found


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELEC 1", "[PARSE_SYNTAX_ERROR] Syntax error at or near '1'"),
        ("SELECT 1; SELECT 2", "[PARSE_SYNTAX_ERROR]"),
        (
            "SELECT * FROM system.lakeflow.nothing",
            "[TABLE_OR_VIEW_NOT_FOUND] The table or view `system`.`lakeflow`",
        ),
        ("SELECT * FROM other.lakeflow.jobs", "[TABLE_OR_VIEW_NOT_FOUND]"),
        ("SELECT * FROM jobs", "[TABLE_OR_VIEW_NOT_FOUND]"),
        ("SELECT colour FROM system.lakeflow.jobs", "with name `colour` cannot be resolved"),
        (
            "SELECT p.pricing.gift FROM system.billing.list_prices p",
            "[FIELD_NOT_FOUND] No such struct field `gift`",
        ),
        ("SELECT nothing_known(1)", "[UNRESOLVED_ROUTINE] Cannot resolve routine `nothing_known`"),
        ("SELECT CAST('x' AS INT)", "[CAST_INVALID_INPUT]"),
        ("SELECT :absent", "[UNBOUND_SQL_PARAMETER] Found the unbound parameter: absent"),
        ("DROP TABLE system.lakeflow.jobs", "[INSUFFICIENT_PERMISSIONS] Insufficient privileges: DROP"),
    ],
)
def test_wrong_statements_fail_in_the_words_of_the_warehouse(quiet, statement, words):
    """A statement that cannot be run fails with the error class and the name at fault."""
    with pytest.raises(ServerOperationError) as caught:
        rows(quiet, statement)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (("USE CATALOG", ""), "does not have USE CATALOG on Catalog 'system'"),
        (("USE SCHEMA", "lakeflow"), "does not have USE SCHEMA on Schema 'system.lakeflow'"),
        (("SELECT", "lakeflow"), "does not have SELECT on Table 'system.lakeflow.jobs'"),
        (("SELECT", "lakeflow.jobs"), "does not have SELECT on Table 'system.lakeflow.jobs'"),
    ],
)
def test_a_missing_grant_is_named(quiet, control, right, words):
    """Each right can be taken away, is named in the refusal, and works again when given back."""
    control.revoke(*right)
    with pytest.raises(ServerOperationError) as caught:
        rows(quiet, "SELECT count(*) FROM system.lakeflow.jobs")

    control.grant(*right)

    assert words in str(caught.value)
    assert rows(quiet, "SELECT count(*) FROM system.lakeflow.jobs")


def test_rights_are_those_of_a_principal(quiet, control):
    """What one principal may not, another may."""
    issued = quiet.workspace.credentials.issue(
        "Basic c2ltdWxhdGVkLWNsaWVudDpzaW11bGF0ZWQtc2VjcmV0", b"grant_type=client_credentials&scope=all-apis"
    )
    control.revoke("USE SCHEMA", "billing", principal="simulated-client")
    statement = "SELECT count(*) AS n FROM system.billing.list_prices"

    assert rows(quiet, statement)[0].n > 0
    with pytest.raises(ServerOperationError, match=r"USE SCHEMA on Schema 'system\.billing'"):
        rows(quiet, statement, token=str(issued["access_token"]))


def test_a_schema_that_is_not_enabled_is_not_found(quiet, control):
    """A schema that is not enabled looks as if it did not exist; the others work."""
    control.set_warehouse(disable="billing")

    with pytest.raises(ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
        rows(quiet, "SELECT 1 FROM system.billing.usage")
    assert rows(quiet, "SELECT count(*) FROM system.lakeflow.jobs")


def test_the_catalog_may_have_another_name(quiet, control):
    """Behind views of a company the tables have another catalog, and `system` has none."""
    control.set_warehouse(catalog="observability")

    assert rows(quiet, "SELECT count(*) FROM observability.lakeflow.jobs")
    with pytest.raises(ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
        rows(quiet, "SELECT 1 FROM system.lakeflow.jobs")


def test_a_column_that_came_later_may_be_missing(quiet, control):
    """A column can be taken away; a statement that names it says so, and others work."""
    control.set_warehouse(drop_column=[schema.RUNS, "termination_type"])

    with pytest.raises(ServerOperationError, match="`termination_type` cannot be resolved"):
        rows(quiet, "SELECT termination_type FROM system.lakeflow.job_run_timeline")
    assert [] == rows(quiet, "SELECT * FROM system.lakeflow.job_run_timeline")


def test_a_statement_may_fail_while_it_runs(quiet, control):
    """A failure on request carries its message."""
    control.set_warehouse(fail={"job_run_timeline": "Job aborted due to stage failure."})

    with pytest.raises(ServerOperationError, match="Job aborted due to stage failure"):
        rows(quiet, "SELECT 1 FROM system.lakeflow.job_run_timeline")


def test_the_session_limits_its_statements(quiet, control):
    """A statement that takes longer than STATEMENT_TIMEOUT ends with an error that says so."""
    control.set_warehouse(statement_seconds=30)

    with pytest.raises(ServerOperationError, match="timeout limit of 1 seconds"):
        rows(quiet, "SELECT 1", session_configuration={"STATEMENT_TIMEOUT": "1"})


def test_work_is_interrupted_when_the_time_is_over(quiet):
    """The limit holds for the work itself."""
    heavy = "SELECT count(*) FROM (SELECT explode(sequence(1, 100000)) AS a), (SELECT explode(sequence(1, 1000000)) AS b) WHERE (a + b) % 7 = 3"

    with pytest.raises(ServerOperationError, match="timeout limit of 1 seconds"):
        rows(quiet, heavy, session_configuration={"STATEMENT_TIMEOUT": "1"})


def test_a_running_statement_can_be_cancelled(quiet, control):
    """`cursor.cancel()` from another thread ends the statement long before it would end by itself."""
    control.set_warehouse(statement_seconds=60, direct_s=0.05, hold_s=0.05)
    errors = []
    with connected(quiet) as connection, connection.cursor() as cursor:

        def run():
            try:
                cursor.execute("SELECT 1")
            except DatabaseError as error:
                errors.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        until(lambda: cursor.active_command_id is not None)
        cursor.cancel()
        thread.join(timeout=10)

    assert not thread.is_alive()
    assert ["CANCELED"] == [told["state"] for told in control.warehouse()["recent"]]
    assert "CANCELED" in errors[0]


def test_an_asynchronous_statement(quiet, control):
    """`execute_async` returns at once; its state can be asked and its rows fetched when it is done."""
    control.set_warehouse(statement_seconds=0.2, hold_s=0.01)

    with connected(quiet) as connection, connection.cursor() as cursor:
        cursor.execute_async("SELECT 42 AS answer")
        pending = cursor.is_query_pending()
        until(lambda: not cursor.is_query_pending())
        cursor.get_async_execution_result()
        found = cursor.fetchall()

    assert (True, 42) == (pending, found[0].answer)


def test_a_stopped_warehouse_starts_on_demand(quiet, control):
    """Looking at it does not start it; the first statement does, waits meanwhile, and idle minutes stop it again."""
    control.set_warehouse(start_seconds=0.4, direct_s=0.05, hold_s=0.05)
    before = ask(quiet, ADDRESS).json["state"]

    found = rows(quiet, "SELECT 1 AS one")
    running = ask(quiet, ADDRESS).json
    control.advance(599)
    still = control.warehouse()
    control.advance(3600)
    after = control.warehouse()

    assert ("STOPPED", 1, "RUNNING", 10) == (
        before,
        found[0].one,
        running["state"],
        running["auto_stop_mins"],
    )
    assert ("RUNNING", 599.0) == (still["state"], still["running_seconds"])
    assert ("STOPPED", 600.0, 1) == (after["state"], after["running_seconds"], after["starts"])


def test_a_starting_warehouse_says_so(quiet, control):
    """While it starts its state is STARTING and the statement is pending; cancelling does not wait for the start."""
    control.set_warehouse(start_seconds=60, hold_s=0.01)

    with connected(quiet) as connection, connection.cursor() as cursor:
        cursor.execute_async("SELECT 1")
        until(lambda: ask(quiet, ADDRESS).json["state"] == "STARTING")
        pending = cursor.is_query_pending()
        cursor.cancel()
        until(lambda: not cursor.is_query_pending())

    assert pending


def test_a_deleted_warehouse_is_not_found(quiet, control):
    """A warehouse that is gone answers 404 to statements and to the API."""
    control.set_warehouse(deleted=True)

    with pytest.raises(RequestError, match="does not exist"):
        rows(quiet, "SELECT 1")
    assert (404, {}) == (ask(quiet, ADDRESS).status, ask(quiet, "/api/2.0/sql/warehouses").json)


def test_an_unknown_warehouse_is_not_found(quiet):
    """An id that no warehouse has answers 404."""
    with pytest.raises(RequestError, match="does not exist"):
        rows(quiet, "SELECT 1", path="/sql/1.0/warehouses/ffff")


def test_without_can_use_nothing_goes(quiet, control):
    """Without CAN USE even a session is refused."""
    control.revoke("CAN USE")

    with pytest.raises(RequestError, match="CAN USE"):
        rows(quiet, "SELECT 1")


def test_a_wrong_token_is_refused(quiet):
    """The warehouse accepts the tokens of the API and no others."""
    with pytest.raises(RequestError):
        rows(quiet, "SELECT 1", token="wrong")


def test_faults_meet_statements_too(quiet, control):
    """A fault on the path of the warehouse fails the call, and only as often as it was asked for."""
    control.fault("forbidden", endpoint="/sql/", count=1)

    with pytest.raises(RequestError):
        rows(quiet, "SELECT 1")
    assert rows(quiet, "SELECT 1")


def test_an_expired_session_is_invalid(quiet, control):
    """A session that is gone cannot be used; a new one can."""
    with connected(quiet) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        control.set_warehouse(expire_sessions=True)
        with pytest.raises(DatabaseError, match="Invalid SessionHandle"):
            cursor.execute("SELECT 1")

    assert rows(quiet, "SELECT 1")


def test_an_idle_session_expires(quiet, control):
    """A session without calls for longer than its time is gone."""
    with connected(quiet) as connection, connection.cursor() as cursor:
        control.set_warehouse(session_idle_s=-1)
        with pytest.raises(DatabaseError, match="Invalid SessionHandle"):
            cursor.execute("SELECT 1")


def test_what_was_asked_is_known(quiet, control):
    """Statements are listed with user agent, tags, parameters and rows, and counted."""
    control.create_job("nightly")
    control.advance(36_000)
    statement = "SELECT * FROM system.lakeflow.jobs WHERE workspace_id = :workspace"

    with connected(quiet, user_agent_entry="exporter") as connection, connection.cursor() as cursor:
        found = cursor.execute(statement, {"workspace": "4711"}, query_tags={"pass": "jobs"}).fetchall()
    told = control.warehouse(reset=True)

    (asked,) = told["recent"]
    assert (len(found), len(found)) == (asked["rows_returned"], asked["rows_read"])
    assert ("pass:jobs", {"workspace": "4711"}) == (asked["query_tags"], asked["parameters"])
    assert "(exporter)" in asked["user_agent"]
    assert (1, 1, 0) == (told["statements"], told["sessions_opened"], told["sessions_open"])
    assert [] == control.warehouse()["recent"]


def test_the_workspace_stops_while_a_statement_runs(make_simulator):
    """Ending the simulator ends what runs in it."""
    sim = make_simulator(jobs=1, active_runs=0, history=timedelta(0))
    Control(sim.url).set_warehouse(statement_seconds=60)
    with connected(sim) as connection, connection.cursor() as cursor:
        cursor.execute_async("SELECT 1")
        sim.workspace.close()

    assert 0 == sim.workspace.warehouse.operations.told()["sessions_open"]
