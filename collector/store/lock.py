"""The workspace's row as its lock, and its revision. On SQLite a transaction begun IMMEDIATE has the whole store."""

from sqlalchemy import Connection, select

from collector.store.failure import StoreError
from collector.store.schema import workspaces


def lock(connection: Connection, workspace: str) -> None:
    """Nobody else writes for the workspace until the transaction ends."""
    connection.execute(select(workspaces.c.name).where(workspaces.c.name == workspace).with_for_update())


def raise_revision(connection: Connection, workspace: str) -> int:
    """The revision under which the transaction writes; locks the workspace. StoreError for one that is unknown."""
    revision = connection.scalar(
        workspaces.update()
        .where(workspaces.c.name == workspace)
        .values(revision=workspaces.c.revision + 1)
        .returning(workspaces.c.revision)
    )
    if revision is None:
        raise StoreError(f"workspace {workspace} is not registered")
    return int(revision)
