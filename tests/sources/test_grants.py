"""Which right a refusal names, and the statement that grants it."""

import pytest

from collector.sources.grants import Right, named_right, statement, together

TABLE = "billing.usage"
SELECT = Right(privilege="SELECT", on=TABLE)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("User does not have USE CATALOG on Catalog 'system'.", Right(privilege="USE CATALOG")),
        (
            "Insufficient privileges:\nUser does not have USE SCHEMA on Schema 'system.billing'.",
            Right(privilege="USE SCHEMA", on="billing"),
        ),
        ("PERMISSION_DENIED: User does not have SELECT on Table '`system`.`billing`.`usage`'.", SELECT),
        ("user does not have permission select on table 'System.Billing.Usage'", SELECT),
    ],
)
def test_the_right_that_a_refusal_names(text: str, right: Right) -> None:
    """Whatever the case, quotes and line breaks of the message."""
    assert right == named_right(text, TABLE, "system")


@pytest.mark.parametrize(
    "text",
    [
        "The table or view `system`.`billing`.`usage` cannot be found.",
        "User does not have SELECT on Table 'system.lakeflow.jobs'.",
        "User does not have SELECT on Table 'finance.raw.usage'.",
        "User does not have MANAGE on Table 'system.billing.usage'.",
        "User does not have SELECT on Table 'system.billing.usage` TO `everybody'.",
    ],
)
def test_a_right_to_something_else_is_none_of_ours(text: str) -> None:
    """No statement is made of what is not a right to this table."""
    assert named_right(text, TABLE, "system") is None


def test_select_on_all_tables_of_a_schema_is_select_on_the_schema() -> None:
    """As far as we read the schema, and only if all of its tables lack it; every right stands once."""
    tables = ("billing.list_prices", "billing.usage", "lakeflow.job_run_timeline", "lakeflow.jobs")
    rights = [Right(privilege="SELECT", on=table) for table in (*tables[:3], TABLE)]

    assert (
        Right(privilege="SELECT", on="billing"),
        Right(privilege="SELECT", on="lakeflow.job_run_timeline"),
    ) == together(rights, tables)


@pytest.mark.parametrize(
    ("right", "catalog", "principal", "written"),
    [
        (Right(privilege="USE CATALOG"), "system", "me", "GRANT USE CATALOG ON CATALOG system TO `me`;"),
        (
            Right(privilege="USE SCHEMA", on="billing"),
            "our-views",
            "a`b",
            "GRANT USE SCHEMA ON SCHEMA `our-views`.billing TO `a``b`;",
        ),
        (SELECT, "system", "", "GRANT SELECT ON TABLE system.billing.usage TO `<application id or user>`;"),
    ],
)
def test_the_statement_that_grants_a_right(right: Right, catalog: str, principal: str, written: str) -> None:
    """Names that are not ours are quoted."""
    assert written == statement(right, catalog, principal)
