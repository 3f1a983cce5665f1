"""Where counting begins: what ended before a workspace's horizon is history. It never falls once counting has begun."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from collector.store.failure import StoreError
from collector.store.instants import from_ms, to_ms
from collector.store.schema import attempts, workspaces

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The horizon of a workspace of which nothing is counted yet."""


def horizon(connection: Connection, workspace: str) -> datetime:
    """The horizon; StoreError for a workspace that is not registered."""
    value = connection.scalar(select(workspaces.c.horizon_ms).where(workspaces.c.name == workspace))
    if value is None:
        raise StoreError(f"workspace {workspace} is not registered")
    return from_ms(value)


def begin(connection: Connection, workspace: str, at: datetime) -> None:
    """Counting begins: what ended before is history, and so is what is held already."""
    latest_ms = connection.scalar(
        select(func.max(attempts.c.ended_ms)).where(attempts.c.workspace == workspace)
    )
    horizon_ms = to_ms(at) if latest_ms is None else max(to_ms(at), latest_ms + 1)
    connection.execute(
        workspaces.update().where(workspaces.c.name == workspace).values(horizon_ms=horizon_ms)
    )


def raise_to(connection: Connection, workspace: str, before: datetime) -> None:
    """What ended before is history from now on."""
    connection.execute(
        workspaces.update()
        .where(workspaces.c.name == workspace, workspaces.c.horizon_ms < to_ms(before))
        .values(horizon_ms=to_ms(before), revision=workspaces.c.revision + 1)
    )
