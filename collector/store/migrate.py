"""Brings the schema of a store to this program's revision, in one transaction, and says when it must not."""

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, String, column, inspect, table, text

from collector.store.failure import StoreError, reported, shown
from collector.store.schema import METADATA

REVISION_TABLE = "store_revision"
"""Not Alembic's own default: a PostgreSQL schema may be shared with programs that use it."""
MIGRATION_LOCK = 0x6A6F6273
"""Number of the PostgreSQL advisory lock under which one program at a time migrates."""


def migrate(engine: Engine) -> None:
    """The store has this program's schema. Programs that migrate at the same time wait for each other.

    Raises StoreError, and leaves everything as it was, for a store of a newer program or a database of somebody else.
    """
    with reported(engine.url), engine.execution_options(immediate=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
        if _revision(connection) == newest():
            # SQLite begins IMMEDIATE even where it may not write; better to hear of it now than from the first poll.
            version = column("version_num", String)
            connection.execute(table(REVISION_TABLE, version).update().values(version_num=version))
            return
        _refuse_foreign(connection)
        command.upgrade(_config(connection), "head")


def check_current(engine: Engine) -> None:
    """Raises StoreError unless the store has exactly this program's schema: a reader cannot migrate it."""
    with reported(engine.url), engine.connect() as connection:
        found = _revision(connection)
    if found is None:
        raise StoreError(f"store {shown(engine.url)}: nothing was collected yet; start the collector first")
    if found != newest():
        raise StoreError(
            f"store {shown(engine.url)}: made by an older version (revision {found}); "
            "start the collector of this version once, it brings the store up to date"
        )


def newest() -> str:
    """The revision that this program makes and reads."""
    head = _scripts().get_current_head()
    if head is None:
        raise StoreError("the migrations are missing from this installation; install the exporter again")
    return head


@cache
def _scripts() -> ScriptDirectory:
    """The steps that come with this program; they do not change while it runs."""
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection, "version_table": REVISION_TABLE})
    config.set_main_option("script_location", "collector.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str | None:
    """The revision of the store, None where there is no store; StoreError when this program does not know it."""
    context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
    found = context.get_current_revision()
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            f"store {shown(connection.engine.url)}: made by a newer version (revision {found}); "
            "upgrade the exporter or point store.url elsewhere"
        )
    return found


def _refuse_foreign(connection: Connection) -> None:
    """Raises StoreError when the database is in use by something that is not this program."""
    tables = set(inspect(connection).get_table_names())
    if REVISION_TABLE in tables:
        return
    in_the_way = tables if connection.dialect.name == "sqlite" else tables & set(METADATA.tables)
    if in_the_way:
        raise StoreError(
            f"store {shown(connection.engine.url)}: holds tables of another program "
            f"({', '.join(sorted(in_the_way)[:5])}); point store.url to a database of its own"
        )
