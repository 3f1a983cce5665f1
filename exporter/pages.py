"""Keeps finished pages, so that a scrape only picks one up. A thread of its own looks whether the store changed.

What a scrape gets is never staler than it says: live families end at their instant, whether or not the store can be
read, and also when the thread is stuck in the store.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from collector.core.snapshot import Snapshot
from collector.store.engine import StoreError
from exporter.due import Timetable
from exporter.exposition import Format, Renderer, compressed
from exporter.options import ExporterOptions
from exporter.view import View, view

LOOK_EVERY = timedelta(seconds=0.1)
"""How often the store is asked whether it changed: half a millisecond of work, and a part of how old a page is."""
RENDER_EVERY = timedelta(seconds=30)
"""How old the exporter's own process metrics may become while the store does not change."""
UNHEARD = timedelta(minutes=1)
"""A store that has not answered for so long counts as unreadable, even when no error came back."""
FORGET_AFTER = timedelta(minutes=15)
"""A variant that nobody asked for during this time is not rendered in advance."""
SLACK = timedelta(seconds=2)
"""How late the thread may be with a page that time alone has made wrong, before a scrape renders for itself."""

log = logging.getLogger(__name__)


class Store(Protocol):
    """What is read: `collector.store.reader.Reader` in the program, a value in tests."""

    def revision(self) -> int:
        """A number that rises with every commit. Raises StoreError."""

    def snapshot(self) -> Snapshot:
        """The store at one moment. Raises StoreError."""


class Variant(NamedTuple):
    """What a scraper may ask for."""

    form: Format = Format.TEXT
    gzip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Pages of one instant. They are replaced together, never changed."""

    view: View
    good_until: datetime
    """When time alone makes these pages wrong."""
    pages: dict[Variant, bytes]

    def shows(self, snapshot: Snapshot, *, readable: bool) -> bool:
        """True when rendering anew would give the same page."""
        return self.view.snapshot is snapshot and self.view.readable == readable


class Pages:
    """The latest pages. Use as a context manager to have them follow the store, or call `refresh` by hand."""

    def __init__(
        self,
        store: Store,
        options: ExporterOptions,
        now: Callable[[], datetime],
        *,
        look_every: timedelta = LOOK_EVERY,
        renderer: Renderer | None = None,
    ) -> None:
        self.options = options
        self.now = now
        self._store = store
        self._look_every = look_every
        self._renderer = renderer or Renderer()
        self._timetable = Timetable()
        self._snapshot: Snapshot | None = None
        self._loaded = threading.Event()
        self._readable = True
        self._answered = now()
        self._shelf: Shelf | None = None
        self._asked: dict[Variant, datetime] = {}
        self._rendering = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="pages", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    @property
    def ready(self) -> bool:
        """True once a snapshot is loaded."""
        return self._loaded.is_set()

    def wait(self, seconds: float) -> bool:
        """True as soon as a snapshot is loaded, False when that takes longer."""
        return self._loaded.wait(seconds)

    @property
    def snapshot(self) -> Snapshot | None:
        """The latest one; None before the first."""
        return self._snapshot

    @property
    def readable(self) -> bool:
        """False when the store could not be read at the last attempt, or has not answered for long."""
        return self._readable and self.now() - self._answered <= UNHEARD

    def finished(self, variant: Variant) -> bytes | None:
        """The page if it lies ready and is still true; takes no time."""
        now, shelf = self.now(), self._shelf
        self._asked[variant] = now
        if shelf is None or now > shelf.good_until + SLACK:
            return None
        return shelf.pages.get(variant)

    def made(self, variant: Variant) -> bytes | None:
        """The page, rendered now if need be, which takes a while; None before the first snapshot."""
        with self._rendering:
            body = self.finished(variant)
            if body is None and self._snapshot is not None:
                self._shelf = self._rendered(self._snapshot)
                body = self._shelf.pages[variant]
            return body

    def view(self) -> View | None:
        """The latest snapshot as it may be shown now; None before the first."""
        snapshot, shelf, now = self._snapshot, self._shelf, self.now()
        if snapshot is None:
            return None
        if shelf and shelf.shows(snapshot, readable=self.readable) and now <= shelf.good_until:
            return shelf.view
        return self._view(snapshot, now)

    def refresh(self) -> None:
        """Reads the store if it changed, and renders if that or the time asks for it."""
        self._read()
        snapshot, shelf, now = self._snapshot, self._shelf, self.now()
        if snapshot is None:
            return
        if shelf and shelf.shows(snapshot, readable=self._readable) and now <= shelf.good_until:
            return
        with self._rendering:
            self._shelf = self._rendered(snapshot)

    def _read(self) -> None:
        try:
            revision = self._store.revision()
            if self._snapshot is None or self._snapshot.revision != revision:
                self._snapshot = self._store.snapshot()
                self._loaded.set()
        except StoreError as error:
            if self._readable:
                log.warning("the store cannot be read, the last page stays: %s", error)
            self._readable = False
            return
        if not self._readable:
            log.info("the store can be read again")
        self._readable = True
        self._answered = self.now()

    def _rendered(self, snapshot: Snapshot) -> Shelf:
        now = self.now()
        seen = self._view(snapshot, now)
        wanted = {variant for variant, asked in list(self._asked.items()) if now - asked <= FORGET_AFTER}
        forms = {variant.form for variant in wanted} or {Format.TEXT}
        pages = {Variant(form): self._renderer.page(seen, form) for form in sorted(forms)}
        for form in set(Format) - forms:
            self._renderer.forget(form)
        packed = {variant: compressed(pages[Variant(variant.form)]) for variant in wanted if variant.gzip}
        good_until = min(seen.good_until or datetime.max.replace(tzinfo=UTC), now + RENDER_EVERY)
        return Shelf(view=seen, good_until=good_until, pages=pages | packed)

    def _view(self, snapshot: Snapshot, now: datetime) -> View:
        readable = self._readable and now - self._answered <= UNHEARD
        before = self._shelf.view if self._shelf else None
        return view(snapshot, self.options, now, readable=readable, timetable=self._timetable, before=before)

    def _follow(self) -> None:
        failing = False
        while not self._stop.is_set():
            try:
                self.refresh()
                failing = False
            except Exception:
                if not failing:
                    log.exception("rendering failed, the last page stays until it would be wrong")
                failing = True
            self._stop.wait(self._look_every.total_seconds())
