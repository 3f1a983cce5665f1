"""The details of runs in the store: compressed JSON with short names, because there is one for every run."""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from collector.core.model import Change
from collector.core.records import Parameter, RepairDetail, RunDetails, TaskDetail
from collector.store.instants import from_ms, maybe_from_ms, span_ms, to_ms
from collector.store.schema import run_details
from collector.store.statements import upsert

Part = TypeVar("Part", TaskDetail, Parameter, RepairDetail)

INSTANTS = frozenset({"started", "ended"})
SPANS = frozenset({"queue", "setup", "execution", "cleanup"})
LEVEL = 3
"""Of compression: half the time of the best, and hardly more bytes."""


def save(connection: Connection, workspace: str, changes: Iterable[Change], *, now: datetime) -> None:
    """The details that the changes bring are held; those of a run that was seen without them stay."""
    rows = [
        {
            "workspace": workspace,
            "run_id": change.run.run_id,
            "seen_ms": to_ms(now),
            "details": packed(change.run.details),
        }
        for change in changes
        if change.run.details and change.latest
    ]
    upsert(connection, run_details, rows)


def held(connection: Connection, workspace: str, run_id: str) -> tuple[RunDetails, datetime] | None:
    """The details of a run, and when they were read; None when there are none."""
    row = connection.execute(
        select(run_details.c.details, run_details.c.seen_ms).where(
            run_details.c.workspace == workspace, run_details.c.run_id == run_id
        )
    ).first()
    return (unpacked(row.details), from_ms(row.seen_ms)) if row else None


def packed(details: RunDetails) -> bytes:
    """The details as bytes. What is as it is by default is left out."""
    parts = {
        name: [_plain(part) for part in getattr(details, name)] for name in ("tasks", "parameters", "repairs")
    }
    text = json.dumps(parts, separators=(",", ":"))
    return zlib.compress(text.encode("ascii"), LEVEL)


def unpacked(data: bytes) -> RunDetails:
    """The details of the bytes; fields that this program does not know are passed over."""
    parts = json.loads(zlib.decompress(data))
    return RunDetails(
        tasks=tuple(_part(TaskDetail, item) for item in parts.get("tasks", ())),
        parameters=tuple(_part(Parameter, item) for item in parts.get("parameters", ())),
        repairs=tuple(_part(RepairDetail, item) for item in parts.get("repairs", ())),
    )


def _plain(part: TaskDetail | Parameter | RepairDetail) -> dict[str, Any]:
    """By field, what differs from the default."""
    return {
        field.name: _written(field.name, value)
        for field in fields(part)
        if (value := getattr(part, field.name)) != field.default
    }


def _written(name: str, value: Any) -> Any:
    if name in INSTANTS:
        return to_ms(value)
    return span_ms(value) if name in SPANS else value


def _part(kind: type[Part], item: Mapping[str, Any]) -> Part:
    known = {field.name for field in fields(kind)}
    return kind(**{name: _read(name, value) for name, value in item.items() if name in known})


def _read(name: str, value: Any) -> Any:
    if name in INSTANTS:
        return maybe_from_ms(value)
    if name in SPANS:
        return timedelta(milliseconds=value)
    return tuple(value) if name == "depends_on" else value
