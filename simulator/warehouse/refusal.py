"""What a statement is refused for, in the words of the warehouse: an error class, a sentence, a SQLSTATE."""

import re
from collections.abc import Mapping

import duckdb

CONDITIONS: Mapping[type[duckdb.Error], tuple[str, str]] = {
    duckdb.ConversionException: ("CAST_INVALID_INPUT", "22018"),
    duckdb.OutOfRangeException: ("NUMERIC_VALUE_OUT_OF_RANGE", "22003"),
    duckdb.ParserException: ("PARSE_SYNTAX_ERROR", "42601"),
}
"""Condition and SQLSTATE of errors whose text says nothing more precise."""


class Refused(Exception):
    """The statement fails; the text is what the client shows."""

    def __init__(self, condition: str, text: str, sql_state: str) -> None:
        super().__init__(f"[{condition}] {text} SQLSTATE: {sql_state}")
        self.sql_state = sql_state


def syntax(text: str) -> Refused:
    """The statement cannot be parsed."""
    return Refused("PARSE_SYNTAX_ERROR", f"Syntax error at or near {text}.", "42601")


def no_table(name: str) -> Refused:
    """The table does not exist, or its schema is not enabled."""
    quoted = ".".join(f"`{part}`" for part in name.split("."))
    text = f"The table or view {quoted} cannot be found. Verify the spelling and correctness of the schema and catalog."
    return Refused("TABLE_OR_VIEW_NOT_FOUND", text, "42P01")


def no_right(privilege: str, kind: str, name: str) -> Refused:
    """The principal lacks a grant."""
    text = f"Insufficient privileges: User does not have {privilege} on {kind} '{name}'."
    return Refused("INSUFFICIENT_PERMISSIONS", text, "42501")


def no_column(name: str, candidates: str = "") -> Refused:
    """No table of the statement has such a column."""
    text = f"A column, variable, or function parameter with name `{name}` cannot be resolved."
    hint = f" Did you mean one of the following? [{candidates}]." if candidates else ""
    return Refused("UNRESOLVED_COLUMN.WITH_SUGGESTION", text + hint, "42703")


def no_parameter(name: str) -> Refused:
    """The statement has a parameter that was not given."""
    text = f"Found the unbound parameter: {name}. Please, fix `args` and provide a mapping of the parameter."
    return Refused("UNBOUND_SQL_PARAMETER", text, "42P02")


def read_only(what: str) -> Refused:
    """The statement would change something."""
    return Refused("INSUFFICIENT_PERMISSIONS", f"Insufficient privileges: {what} is not permitted.", "42501")


def timed_out(seconds: int) -> Refused:
    """The statement took longer than the session allows."""
    text = f"Query execution exceeded the timeout limit of {seconds} seconds."
    return Refused("QUERY_EXECUTION_TIMEOUT_EXCEEDED", text, "57KD0")


def of_engine(error: duckdb.Error) -> Refused:
    """An error of the embedded engine in the words of the warehouse."""
    text = str(error).partition("\n")[0]
    if found := re.search(
        r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"', text
    ):
        return no_column(found[1] or found[2])
    if found := re.search(r'Could not find key "([^"]+)" in struct', text):
        return Refused("FIELD_NOT_FOUND", f"No such struct field `{found[1]}`.", "42704")
    if found := re.search(r"Function with name (\S+) does not exist", text):
        return Refused("UNRESOLVED_ROUTINE", f"Cannot resolve routine `{found[1]}`.", "42883")
    fallback = "DATATYPE_MISMATCH", "42K09"
    condition, sql_state = next(
        (words for kind, words in CONDITIONS.items() if isinstance(error, kind)), fallback
    )
    return Refused(condition, f"{text} (as the embedded engine says)", sql_state)
