"""What Alembic runs to migrate: within the connection and the transaction that `collector.store.migrate` holds."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
