"""What a live poll asks for: windows, where to stop reading, which runs have vanished, whose details come first.
Decides from values; asks nothing itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.core.model import MILLISECOND, KnownRun, Run
from collector.core.vocabulary import Outcome, outcome

PAGE = 25
"""Runs per page, the most that `runs/list` gives."""
PAGES_IN_A_ROW = 4
"""Up to this many pages one reader walks alone; more are worth a further reader."""
MOST_WINDOWS = 16
LONG_WALK = 10
"""After so many pages one reader leaves the rest to others: a workspace whose runs nobody has seen yet, or in which
everything starts at midnight, would take longer than a poll may.
"""
RETENTION = timedelta(days=60)
"""How long Databricks keeps runs."""


@dataclass(frozen=True, slots=True)
class Window:
    """Start times from `since` to `until`, both inclusive; None leaves that side open."""

    since: datetime | None = None
    until: datetime | None = None


def active_windows(open_runs: Sequence[KnownRun]) -> tuple[Window, ...]:
    """Windows that hold about equally many of the runs that were active at the last look, and together all times."""
    starts = sorted(run.started for run in open_runs)
    readers = min(MOST_WINDOWS, len(starts) // (PAGE * PAGES_IN_A_ROW) + 1)
    cuts = sorted({starts[len(starts) * number // readers] for number in range(1, readers)})
    opens: list[datetime | None] = [None, *cuts]
    closes: list[datetime | None] = [*(cut - MILLISECOND for cut in cuts), None]
    return tuple(Window(since, until) for since, until in zip(opens, closes, strict=True))


def rest(window: Window, newest: datetime, oldest: datetime) -> tuple[Window, ...]:
    """What is left of a window that was read from the newest start down to the oldest, cut into windows each four times
    as long as the one after it: nobody knows how far back its runs go, or how densely they lie.
    """
    windows = []
    until, length = oldest, newest - oldest
    while length < RETENTION and (window.since is None or until - length > window.since):
        windows.append(Window(until - length + MILLISECOND, until))
        until, length = until - length, 4 * length
    return (*windows, Window(window.since, until))


def brings_nothing_new(page: Iterable[Run], recent: Mapping[str, datetime]) -> bool:
    """True when the store holds every finished run of the page as it is shown."""
    return all(recent.get(run.run_id) == run.ended for run in page)


def vanished(open_runs: Iterable[KnownRun], seen: Collection[str]) -> tuple[KnownRun, ...]:
    """Runs that the store holds open and no list showed, oldest first."""
    return tuple(sorted((run for run in open_runs if run.run_id not in seen), key=lambda run: run.started))


def by_list(missing: Sequence[KnownRun]) -> Window | None:
    """The window in which a list may show the missing runs with fewer requests than asking for each; None when few."""
    if len(missing) <= PAGES_IN_A_ROW:
        return None
    return Window(missing[0].started, missing[-1].started)


def no_longer_pays(page: Iterable[Run], sought: Collection[str], found: Collection[str]) -> bool:
    """True when all is found, or when a page shows hardly more of it than the same request for one run would."""
    return len(found) >= len(sought) or sum(run.run_id in sought for run in page) <= 1


def detail_order(runs: Iterable[Run], waiting: Iterable[KnownRun]) -> tuple[str, ...]:
    """Run ids whose history is wanted: of this poll's finished runs the failures first, then what waits from before."""
    finished = sorted(
        (run for run in runs if run.latest and run.history is None),
        key=lambda run: outcome(run.latest.result if run.latest else "") is not Outcome.FAILURE,
    )
    wanted = [*(run.run_id for run in finished), *(run.run_id for run in waiting)]
    return tuple(dict.fromkeys(wanted))


def lookback_windows(since: datetime, until: datetime, step: timedelta) -> tuple[Window, ...]:
    """The span cut into windows of at most `step`, newest first, without overlap."""
    windows = []
    while until > since:
        start = max(since, until - step)
        windows.append(Window(start, until - MILLISECOND))
        until = start
    return tuple(windows)


def prunable(
    now: datetime, retention: timedelta, looked_back: datetime | None, lookback: timedelta
) -> datetime:
    """What ended before may be forgotten: it is older than the retention, and a look back has read past it.

    So neither an outage longer than the retention nor a clock that runs ahead makes history of what was never counted.
    """
    if looked_back is None:
        return datetime.min.replace(tzinfo=now.tzinfo)
    return min(now - retention, looked_back - lookback)
