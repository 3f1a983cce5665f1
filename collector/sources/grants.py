"""The rights to system tables: which one a refusal names, and the statement that grants it. Asks nothing.

A refusal that names a right names the first that is missing; what is behind it shows when that one is granted.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from collector.sources.statements import SOMEBODY, SYSTEM, quoted

NAMED = re.compile(
    r"does not have (?:permission )?(USE CATALOG|USE SCHEMA|SELECT) on (?:\w+ )?'([^']+)'", re.IGNORECASE
)
SELECT = "SELECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A privilege that somebody lacks."""

    privilege: str
    """USE CATALOG, USE SCHEMA or SELECT."""
    on: str = ""
    """`schema` or `schema.table`; empty for the catalogue."""


def named_right(text: str, table: str, catalog: str) -> Right | None:
    """The right to read `schema.table` that the refusal says is missing; None when it names none, or one to something
    else, as views do whose owner lacks a right.
    """
    rights = {
        f"{right.privilege} {_dotted(catalog, right.on)}".casefold(): right
        for right in (
            Right(privilege="USE CATALOG"),
            Right(privilege="USE SCHEMA", on=table.partition(".")[0]),
            Right(privilege=SELECT, on=table),
        )
    }
    found = NAMED.search(" ".join(text.split()))
    return rights.get(f"{found[1]} {found[2].replace('`', '')}".casefold()) if found else None


def together(rights: Iterable[Right], tables: Collection[str]) -> tuple[Right, ...]:
    """Each right once; SELECT on all the `tables` of a schema is SELECT on the schema."""
    wanted = tuple(dict.fromkeys(rights))
    of_schema: defaultdict[str, set[str]] = defaultdict(set)
    for table in tables:
        of_schema[table.partition(".")[0]].add(table)
    lacking = {right.on for right in wanted if right.privilege == SELECT}
    whole = {
        schema for schema, all_tables in of_schema.items() if len(all_tables) > 1 and all_tables <= lacking
    }
    return tuple(
        dict.fromkeys(
            Right(privilege=SELECT, on=schema)
            if right.privilege == SELECT and (schema := right.on.partition(".")[0]) in whole
            else right
            for right in wanted
        )
    )


def statement(right: Right, catalog: str, principal: str) -> str:
    """What an administrator runs to give it to the principal; `SOMEBODY` when that is empty."""
    kind = ("CATALOG", "SCHEMA", "TABLE")[len(right.on.split(".")) if right.on else 0]
    written = catalog if catalog == SYSTEM else quoted(catalog)
    return (
        f"GRANT {right.privilege} ON {kind} {_dotted(written, right.on)} TO {quoted(principal or SOMEBODY)};"
    )


def _dotted(catalog: str, on: str) -> str:
    return f"{catalog}.{on}" if on else catalog
