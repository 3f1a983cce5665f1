"""Opens a store: checks its address, sets up connections of SQLite or PostgreSQL, and migrates it.

SQLite writes in WAL mode, one transaction at a time, begun IMMEDIATE so that nothing is read before the lock is held;
readers open the file read-only. PostgreSQL readers take one snapshot per transaction. There, `?schema=NAME` names a
schema of its own for the tables, for those who may not create any in the one that all share.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError

from collector.store.failure import StoreError, reported, shown
from collector.store.migrate import check_current, migrate

__all__ = ["LateEngine", "StoreError", "migrate", "open_store"]

BUSY_S = 15.0
"""How long a SQLite connection waits for another one's transaction."""
ASK_AGAIN_S = 0.02
POSTGRESQL_PARAMETERS: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""Seconds, so that a server that vanished is noticed within a poll or two; the URL may say otherwise."""
SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
SCHEMA_LOCK = 0x6A6F6274
"""Number of the PostgreSQL advisory lock under which one program at a time makes the schema."""
POSTGRESQL_SETTINGS = ("SET lock_timeout = '30s'", "SET idle_in_transaction_session_timeout = '30s'")
"""A collector that died within a transaction must not keep a standby from taking over."""


def open_store(url: str, *, read_only: bool = False, password: Callable[[], str] | None = None) -> Engine:
    """An engine on a store with this program's schema; the caller disposes of it.

    `password` is asked at each new PostgreSQL connection, for servers whose passwords expire.
    Raises StoreError for an address, a place or a content that does not serve.
    """
    address = _address(url)
    engine = (
        _sqlite(address, read_only=read_only)
        if _is_sqlite(address)
        else _postgresql(address, read_only=read_only, password=password)
    )
    try:
        if read_only:
            check_current(engine)
        else:
            migrate(engine)
            _write_ahead(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


class LateEngine:
    """A store that may not be there yet: opened, read-only, when it is first needed, so that serving may start before
    collecting. Until it can be opened, whatever needs it raises StoreError.
    """

    def __init__(self, url: str, password: Callable[[], str] | None = None) -> None:
        self._url = url
        self._password = password
        self._engine: Engine | None = None
        self._opening = Lock()

    @property
    def url(self) -> URL:
        """The address of the opened store."""
        return self._opened().url

    def begin(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction of its own."""
        return self._opened().begin()

    def dispose(self) -> None:
        """Nothing is left open."""
        if self._engine:
            self._engine.dispose()

    def _opened(self) -> Engine:
        with self._opening:
            if self._engine is None:
                self._engine = open_store(self._url, read_only=True, password=self._password)
            return self._engine


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # Neither the text nor the cause is shown: what cannot be read cannot be cleared of its password.
        raise StoreError(
            "store.url cannot be read; write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
        ) from None
    if address.drivername in {"postgres", "postgresql"}:
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise StoreError(
            f"store.url: {address.drivername} is not supported; use sqlite or postgresql+psycopg"
        )
    return address


def _is_sqlite(address: URL) -> bool:
    return address.get_backend_name() == "sqlite"


def _sqlite(address: URL, *, read_only: bool) -> Engine:
    if not address.database or ":memory:" in address.database:
        raise StoreError(
            "store.url: a store in memory is lost at every restart; name a file, as in sqlite:///FILE"
        )
    path = Path(address.database).absolute()
    _check_place(address, path, read_only=read_only)
    uri = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}"

    def connection() -> sqlite3.Connection:
        # No transaction begins by itself; the pool hands a connection to one thread at a time.
        return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)

    engine = create_engine(
        address.set(database=str(path), query={}),
        creator=connection,
        # A reader opens the file anew for every snapshot, so that it never reads one that was replaced.
        poolclass=NullPool if read_only else QueuePool,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _check_place(address: URL, path: Path, *, read_only: bool) -> None:
    if read_only and not path.exists():
        raise StoreError(f"store {shown(address)}: there is no store yet; start the collector first")
    if path.is_dir():
        raise StoreError(f"store {shown(address)}: {path} is a directory; name a file in it")
    if not path.parent.is_dir():
        raise StoreError(
            f"store {shown(address)}: the directory {path.parent} does not exist; create it or change store.url"
        )


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA journal_size_limit = 67108864")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _write_ahead(engine: Engine) -> None:
    """A SQLite store is in WAL mode, which the file remembers; only after its content was found to be ours."""
    if not _is_sqlite(engine.url):
        return
    with reported(engine.url), engine.connect() as connection:
        # Past SQLAlchemy, which would begin a transaction, in which the mode cannot change.
        raw = connection.connection.driver_connection
        mode = _switched(raw) if isinstance(raw, sqlite3.Connection) else ""
    if mode != "wal":
        raise StoreError(
            f"store {shown(engine.url)}: its file system has no write-ahead log; use a local disk"
        )


def _switched(connection: sqlite3.Connection) -> str:
    """The journal mode after asking for WAL. SQLite does not wait for its turn here, so that no two wait for each other:
    programs that open a new store at the same time have to ask again.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(ASK_AGAIN_S)


def _postgresql(address: URL, *, read_only: bool, password: Callable[[], str] | None) -> Engine:
    options: dict[str, Any] = {
        "execution_options": {"postgresql_readonly": True},
        "isolation_level": "REPEATABLE READ",
    }
    address, schema = _schema(address)
    try:
        engine = create_engine(
            address,
            connect_args={
                name: value for name, value in POSTGRESQL_PARAMETERS.items() if name not in address.query
            },
            pool_pre_ping=True,
            hide_parameters=True,
            **(options if read_only else {}),
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            "store.url: PostgreSQL needs its driver; pip install 'databricks-jobs-exporter[postgresql]'"
        ) from error

    def set_up(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for setting in POSTGRESQL_SETTINGS:
            cursor.execute(setting)
        if schema:
            _set_schema(cursor, schema, make=not read_only)
        cursor.close()
        connection.commit()

    def give_password(
        _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]
    ) -> None:
        if password:
            parameters["password"] = password()

    event.listen(engine, "connect", set_up, insert=True)  # before SQLAlchemy asks which schema is the default
    event.listen(engine, "do_connect", give_password)
    return engine


def _schema(address: URL) -> tuple[URL, str]:
    """The address as the driver knows it, and the schema that it names."""
    name = address.query.get("schema", "")
    if not name:
        return address.difference_update_query(["schema"]), ""
    if not isinstance(name, str) or not SCHEMA.fullmatch(name):
        raise StoreError(
            f"store {shown(address)}: its schema is not a name; write small letters, digits and _, as in ?schema=jobs"
        )
    return address.difference_update_query(["schema"]), name


def _set_schema(cursor: DBAPICursor, schema: str, *, make: bool) -> None:
    """The tables are looked for, and made, in this schema alone."""
    cursor.execute("SELECT to_regnamespace(%s) IS NULL", (schema,))
    missing = cursor.fetchone()
    if make and missing and missing[0]:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    cursor.execute("SELECT set_config('search_path', %s, false)", (schema,))
