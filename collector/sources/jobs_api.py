"""The questions of a poll, asked of the Jobs API 2.2. Pages to the end, windows side by side, nothing decided here."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from collector.core import plan
from collector.core.model import Job, Run
from collector.core.plan import LONG_WALK, PAGE, Window
from collector.sources import parse
from collector.sources.client import PARALLEL, Client
from collector.sources.fields import UnreadableItemError
from collector.sources.parameters import EVERY_NAME, SecretNames
from collector.sources.source import Absence, Identity, SourceError, Tally, Unreachable, Unreadable
from collector.sources.translation import Forbidden, Missing

RUNS_LIST = "2.2/jobs/runs/list"
RUNS_GET = "2.2/jobs/runs/get"
JOBS_LIST = "2.2/jobs/list"
WHO_AM_I = "2.0/preview/scim/v2/Me"
WORKSPACE_ID_HEADER = "X-Databricks-Org-Id"
JOBS_PAGE = 100
MOST_PAGES = 20_000
"""Half a million runs; a walk that is longer goes in circles."""
DETAIL_TIME_LEFT = 0.5
"""Share of the deadline that must be left for more details to be asked for, so that polls stay in time."""
LOOKUP_TIME_LEFT = 0.2
"""The same for runs that vanished from the lists: those that are found by then need not be sought again."""
MOST_FAILURES = 3
"""After so many runs that could not be had, the others are left to the next poll."""
LOOKBACK_RESERVE = 0.6
LOOKBACK_READERS = 4

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Page(NamedTuple):
    """One answer of a list."""

    items: list[Mapping[str, Any]]
    more: bool
    """True when another page follows."""


class JobsApi:
    """`JobsSource` over HTTP, for one collector of one workspace. Parameters with secret names lose their values."""

    def __init__(self, client: Client, secret: SecretNames = EVERY_NAME) -> None:
        self._client = client
        self._secret = secret
        self._workspace_id = ""

    def start_deadline(self, seconds: float) -> None:
        """Give everything asked from now on so long."""
        self._client.start_deadline(seconds)

    @property
    def late(self) -> bool:
        """True when so little of the deadline is left that what can wait for the next poll should."""
        return self._client.time_left < LOOKUP_TIME_LEFT

    def identity(self) -> Identity:
        """Host from the configuration; workspace id from the configuration, else from a header, else unknown."""
        return self._client.result(self._client.submit(self._identity))

    def active(self, windows: Sequence[Window]) -> Iterable[Run]:
        """All active runs, each once."""
        portions = self._windows({"active_only": True}, windows)
        return tuple({run.run_id: run for _, runs in portions for run in runs}.values())

    def completed(self, window: Window, stop: Callable[[Sequence[Run]], bool]) -> Iterator[Run]:
        """Finished runs that started in the window, newest first, up to the page at which `stop` is true."""
        pages = self._pages(RUNS_LIST, "runs", {"completed_only": True, "limit": PAGE, **_bounds(window)})
        while listed := self._client.result(self._client.submit(next, pages, None)):
            page = tuple(self._parsed(parse.run, listed.items))
            yield from page
            if stop(page):
                return

    def all_completed(self, window: Window) -> Iterator[Run]:
        """All finished runs that started in the window."""
        for _, runs in self._windows({"completed_only": True}, [window]):
            yield from runs

    def completed_windows(self, windows: Sequence[Window]) -> Iterator[tuple[int, Sequence[Run]]]:
        """All finished runs of the windows; a few windows at a time, so that live polls keep most of the budget.

        Each window that is read gives the others the whole deadline again.
        """
        for portion in self._windows({"completed_only": True}, windows, LOOKBACK_READERS, LOOKBACK_RESERVE):
            yield portion
            self._client.restart_deadline()

    def histories(
        self, run_ids: Sequence[str], *, next_lists: float | None = None
    ) -> Iterator[tuple[str, Run | Absence]]:
        """Each run with its whole history, as far as it is to be had; what is left out is asked for again later.

        One run that cannot be read, or a workspace that slows down over details, does not take from the poll what the
        lists brought. With `next_lists`, the seconds until the next poll, only so many as leave it what this one took.
        """
        if next_lists is None:
            most, time_left = len(run_ids), LOOKUP_TIME_LEFT
        else:
            most, time_left = self._client.budget.spare(next_lists, self._client.sent), DETAIL_TIME_LEFT
        failures = 0
        for first in range(0, min(most, len(run_ids)), PARALLEL):
            if failures >= MOST_FAILURES or self._client.time_left < time_left:
                return
            some = run_ids[first : min(most, first + PARALLEL)]
            for run_id, answer in [(run_id, self._client.submit(self._history, run_id)) for run_id in some]:
                try:
                    yield run_id, self._client.result(answer)
                except Missing:
                    yield run_id, Absence.GONE
                except Forbidden:
                    failures += 1
                    yield run_id, Absence.HIDDEN
                except UnreadableItemError:
                    self._client.set_aside()
                except SourceError:
                    failures += 1
                    if self._client.time_left <= 0:
                        return

    def jobs(self) -> Iterable[Job]:
        """All definitions, each once."""
        pages = self._pages(JOBS_LIST, "jobs", {"limit": JOBS_PAGE})
        jobs: dict[str, Job] = {}
        while listed := self._client.result(self._client.submit(next, pages, None)):
            jobs |= {job.job_id: job for job in self._parsed(parse.job, listed.items)}
        return tuple(jobs.values())

    @property
    def unreadable(self) -> int:
        """Items set aside since the tally was last taken."""
        return self._client.unreadable

    def take_tally(self) -> Tally:
        """What was asked since the last call."""
        return self._client.take_tally()

    def close(self) -> None:
        """Give back threads."""
        self._client.close()

    def _identity(self) -> Identity:
        config = self._client.config()
        self._workspace_id = str(config.workspace_id or self._workspace_id or self._asked_workspace_id())
        return Identity(host=str(config.host or ""), workspace_id=self._workspace_id)

    def _asked_workspace_id(self) -> str:
        """The id that every answer of the workspace carries; not worth a failed poll."""
        try:
            return str(self._client.get(WHO_AM_I, headers=[WORKSPACE_ID_HEADER])[WORKSPACE_ID_HEADER] or "")
        except SourceError:
            return ""

    def _windows(
        self,
        query: Mapping[str, object],
        windows: Sequence[Window],
        readers: int = PARALLEL,
        reserve: float = 0.0,
    ) -> Iterator[tuple[int, Sequence[Run]]]:
        """The runs of the windows as they come in, with the number of windows that are left; long ones are cut anew."""
        waiting = deque(windows)
        under_way: set[Future[tuple[Sequence[Run], Sequence[Window]]]] = set()
        while waiting or under_way:
            while waiting and len(under_way) < readers:
                under_way.add(self._client.submit(self._walk, query, waiting.popleft(), reserve))
            for future in self._client.first(under_way):
                under_way.remove(future)
                runs, rest = self._client.result(future)
                waiting.extend(rest)
                yield len(waiting) + len(under_way), runs

    def _walk(
        self, query: Mapping[str, object], window: Window, reserve: float
    ) -> tuple[Sequence[Run], Sequence[Window]]:
        """The runs of a window, newest first, and what is left of it after a long walk that came forward in time."""
        found: list[Run] = []
        pages = self._pages(RUNS_LIST, "runs", {"limit": PAGE, **query, **_bounds(window)}, reserve)
        for number, (items, more) in enumerate(pages, start=1):
            found += self._parsed(parse.run, items)
            if more and number >= LONG_WALK and found and found[-1].started < found[0].started:
                return found, plan.rest(window, found[0].started, found[-1].started)
        return found, ()

    def _pages(
        self, endpoint: str, key: str, query: Mapping[str, object], reserve: float = 0.0
    ) -> Iterator[Page]:
        """The lists under `key`, page after page; only the absence of a next token ends the walk."""
        token: object = None
        for _ in range(MOST_PAGES):
            paged = {**query, "page_token": token} if token else query
            answer = self._client.get(endpoint, paged, reserve=reserve)
            items = answer.get(key, [])
            if not isinstance(items, list):
                raise Unreadable(f"{endpoint}: {key} is not a list")
            token = answer.get("next_page_token")
            yield Page(items, bool(token))
            if not token:
                return
        raise Unreachable(f"{endpoint}: more than {MOST_PAGES} pages")

    def _history(self, run_id: str) -> Run:
        """One run with all pages of its tasks and repairs."""
        query = {"run_id": run_id, "include_history": True}
        whole = self._client.get(RUNS_GET, query)
        token = whole.get("next_page_token")
        while token:
            page = self._client.get(RUNS_GET, {**query, "page_token": token})
            for key in ("tasks", "job_parameters", "repair_history"):
                parts = (part[key] for part in (whole, page) if isinstance(part.get(key), list))
                whole[key] = list(chain.from_iterable(parts))
            token = page.get("next_page_token")
        return parse.run(whole, with_history=True, secret=self._secret)

    def _parsed(self, parser: Callable[[Mapping[str, Any]], T], items: Iterable[object]) -> Iterator[T]:
        """The items that can be read; the others are counted and set aside."""
        for item in items:
            try:
                yield parser(item if isinstance(item, dict) else {})
            except UnreadableItemError:
                self._client.set_aside()


def _bounds(window: Window) -> dict[str, int]:
    bounds = {"start_time_from": window.since, "start_time_to": window.until}
    return {key: _milliseconds(moment) for key, moment in bounds.items() if moment is not None}


def _milliseconds(moment: datetime) -> int:
    """Rounded down, so that windows which meet stay without gap."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
