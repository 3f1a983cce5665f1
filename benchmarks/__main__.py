"""`python -m benchmarks`: run the benchmarks, print a table, and exit with 1 when a bound is missed."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from benchmarks import api, commit, memory, passes, poll, rules, scale, scrape, start, visible
from benchmarks.measure import Figure, span


class Benchmark(Protocol):
    """What a module of this package offers."""

    def __call__(self, *, quick: bool = False) -> Iterator[Figure]:
        """Measure; `quick` takes sizes at which nothing is learned but that it runs."""


BENCHMARKS: Mapping[str, Benchmark] = {
    "poll": poll.figures,
    "commit": commit.figures,
    "passes": passes.figures,
    "visible": visible.figures,
    "api": api.figures,
    "scrape": scrape.figures,
    "rules": rules.figures,
    "scale": scale.figures,
    "start": start.figures,
    "memory": memory.figures,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit code."""
    given = parser().parse_args(arguments)
    console = Console(soft_wrap=True)
    found: list[Figure] = []
    for name in given.only or BENCHMARKS:
        with console.status(name):
            found += BENCHMARKS[name](quick=given.quick)
    console.print(table(found))
    if given.json:
        given.json.write_text(
            json.dumps(report(found), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    missed = any(not figure.kept for figure in found)
    return int(missed and not given.no_fail)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = made.add_argument
    add("--only", action="append", choices=list(BENCHMARKS), help="run this one; may be repeated")
    add("--quick", action="store_true", help="small sizes, to see that it runs; the figures mean nothing")
    add("--no-fail", action="store_true", help="exit with 0 although a bound is missed")
    add("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return made


def table(figures: Iterable[Figure]) -> Table:
    """The figures for people."""
    made = Table("what", "value", "bound", "", "measured", box=None)
    for figure in figures:
        measured = [f"{span(figure.samples)} {figure.unit}"] if len(figure.samples) > 1 else []
        made.add_row(
            figure.what,
            f"{figure.value:.3g} {figure.unit}",
            bound(figure),
            "ok" if figure.kept else "missed",
            "; ".join([*measured, *([figure.note] if figure.note else [])]),
        )
    return made


def bound(figure: Figure) -> str:
    """The bound in words; empty where there is none."""
    if figure.most is not None:
        return f"≤ {figure.most:g}"
    return "" if figure.least is None else f"≥ {figure.least:g}"


def report(figures: Iterable[Figure]) -> dict[str, Any]:
    """The figures and where they were measured, for programs."""
    machine = {"python": platform.python_version(), "processors": os.cpu_count(), "load": os.getloadavg()}
    return {"machine": machine, "figures": [asdict(figure) | {"kept": figure.kept} for figure in figures]}


if __name__ == "__main__":
    sys.exit(main())
