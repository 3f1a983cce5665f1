"""How much the store holds: rows per table and bytes on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, func, select

from collector.store.schema import METADATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Nothing, until it was measured."""

    rows: Mapping[str, int] = field(default_factory=dict)
    """By table."""
    size_bytes: int = 0


def size(connection: Connection) -> Size:
    """Rows as of the connection's transaction; bytes as of now, on SQLite with the write-ahead log."""
    rows = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in METADATA.sorted_tables
    }
    return Size(rows=rows, size_bytes=_size_bytes(connection))


def _size_bytes(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.execute(select(func.pg_database_size(func.current_database()))).scalar_one())
    path = connection.engine.url.database or ""
    files = (Path(path), Path(f"{path}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
