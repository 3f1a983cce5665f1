"""How each query on the system tables stands: up to when it was read, the newest record, and what went wrong last."""

from datetime import datetime

from sqlalchemy import Connection, case, func, select

from collector.core.snapshot import SourceState
from collector.store.instants import from_ms, maybe_from_ms, to_ms
from collector.store.schema import sources
from collector.store.statements import insert


def save_source(
    connection: Connection,
    workspace: str,
    source: str,
    *,
    watermark: datetime | None = None,
    newest: datetime | None = None,
    error: str = "",
    message: str = "",
) -> None:
    """After a success the source is read up to the watermark, and its newest record may be newer; after an error both
    stay, and it is on record.
    """
    row = {"watermark_ms": to_ms(watermark) if watermark and not error else None}
    row |= {"newest_ms": to_ms(newest) if newest and not error else None}
    statement = insert(connection, sources).values(
        workspace=workspace, source=source, **row, error=error, message=message
    )
    new, held = statement.excluded, sources.c
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace", "source"],
            set_={
                "watermark_ms": func.coalesce(new.watermark_ms, held.watermark_ms),
                "newest_ms": case(
                    (held.newest_ms > new.newest_ms, held.newest_ms),
                    else_=func.coalesce(new.newest_ms, held.newest_ms),
                ),
                "error": new.error,
                "message": new.message,
            },
        )
    )


def source_watermarks(connection: Connection, workspace: str) -> dict[str, datetime]:
    """By source, up to when it was read; without those that were never read."""
    query = select(sources.c.source, sources.c.watermark_ms).where(
        sources.c.workspace == workspace, sources.c.watermark_ms.is_not(None)
    )
    return {row.source: from_ms(row.watermark_ms) for row in connection.execute(query)}


def source_states(connection: Connection, workspace: str) -> tuple[SourceState, ...]:
    """Every source that was asked, by name."""
    query = select(sources).where(sources.c.workspace == workspace)
    found = (
        SourceState(
            source=row.source, newest=maybe_from_ms(row.newest_ms), error=row.error, message=row.message
        )
        for row in connection.execute(query)
    )
    return tuple(sorted(found, key=lambda state: state.source))
