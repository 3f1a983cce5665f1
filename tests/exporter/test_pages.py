"""When pages are rendered, and what a scrape gets while the store misbehaves."""

import gzip
import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from exporter.exposition import Format, Renderer
from exporter.pages import FORGET_AFTER, Pages, Variant
from exporter.view import View
from tests.exporter.snapshots import active, facts, options, snapshot, text, workspace
from tests.exporter.store import Clock, MemoryStore, eventually

BUSY = snapshot(workspace(facts(), active_runs=(active(),)))
TEXT = Variant(Format.TEXT)
LIVE = b"databricks_job_active_runs{"


class CountingRenderer(Renderer):
    """Tells how often it was asked for which format."""

    def __init__(self) -> None:
        super().__init__(process=False)
        self.rendered: list[Format] = []

    def page(self, view: View, form: Format) -> bytes:
        """The page of the catalogue."""
        self.rendered.append(form)
        return super().page(view, form)


class BrokenRenderer(Renderer):
    """Renders once and fails from then on."""

    def __init__(self) -> None:
        super().__init__(process=False)
        self.calls = 0

    def page(self, view: View, form: Format) -> bytes:
        """The page of the catalogue, the first time."""
        self.calls += 1
        if self.calls > 1:
            raise ValueError("a family is wrong")
        return super().page(view, form)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(BUSY)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def renderer() -> CountingRenderer:
    return CountingRenderer()


@pytest.fixture
def pages(store: MemoryStore, clock: Clock, renderer: CountingRenderer) -> Pages:
    return Pages(store, options(), clock, renderer=renderer, look_every=timedelta(milliseconds=5))


def test_scrapes_render_nothing(pages: Pages, renderer: CountingRenderer) -> None:
    """However often it is scraped, an unchanged store is rendered once."""
    pages.refresh()

    bodies = {pages.finished(TEXT) for _ in range(5)}

    assert {text(BUSY).encode()} == bodies
    assert [Format.TEXT] == renderer.rendered


def test_looks_without_change_render_nothing(
    pages: Pages, store: MemoryStore, renderer: CountingRenderer
) -> None:
    """A look at an unchanged revision neither reads nor renders."""
    for _ in range(5):
        pages.refresh()

    assert 1 == store.reads
    assert [Format.TEXT] == renderer.rendered


def test_a_commit_is_shown(pages: Pages, store: MemoryStore) -> None:
    """A new revision is on the page after the next look."""
    pages.refresh()
    changed = replace(BUSY, revision=2, workspaces=(workspace(facts(name="renamed")),))

    store.shown = changed
    pages.refresh()

    assert text(changed).encode() == pages.finished(TEXT)


def test_time_alone_renders(pages: Pages, clock: Clock, renderer: CountingRenderer) -> None:
    """The process metrics are never older than half a minute."""
    pages.refresh()

    clock.pass_by(31)
    pages.refresh()

    assert 2 == len(renderer.rendered)


def test_staleness_is_rendered_in_time(pages: Pages, clock: Clock) -> None:
    """The first look after a workspace's instant takes its live gauges off the page."""
    pages.refresh()
    assert LIVE in (pages.finished(TEXT) or b"")

    clock.pass_by(59)
    pages.refresh()

    assert LIVE not in (pages.finished(TEXT) or LIVE)


def test_unreadable_store_keeps_the_page_and_says_so(
    pages: Pages, store: MemoryStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """While the store cannot be read the last snapshot stays, marked, and is logged once."""
    pages.refresh()

    store.shown = None
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            clock.pass_by(1)
            pages.refresh()
        body = pages.finished(TEXT) or b""
        store.shown = BUSY
        pages.refresh()

    assert b"databricks_exporter_store_readable 0.0" in body
    assert LIVE in body
    assert b"databricks_exporter_store_readable 1.0" in (pages.finished(TEXT) or b"")
    assert [
        "the store cannot be read, the last page stays: the disk is gone",
        "the store can be read again",
    ] == caplog.messages


def test_unreadable_store_does_not_stop_the_time(pages: Pages, store: MemoryStore, clock: Clock) -> None:
    """Live gauges end at their instant although nothing new can be read."""
    pages.refresh()

    store.shown = None
    clock.pass_by(59)
    pages.refresh()

    assert LIVE not in (pages.finished(TEXT) or LIVE)


def test_a_stuck_store_does_not_stop_the_time(pages: Pages, store: MemoryStore, clock: Clock) -> None:
    """When the store never answers, a scrape finds out by itself what is stale and unreadable."""
    pages.refresh()
    store.hang = True
    with pages:
        assert store.stuck.wait(10)

        clock.pass_by(3600)
        ready = pages.finished(TEXT)
        body = pages.made(TEXT) or LIVE
        store.hang = False
        store.go_on.set()

    assert ready is None
    assert LIVE not in body
    assert b"databricks_exporter_store_readable 0.0" in body


def test_failing_renderer_never_serves_what_is_stale(
    store: MemoryStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """When rendering fails the last page stays, but not beyond the instant at which it becomes wrong."""
    renderer = BrokenRenderer()
    pages = Pages(store, options(), clock, renderer=renderer, look_every=timedelta(milliseconds=5))

    with pages:
        assert eventually(lambda: pages.finished(TEXT) is not None)
        store.shown = replace(BUSY, revision=2)
        assert eventually(lambda: renderer.calls > 1)
        before = pages.finished(TEXT)
        clock.pass_by(3600)
        after = pages.finished(TEXT)

    assert text(BUSY).encode() == before
    assert after is None
    assert ["rendering failed, the last page stays until it would be wrong"] == caplog.messages


def test_first_page_needs_a_snapshot(store: MemoryStore, clock: Clock) -> None:
    """Before anything was read there is no page, not an empty one."""
    store.shown = None
    pages = Pages(store, options(), clock)

    pages.refresh()

    assert not pages.ready
    assert pages.finished(TEXT) is None
    assert pages.made(TEXT) is None
    assert pages.view() is None


def test_variants_are_rendered_once_asked_for(
    pages: Pages, store: MemoryStore, clock: Clock, renderer: CountingRenderer
) -> None:
    """OpenMetrics and gzip cost nothing until somebody wants them, and nothing again when nobody does any more."""
    wanted = Variant(Format.OPENMETRICS, gzip=True)
    pages.refresh()
    assert pages.finished(wanted) is None

    first = pages.made(wanted) or b""
    store.shown = replace(BUSY, revision=2)
    pages.refresh()
    second = pages.finished(wanted) or b""
    clock.pass_by(FORGET_AFTER.total_seconds() + 1)
    pages.refresh()

    expected = text(BUSY, form=Format.OPENMETRICS)
    assert expected == gzip.decompress(first).decode() == gzip.decompress(second).decode()
    assert [Format.TEXT, Format.OPENMETRICS, Format.OPENMETRICS, Format.TEXT] == renderer.rendered


def test_thread_follows_and_ends(pages: Pages, store: MemoryStore) -> None:
    """In its block the pages follow the store by themselves; afterwards no thread is left."""
    before = threading.active_count()

    with pages:
        assert eventually(lambda: pages.ready)
        store.shown = replace(BUSY, revision=2, workspaces=(workspace(facts(name="renamed")),))
        shown = eventually(lambda: b"renamed" in (pages.finished(TEXT) or b""))

    assert shown
    assert before == threading.active_count()
