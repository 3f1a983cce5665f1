"""Pictures as numbers: where bars and lines stand, in percent of the width and pixels of the height.

The templates draw them as SVG that stretches with the page while its text keeps its size. No picture is the only place
where something is said: each comes with words.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from collector.core.failing import Ending
from collector.core.records import RunRecord
from collector.core.vocabulary import outcome
from exporter.status import words

SPARK_BARS, SPARK_HEIGHT, LEAST_HEIGHT = 20, 22.0, 3.0
CHART_HEIGHT, CHART_TOP = 200.0, 18.0
"""Height of the duration chart, and the part of it above the highest bar, where labels find room."""
MOST_BARS = 60
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
"""Seconds between lines of a time axis; above, whole days."""
LEAST_WIDTH = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a picture."""

    x: float
    """Percent of the width."""
    width: float
    y: float
    """Pixels from the top."""
    height: float
    kind: str
    """`success`, `failure`, `neither` or `active`: its colour."""
    says: str
    """What the bar tells, in words."""
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """How far a run is, with marks where it usually ends and where it has to."""

    filled: float
    median: float | None
    sla: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """The latest attempts of a job, the newest at the right, as high as they were long."""

    bars: tuple[Bar, ...]
    height: float
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A horizontal line of a chart with its label."""

    y: float
    label: str
    kind: str
    """`grid`, `median`, `p90` or `sla`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationChart:
    """How long the runs of a job took, the newest at the right."""

    bars: tuple[Bar, ...]
    kinds: frozenset[str]
    """Of the bars."""
    grid: tuple[Line, ...]
    lines: tuple[Line, ...]
    height: float
    first: datetime
    last: datetime
    says: str


def meter(elapsed: timedelta, median: timedelta | None, sla: timedelta | None) -> Meter:
    """The picture of a run under way; without marks there is nothing to fill."""
    marks = [mark for mark in (median, sla) if mark]
    if not marks:
        return Meter(filled=0.0, median=None, sla=None)
    scale = 1.05 * max(elapsed, *marks)
    return Meter(
        filled=_percent(elapsed / scale),
        median=_percent(median / scale) if median else None,
        sla=_percent(sla / scale) if sla else None,
    )


def spark(endings: Sequence[Ending]) -> Spark | None:
    """The picture of the latest attempts, given oldest first; None without any."""
    shown = endings[-SPARK_BARS:]
    if not shown:
        return None
    longest = max((each.duration for each in shown), default=timedelta(0)) or timedelta(seconds=1)
    step = 100 / SPARK_BARS
    start = SPARK_BARS - len(shown)
    bars = tuple(
        Bar(
            x=_percent((start + place) / SPARK_BARS),
            width=round(step * 0.72, 2),
            y=round(SPARK_HEIGHT - height, 1),
            height=height,
            kind=outcome(each.result),
            says=f"{words.phrase(each.result)}, {words.span(each.duration)}, {words.moment(each.ended)}",
            run_id=each.run_id,
        )
        for place, each in enumerate(shown)
        for height in [round(max(LEAST_HEIGHT, SPARK_HEIGHT * (each.duration / longest)), 1)]
    )
    return Spark(
        bars=bars, height=SPARK_HEIGHT, says=f"last {len(shown)}: {_tally(each.result for each in shown)}"
    )


def durations(
    runs: Sequence[RunRecord],
    now: datetime,
    *,
    median: timedelta | None = None,
    p90: timedelta | None = None,
    sla: timedelta | None = None,
) -> DurationChart | None:
    """The chart of a job's runs, given newest first; None without any that has taken time."""
    shown = [(run, _taken(run, now)) for run in reversed(runs[:MOST_BARS])]
    if not shown:
        return None
    marks = [mark for mark in (median, p90, sla) if mark]
    longest = max(*(taken for _, taken in shown), *marks, timedelta(seconds=1))
    step = _step(longest.total_seconds())
    top = step * math.ceil(longest.total_seconds() / step)

    def height(seconds: float) -> float:
        return round((CHART_HEIGHT - CHART_TOP) * seconds / top, 1)

    places = max(len(shown), 12)
    bars = tuple(
        Bar(
            x=_percent((places - len(shown) + place + 0.1) / places),
            width=round(80 / places, 2),
            y=round(CHART_HEIGHT - tall, 1),
            height=tall,
            kind="active" if run.active else outcome(run.result),
            says=f"{_state(run)}, {words.span(taken)}, started {words.moment(run.started)}",
            run_id=run.run_id,
        )
        for place, (run, taken) in enumerate(shown)
        for tall in [max(2.0, height(taken.total_seconds()))]
    )
    grid = tuple(
        Line(y=round(CHART_HEIGHT - height(step * number), 1), label=_axis(step * number), kind="grid")
        for number in range(1, int(top / step) + 1)
    )
    lines = tuple(
        Line(
            y=round(CHART_HEIGHT - height(mark.total_seconds()), 1),
            label=f"{name} {words.span(mark)}",
            kind=kind,
        )
        for name, kind, mark in (
            ("median", "median", median),
            ("9 in 10 within", "p90", p90),
            ("SLA", "sla", sla),
        )
        if mark
    )
    return DurationChart(
        bars=bars,
        kinds=frozenset(bar.kind for bar in bars),
        grid=grid,
        lines=lines,
        height=CHART_HEIGHT,
        first=shown[0][0].started,
        last=shown[-1][0].started,
        says=f"{words.many(len(shown), 'run')}: {_tally(_state(run) for run, _ in shown)}",
    )


def stretch(start: datetime, end: datetime, begin: datetime, finish: datetime) -> tuple[float, float]:
    """Where a span of time lies between `begin` and `finish`: its start and width in percent."""
    whole = max(finish - begin, timedelta(seconds=1))
    left = _percent((start - begin) / whole)
    right = _percent((end - begin) / whole)
    width = max(LEAST_WIDTH, right - left)
    return round(min(left, 100 - width), 2), round(width, 2)


def ticks(whole: timedelta, most: int = 5) -> tuple[tuple[float, str], ...]:
    """Round instants along a span of time: their place in percent and their name."""
    seconds = max(1.0, whole.total_seconds())
    step = _step(seconds, most)
    return tuple(
        (_percent(step * number / seconds), _axis(step * number)) for number in range(int(seconds / step) + 1)
    )


def _taken(run: RunRecord, now: datetime) -> timedelta:
    if run.active:
        return max(timedelta(0), now - run.started)
    return run.duration or timedelta(0)


def _state(run: RunRecord) -> str:
    return words.phrase(run.state if run.active or not run.result else run.result)


def _step(seconds: float, most: int = 4) -> float:
    """The distance between lines, so that there are few."""
    return next((step for step in STEPS if seconds / step <= most), 86400 * math.ceil(seconds / 86400 / most))


def _axis(seconds: float) -> str:
    return words.span(timedelta(seconds=seconds)) if seconds else "0"


def _tally(results: Iterable[str]) -> str:
    """How often each came, such as `3 success, 1 failed`."""
    named = sorted(words.phrase(result) for result in results)
    return ", ".join(f"{len(list(same))} {name}" for name, same in groupby(named))


def _percent(part: float) -> float:
    return round(100 * max(0.0, min(1.0, part)), 2)
