"""The benchmarks themselves: that each runs and yields figures. What the figures are is `make bench`'s business."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.measure import Figure, percentile
from tests.programs import program_named


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_yields_figures(name: str) -> None:
    """At small sizes every benchmark runs to its end and measures something."""
    if name == "rules":
        program_named("prometheus")
    figures = tuple(BENCHMARKS[name](quick=True))

    assert figures
    assert all(figure.value > 0 for figure in figures)
    assert len({figure.what for figure in figures}) == len(figures)


def test_the_report_holds_every_figure(tmp_path: Path) -> None:
    """The JSON file has what the table has, and a missed bound fails only when asked to."""
    file = tmp_path / "figures.json"

    code = main(["--only", "commit", "--quick", "--no-fail", "--json", str(file)])

    assert code == 0
    assert ["commit of a poll, begin to commit"] == [
        figure["what"] for figure in json.loads(file.read_text(encoding="utf-8"))["figures"]
    ]


@pytest.mark.parametrize(
    ("figure", "kept"),
    [
        (Figure(what="below", value=2.0, unit="s", most=2.0), True),
        (Figure(what="above", value=2.1, unit="s", most=2.0), False),
        (Figure(what="too small a gain", value=49.0, unit="×", least=50.0), False),
        (Figure(what="no bound", value=49.0, unit="×"), True),
    ],
    ids=lambda given: given.what if isinstance(given, Figure) else "",
)
def test_a_figure_knows_whether_its_bound_is_kept(figure: Figure, kept: bool) -> None:
    """Bounds are inclusive, upper or lower."""
    assert kept == figure.kept


def test_a_percentile_is_a_sample() -> None:
    """The nearest rank: no interpolation hides the slowest scrapes."""
    assert percentile(range(1, 101), 99) == 99
    assert percentile([5.0], 99) == 5.0
