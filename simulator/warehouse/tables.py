"""The system tables in an embedded DuckDB: created as the schema says, filled as rows arrive, read by cursors."""

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

from simulator.warehouse import schema
from simulator.warehouse.timelines import Row

MICROSECONDS = pa.timestamp("us", tz="UTC")

MACROS = """
CREATE MACRO whole(a) AS CAST(trunc(abs(a)) AS HUGEINT);
CREATE MACRO attos(a) AS
    CAST(CAST(abs(a) - trunc(abs(a)) AS DECIMAL(19, 18)) * CAST(1000000000000000000 AS DECIMAL(19, 0)) AS HUGEINT);
CREATE MACRO crossed(a, b) AS whole(a) * attos(b) + whole(b) * attos(a);
CREATE MACRO rest(a, b) AS
    (crossed(a, b) % 1000000000000) * 1000000000000000000 + attos(a) * attos(b);
CREATE MACRO multiplied_decimals(a, b) AS CAST(
    sign(a) * sign(b) * CAST(
        whole(a) * whole(b) * 1000000 + crossed(a, b) // 1000000000000
        + (rest(a, b) + 500000000000000000000000000000) // 1000000000000000000000000000000
    AS DECIMAL(38, 0)) * CAST(0.000001 AS DECIMAL(6, 6)) AS DECIMAL(38, 6));
CREATE MACRO timestamp_millis(x) AS make_timestamp(x * 1000) AT TIME ZONE 'UTC';
CREATE MACRO timestamp_micros(x) AS make_timestamp(x) AT TIME ZONE 'UTC';
CREATE MACRO timestamp_seconds(x) AS to_timestamp(x);
CREATE MACRO bigint(x) AS CAST(x AS BIGINT);
"""
"""Functions of Databricks that the engine lacks.

The product of two DECIMAL(38,18) is DECIMAL(38,6), rounded half up: the engine would overflow instead. The macros
reckon in whole numbers: whole parts, 10⁻¹⁸ parts, and what both give crosswise.
"""


class Tables:
    """One database in memory."""

    def __init__(self) -> None:
        self._database = duckdb.connect(":memory:")
        self._database.execute("SET TimeZone = 'UTC'")
        self._database.execute("SET threads = 2")
        self._database.execute(MACROS)
        self._schemas: dict[str, pa.Schema] = {}
        for name in schema.TABLES:
            self._create(name)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same tables."""
        cursor = self._database.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def add(self, name: str, rows: Sequence[Row]) -> None:
        """Put rows into the table."""
        if rows:
            self._insert(name, rows)

    def replace(self, name: str, rows: Sequence[Row]) -> None:
        """The table has these rows and no others; nobody sees it empty in between."""
        self._database.begin()
        self._database.execute(f"DELETE FROM {name}")  # noqa: S608  (the name is one of ours)
        self._insert(name, rows)
        self._database.commit()

    def drop_column(self, name: str, column: str) -> None:
        """The table has no such column from now on, as in a region that got it later."""
        self._database.execute(f'ALTER TABLE {name} DROP COLUMN "{column}"')
        fields = [field for field in self._schemas[name] if field.name != column]
        self._schemas[name] = pa.schema(fields)

    def columns(self, name: str) -> Mapping[str, str]:
        """Column → Databricks type, as far as they have not been dropped."""
        return {field.name: schema.TABLES[name][field.name] for field in self._schemas[name]}

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def _create(self, name: str) -> None:
        columns = ", ".join(
            f'"{column}" {exp.DataType.build(kind, dialect="databricks").sql("duckdb")}'
            for column, kind in schema.TABLES[name].items()
        )
        self._database.execute(f"CREATE SCHEMA IF NOT EXISTS {name.partition('.')[0]}")
        self._database.execute(f"CREATE TABLE {name} ({columns})")
        self._schemas[name] = self._database.sql(f"FROM {name}").to_arrow_table().schema

    def _insert(self, name: str, rows: Sequence[Row]) -> None:
        table = pa.table([_column(field, rows) for field in self._schemas[name]], schema=self._schemas[name])
        self._database.register("portion", table)
        self._database.execute(f"INSERT INTO {name} FROM portion")
        self._database.unregister("portion")


def _column(field: pa.Field, rows: Sequence[Row]) -> pa.Array:
    values = [row.get(field.name) for row in rows]
    if field.type == MICROSECONDS:
        values = [None if value is None else value * 1000 for value in values]
    elif pa.types.is_map(field.type):
        values = [None if value is None else list(value.items()) for value in values]
    return pa.array(values, field.type)
