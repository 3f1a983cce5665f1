"""The migrations lead to the schema of this program, from nothing and from every revision before."""

import re

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from collector.store import migrate
from collector.store.definitions import as_text
from collector.store.engine import StoreError, open_store
from collector.store.schema import METADATA
from tests.make import at, make_job
from tests.store.conftest import Stores


def definitions(connection: Connection) -> set[str]:
    """Every table and index as the database itself describes it, in an order of its own."""
    if connection.dialect.name == "sqlite":
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'store_revision'"
    else:
        query = (
            "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename != 'store_revision' "
            "UNION ALL SELECT concat_ws(' ', table_name, column_name, "
            "row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), data_type, is_nullable, "
            "column_default) FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND table_name != 'store_revision'"
        )
    return {re.sub(r'[\s"]+', " ", row) for row in connection.scalars(text(query))}


def test_no_difference_to_the_schema(new_stores: Stores) -> None:
    """Alembic finds nothing to migrate between a new store and the schema."""
    with new_stores.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrate.REVISION_TABLE})

        assert [] == compare_metadata(context, METADATA)


def test_same_definitions_as_the_schema(new_stores: Stores) -> None:
    """The migrated store and the described one are the same to the letter, partial indexes included."""
    engine = new_stores.engine()
    with engine.begin() as connection:
        migrated = definitions(connection)
        METADATA.drop_all(connection)

        METADATA.create_all(connection)

        assert definitions(connection) == migrated
        assert any("WHERE" in definition for definition in migrated)


def test_down_and_up_again(new_stores: Stores) -> None:
    """Every step has its way back, and a store at any revision is brought up to date when it is opened."""
    engine = new_stores.engine()
    with engine.begin() as connection:
        before = definitions(connection)
        command.downgrade(migrate._config(connection), "base")
        assert ["store_revision"] == inspect(connection).get_table_names()

    migrate.migrate(engine)

    with engine.begin() as connection:
        assert before == definitions(connection)


def test_jobs_of_an_older_store(new_stores: Stores) -> None:
    """What a list has shown is told from what only runs have shown, which the system tables may define."""
    engine = new_stores.engine()
    with engine.begin() as connection:
        command.downgrade(migrate._config(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO jobs (workspace, job_id, name, definition, sla_source, changed_ms, deleted_ms, revision) "
                "VALUES ('w', :job_id, 'x', :definition, '', 0, 0, 1)"
            ),
            [
                {"job_id": "1", "definition": as_text(make_job(created=at(0), name='"created":null'))},
                {"job_id": "2", "definition": as_text(make_job())},
            ],
        )

    migrate.migrate(engine)

    with engine.begin() as connection:
        found = connection.execute(text("SELECT job_id, origin FROM jobs ORDER BY job_id")).all()
    assert [("1", "jobs_api"), ("2", "runs")] == [tuple(row) for row in found]


def test_older_store_for_a_reader(new_stores: Stores) -> None:
    """A reader cannot migrate, and says who does."""
    engine = new_stores.engine()
    with engine.begin() as connection:
        command.downgrade(migrate._config(connection), "base")

    with pytest.raises(StoreError, match=r"start the collector"):
        open_store(new_stores.url, read_only=True)


def test_failing_step(new_stores: Stores) -> None:
    """A migration that fails half-way leaves the store as it was."""
    engine = new_stores.engine()
    with engine.begin() as connection:
        command.downgrade(migrate._config(connection), "base")
        connection.execute(text("CREATE TABLE counters (beads text)"))

    with pytest.raises(StoreError, match=r"already exists"):
        migrate.migrate(engine)

    with engine.begin() as connection:
        assert ["counters", "store_revision"] == sorted(inspect(connection).get_table_names())
