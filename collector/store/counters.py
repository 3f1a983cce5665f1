"""Adds increments to the counters. Amounts only ever add; an exemplar gives way to a later one."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, and_, case, func

from collector.core.model import Increment
from collector.store.instants import to_ms
from collector.store.schema import counters, storable
from collector.store.statements import insert


@lru_cache(maxsize=65536)
def as_text(labels: tuple[str, ...]) -> str:
    """The canonical text of label values, which is part of a counter's key. What no page could show is replaced."""
    return json.dumps([storable(label) for label in labels], separators=(",", ":"))


@lru_cache(maxsize=65536)
def from_text(text: str) -> tuple[str, ...]:
    """The label values of a text; equal ones share their memory."""
    return tuple(json.loads(text))


def add(connection: Connection, workspace: str, revision: int, increments: Iterable[Increment]) -> None:
    """Every increment is in its counter; a counter that did not exist is born with it, also at 0."""
    sums: dict[tuple[str, str, str], dict[str, Any]] = {}
    for increment in increments:
        key = (increment.measure.value, increment.job_id, as_text(increment.labels))
        row = sums.get(key)
        if row is None:
            row = sums[key] = _zero(workspace, revision, key)
        row["value"] += increment.amount
        if increment.run_id and increment.at and to_ms(increment.at) >= (row["exemplar_at_ms"] or 0):
            row["exemplar_run_id"] = increment.run_id
            row["exemplar_value_ms"] = increment.value_ms
            row["exemplar_at_ms"] = to_ms(increment.at)
    if not sums:
        return
    statement = insert(connection, counters)
    new, held = statement.excluded, counters.c
    later = and_(
        new.exemplar_run_id != "",
        func.coalesce(new.exemplar_at_ms, 0) >= func.coalesce(held.exemplar_at_ms, 0),
    )
    exemplar = ("exemplar_run_id", "exemplar_value_ms", "exemplar_at_ms")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace", "measure", "job_id", "labels"],
            set_={
                "value": held.value + new.value,
                "revision": new.revision,
                **{name: case((later, new[name]), else_=held[name]) for name in exemplar},
            },
            # Zeros that announce a counter leave one that stands as it is.
            where=new.value != 0,
        ),
        list(sums.values()),
    )


def _zero(workspace: str, revision: int, key: tuple[str, str, str]) -> dict[str, Any]:
    measure, job_id, labels = key
    return {
        "workspace": workspace,
        "measure": measure,
        "job_id": job_id,
        "labels": labels,
        "value": 0,
        "revision": revision,
        "exemplar_run_id": "",
        "exemplar_value_ms": 0,
        "exemplar_at_ms": None,
    }
