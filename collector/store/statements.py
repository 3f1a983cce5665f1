"""What SQLAlchemy does not say alike for SQLite and PostgreSQL, and how long lists are cut."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, case
from sqlalchemy.dialects import postgresql, sqlite

Values = Mapping[str, Any]
"""A row to write, by column."""
Found = Row[*tuple[Any, ...]]
"""A row that was read."""
CHUNK = 1000
"""Ids in one statement: below the limits on variables of both databases."""


def chunks(ids: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The distinct ids in lists of at most `size`."""
    distinct = list(dict.fromkeys(ids))
    return (distinct[start : start + size] for start in range(0, len(distinct), size))


def insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT that can be told what to do on conflict; both databases spell that alike."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def upsert(
    connection: Connection, table: Table, rows: Sequence[Values], *, keep: frozenset[str] = frozenset()
) -> None:
    """The rows are in the table, each in place of the one with its key. Columns in `keep` keep a value that is not
    empty rather than take an empty one. All rows have the same columns; others of an existing row stay as they are.
    """
    if not rows:
        return
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    new = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    kept = {name: case((new[name] == "", table.c[name]), else_=new[name]) for name in keep}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new | kept), rows)
