"""The queries are what their headers say, and an administrator can run them as they are."""

import re
from importlib import resources

import pytest
import sqlglot
from sqlglot import exp

from collector.sources.statements import SOMEBODY, Query, names, query
from simulator.warehouse import schema

WITHOUT_WORKSPACE = {"system.billing.list_prices"}
"""Tables that are the same for every workspace."""


@pytest.fixture(params=names())
def asked(request: pytest.FixtureRequest) -> Query:
    """Each of the queries."""
    return query(request.param)


def tree(asked: Query) -> exp.Expr:
    return sqlglot.parse_one(asked.text, read="databricks")


def tables_in(found: exp.Expr) -> list[str]:
    """The tables that a statement reads, once for each time that it does."""
    return [
        table.sql("databricks", comments=False).partition(" ")[0]
        for table in found.find_all(exp.Table)
        if table.catalog
    ]


def test_there_are_six_queries() -> None:
    """Every file is a query."""
    assert ("jobs", "run_hours", "run_timeline", "task_runs", "usage", "usage_since_success") == names()


def test_the_header_is_complete(asked: Query) -> None:
    """It says what for, from which tables, by which rights, how fresh and with which parameters."""
    assert asked.purpose.endswith(".")
    assert asked.freshness.endswith(".")
    assert asked.tables
    assert asked.grants
    assert asked.parameters


def test_the_statement_parses_as_databricks_sql(asked: Query) -> None:
    """It is one query and nothing that changes anything."""
    assert isinstance(tree(asked), exp.Query)
    assert ";" not in asked.text


def test_the_parameters_are_those_of_the_header(asked: Query) -> None:
    """What is declared is used, and what is used is declared."""
    assert set(asked.parameters) == {marker.name for marker in tree(asked).find_all(exp.Placeholder)}


def test_the_tables_are_those_of_the_header(asked: Query) -> None:
    """Nothing else is read, and all of them exist."""
    assert set(asked.tables) == set(tables_in(tree(asked)))
    assert {table.removeprefix("system.") for table in asked.tables} <= schema.TABLES.keys()


def test_the_grants_are_what_the_tables_need(asked: Query) -> None:
    """The catalogue, and each schema, once."""
    schemas = dict.fromkeys(table.rpartition(".")[0] for table in asked.tables)

    expected = [f"GRANT USE CATALOG ON CATALOG system TO `{SOMEBODY}`;"]
    expected += [f"GRANT USE SCHEMA, SELECT ON SCHEMA {name} TO `{SOMEBODY}`;" for name in schemas]
    assert tuple(expected) == asked.grants


def test_every_reading_of_a_table_is_of_one_workspace(asked: Query) -> None:
    """The tables show the whole region, or account."""
    read = [name for name in tables_in(tree(asked)) if name not in WITHOUT_WORKSPACE]

    assert len(read) == len(re.findall(r"\bworkspace_id = :workspace_id\b", asked.text))


def test_columns_are_named_one_by_one(asked: Query) -> None:
    """Tables and structs grow; no query takes whatever there is."""
    assert not tree(asked).find(exp.Star) or "COUNT(*)" in asked.text
    assert not re.search(r"\.\*", asked.text)


def test_nothing_depends_on_the_time_zone_of_the_session(asked: Query) -> None:
    """No instant becomes a day, and no clock is read."""
    found = tree(asked)
    days = [cast for cast in found.find_all(exp.Cast) if cast.to.is_type("date")]

    assert not list(found.find_all(exp.CurrentDate, exp.CurrentTimestamp, exp.TsOrDsToDate, exp.DateTrunc))
    assert all(isinstance(cast.this, exp.Placeholder) for cast in days)


def test_the_text_is_that_of_the_file(asked: Query) -> None:
    """On the usual catalogue nothing is changed but that the header is left out."""
    content = resources.files("collector.sources.sql").joinpath(f"{asked.name}.sql").read_text("utf-8")

    assert content.endswith(f"\n\n{asked.text}")


@pytest.mark.parametrize(
    ("catalog", "written"), [("observability", "`observability`"), ("a`b; DROP --", "`a``b; DROP --`")]
)
def test_the_catalogue_can_be_another(asked: Query, catalog: str, written: str) -> None:
    """It is put in the place of `system`, in the grants too, as a name that can be nothing else."""
    other = query(asked.name, catalog)

    names_there = {table.catalog for table in tree(other).find_all(exp.Table) if table.catalog}
    assert {catalog} == names_there
    assert asked.text.count("system.") == other.text.count(f"{written}.")
    assert f"GRANT USE CATALOG ON CATALOG {written} TO `{SOMEBODY}`;" == other.grants[0]
    assert all(f" ON SCHEMA {written}." in grant for grant in other.grants[1:])
    assert [table.replace("system.", f"{catalog}.") for table in asked.tables] == [*other.tables]


def test_grants_are_to_whoever_needs_them() -> None:
    """A known principal is named, and cannot be anything but a name."""
    asked = query("jobs")

    assert "GRANT USE CATALOG ON CATALOG system TO `b3f1`; GRANT" in asked.grants_to("b3f1")
    assert "TO `b``3`;" in asked.grants_to("b`3")
    assert f"TO `{SOMEBODY}`;" in asked.grants_to("")
