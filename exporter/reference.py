"""Writes the reference of metrics from the catalogue, so that it cannot differ from the page.

`python -m exporter.reference docs/metrics.md` writes the file; with `--check` it only says whether the file is current.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from exporter.catalogue import SUBJECTS, Family, Subject
from exporter.catalogue.family import FRESHNESS
from exporter.options import Option

HEAD = """\
<!-- Written by `python -m exporter.reference docs/metrics.md` from exporter/catalogue; change it there. -->

# Metrics

Every family that `/metrics` can show.
Times are in seconds, instants in seconds since 1970, and nothing carries a sample timestamp.
A label whose value is unknown or absent is an empty string, and a word that the exporter does not know is `OTHER`.
A stable family changes only with notice of two minor releases; an experimental one may change in any release.
"""
COLUMNS = ("Name", "Type", "Labels", "Meaning", "Source", "Stability")


def reference() -> str:
    """The whole document."""
    return "\n".join([HEAD, *_sources(), *(line for subject in SUBJECTS for line in _chapter(subject))])


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the file; 1 when a check finds it out of date."""
    parser = argparse.ArgumentParser(
        prog="python -m exporter.reference", description="Write the metric reference."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail when the file differs")
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    wanted = reference()
    if not given.check:
        given.file.write_text(wanted, encoding="utf-8")
        return 0
    if given.file.is_file() and given.file.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{given.file} is out of date: run python -m exporter.reference {given.file}\n")
    return 1


def _sources() -> Iterator[str]:
    yield "## Sources"
    yield ""
    yield from _table(("Source", "Freshness"), ((f"`{source}`", text) for source, text in FRESHNESS.items()))


def _chapter(subject: Subject) -> Iterator[str]:
    yield f"## {subject.title}"
    yield ""
    yield subject.about
    yield ""
    yield from _table(COLUMNS, (_row(family) for family in subject.families))


def _row(family: Family) -> tuple[str, ...]:
    meaning = family.meaning if family.option is None else f"{family.meaning} Only with `{family.option}`."
    names = [*family.labels, *(["tag_…"] if family.option is Option.TAG_LABELS else [])]
    labels = ", ".join(f"`{name}`" for name in names)
    return (f"`{family.name}`", family.kind, labels, meaning, f"`{family.source}`", family.stability)


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
