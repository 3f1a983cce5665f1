"""The rules as Prometheus gets them, the cases that test them, and the names that an expression uses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exporter.catalogue import FAMILIES
from exporter.catalogue.family import Kind

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "monitoring" / "rules"
RULES = sorted(FOLDER.glob("*.yml"))
CASES = sorted((FOLDER / "tests").glob("*.yml"))
RUNBOOK = PROJECT / "docs" / "runbook.md"

SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum"), Kind.SUMMARY: ("_count", "_sum")}
SERVED = {
    f"{family.name}{suffix}": {*family.labels, *(("le",) if suffix == "_bucket" else ())}
    for family in FAMILIES
    for suffix in SUFFIXES.get(family.kind, ("",))
}
"""What can be asked for, with its labels."""
TARGET_LABELS = {"instance", "job"}
"""Which Prometheus adds."""

NAME = re.compile(r"\b(?:databricks_\w+|\w*:databricks_\w+:\w+|databricks:\w+:\w+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A metric in an expression, and the labels by which it is chosen."""

    metric: str
    labels: frozenset[str]


def content(file: Path) -> Any:
    """What the file holds."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def rules() -> Iterator[Any]:
    """Every rule of every file."""
    for file in RULES:
        for group in content(file)["groups"]:
            yield from group["rules"]


def alerts() -> list[Any]:
    """The rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> dict[str, str]:
    """Name → expression of the rules that record."""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def cases() -> Iterator[Any]:
    """Every case of every file of tests."""
    for file in CASES:
        yield from content(file)["tests"]


def asked(expr: str) -> list[Asked]:
    """The metrics of an expression."""
    plain = re.sub(r"#.*", "", expr)
    return [
        Asked(
            metric=found[0].partition("{")[0],
            labels=frozenset(MATCHER.findall(re.sub(r'"[^"]*"', '""', found[1] or ""))),
        )
        for found in NAME.finditer(plain)
    ]


def grouped(expr: str) -> set[str]:
    """The labels by which an expression groups and joins."""
    return {label.strip() for names in GROUPED.findall(expr) for label in names.split(",")} - {""}
