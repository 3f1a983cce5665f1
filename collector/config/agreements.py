"""Reads the `[[agreements]]` tables: what jobs without tags are held to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collector.config.settings import AgreementSettings, settings_of
from collector.config.values import Mistake, suggestion

KNOWN = dict(settings_of(AgreementSettings))
SAYING = tuple(name for name in KNOWN if name != "jobs")


def agreements(tables: object, file: Path, mistakes: list[str]) -> tuple[AgreementSettings, ...]:
    """The configured agreements; what is wrong is added to the mistakes."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.append(
            f"{file}: agreements: is not a list of tables; write [[agreements]] in double brackets"
        )
        return ()
    return tuple(
        _agreement(table, f"{file}: [[agreements]] {number}", mistakes)
        for number, table in enumerate(tables, start=1)
    )


def _agreement(table: Mapping[str, Any], place: str, mistakes: list[str]) -> AgreementSettings:
    """One table; what is wrong in it stays at its default."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        try:
            values[key] = _value(key, value)
        except Mistake as mistake:
            mistakes.append(f"{place} {key}: {mistake}")
    if table.get("jobs", []) == []:
        mistakes.append(
            f'{place} jobs: names no job; write the jobs that are meant, such as ["etl_.*"], or [".*"] for all'
        )
    if not any(table.get(name, "") != "" for name in SAYING):
        mistakes.append(f"{place}: says nothing; add {', '.join(SAYING[:-1])} or {SAYING[-1]}")
    return AgreementSettings(**values)


def _value(key: str, value: object) -> object:
    if key not in KNOWN:
        hint = suggestion(key, KNOWN, otherwise=f"the settings are {', '.join(KNOWN)}")
        raise Mistake(f"unknown setting; {hint}")
    return KNOWN[key].parse(value)
