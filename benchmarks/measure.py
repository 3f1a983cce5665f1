"""What a benchmark yields: a figure with its bound, from samples that were taken side by side."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table."""

    what: str
    value: float
    unit: str
    most: float | None = None
    """Upper bound; None when there is none."""
    least: float | None = None
    """Lower bound; None when there is none."""
    samples: tuple[float, ...] = ()
    """What the value was taken from, in its unit; empty for a ratio of two medians."""
    note: str = ""
    """The absolute numbers behind a ratio, or the circumstances."""

    @property
    def kept(self) -> bool:
        """True when the value is within its bounds."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )


def middle(
    what: str, samples: Sequence[float], unit: str, *, most: float | None = None, note: str = ""
) -> Figure:
    """The median of the samples as a figure."""
    return Figure(what=what, value=median(samples), unit=unit, most=most, samples=tuple(samples), note=note)


def percentile(samples: Sequence[float], percent: int) -> float:
    """The smallest sample that so many percent of them do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def seconds(act: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def at_intervals(interval: float, times: int) -> Iterator[int]:
    """Counts up to `times`, each number so many seconds after the one before, as a schedule would; late ones at once."""
    due = time.monotonic()
    for number in range(times):
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due, time.monotonic()) + interval
        yield number


def span(samples: Sequence[float], scale: float = 1.0) -> str:
    """Median and extremes of samples, for a note."""
    return f"{median(samples) * scale:.3g} ({min(samples) * scale:.3g}–{max(samples) * scale:.3g})"
