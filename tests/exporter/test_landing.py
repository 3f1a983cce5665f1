"""The page for people."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest

from exporter.landing import Landing, span
from exporter.view import view
from tests.exporter.snapshots import active, collector, facts, options, snapshot, workspace
from tests.make import NOON, at

NASTY = '<script>alert("x")</script>&\''
LANDING = Landing("")


class Words(HTMLParser):
    """The visible words of a page, and the tags that it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remembers the tag."""
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Remembers the words outside the style."""
        if self.tags[-1:] != ["style"] and data.strip():
            self.words.append(data.strip())


def page(*workspaces: object, readable: bool = True, **given: object) -> str:
    """The page at noon."""
    chosen = options(**given)
    shown = view(snapshot(*workspaces), chosen, NOON, readable=readable)  # type: ignore[arg-type]
    return LANDING.page(shown, chosen, NOON)


def test_shows_collectors_with_age_and_last_error() -> None:
    """A person sees at a glance what is collected, how old it is and what went wrong."""
    failing = collector("definitions", last_success=at(-3900), error="throttled", message="HTTP 429")
    never = collector("lookback", last_success=None, error="unreachable", interval=timedelta(hours=1))

    words = Words(
        page(workspace(facts(), collectors=(collector(), failing, never), active_runs=(active(),)))
    ).words

    row = words.index("live")
    assert [
        *("live", "up", "2 s ago", "5 s"),
        *("definitions", "down", "1 h 5 min ago", "5 s", "throttled: HTTP 429"),
        *("lookback", "down", "never", "1 h", "unreachable"),
        "Jobs: 1. Active runs: 1.",
    ] == words[row : row + 15]
    assert "Version 1.2.3" in words


def test_everything_is_escaped() -> None:
    """Names and messages of others cannot become part of the page."""
    nasty = workspace(name=NASTY, host=NASTY, collectors=(collector(NASTY, error="internal", message=NASTY),))

    shown = page(nasty, version=NASTY)

    assert "<script" not in shown
    assert NASTY in Words(shown).words


def test_stale_workspaces_are_marked() -> None:
    """Old numbers do not look like new ones."""
    lost = workspace(name="lost", collectors=(collector(last_success=at(-3600)),))

    words = Words(page(workspace(), lost)).words

    assert "stale" == words[words.index("lost") + 1]
    assert "Jobs: 0. Active runs: unknown." in words
    assert 1 == words.count("stale")


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({"demo": True}, "Demo: these numbers come from a simulated workspace."),
        ({"readable": False}, "The store cannot be read at the moment; what is shown may be old."),
    ],
)
def test_notes(given: dict[str, object], note: str) -> None:
    """Demo and an unreadable store are said at the top, and only then."""
    assert note in page(workspace(), **given)  # type: ignore[arg-type]
    assert note not in page(workspace())


def test_before_anything_is_loaded() -> None:
    """Without a snapshot, a workspace or a poll the page says which."""
    nothing = LANDING.page(None, options(), NOON)

    assert "Nothing is loaded yet: the store has not been read." in nothing
    assert "No workspace has been registered yet." in page()
    assert "No poll has finished yet." in page(workspace(collectors=()))


def test_links() -> None:
    """Metrics and health are one click away, relative so that a path prefix does not break them; docs where there are any."""
    without = page(workspace())

    linked = Landing('https://docs.example.com/?a=1&b="2"').page(None, options(), NOON)

    for target in ("metrics", "-/healthy", "-/ready"):
        assert f'<a href="{target}">' in without
    assert "Documentation" not in without
    assert '<a href="https://docs.example.com/?a=1&amp;b=&quot;2&quot;">Documentation</a>' in linked


def test_both_color_schemes() -> None:
    """The page follows the system's light or dark scheme."""
    assert '<meta name="color-scheme" content="light dark">' in page()
    assert "@media (prefers-color-scheme: dark)" in page()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-5, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_span(seconds: float, expected: str) -> None:
    """Ages are told in their two largest units."""
    assert expected == span(timedelta(seconds=seconds))
