"""Reads pages as a browser would: what is written where, what they link to, and whether every tag is closed."""

from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
"""Elements that are never closed."""


class Html(HTMLParser):
    """A page that is well formed: an unclosed or misplaced tag fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, str]] = []
        self._words: list[tuple[tuple[str, ...], str]] = []
        self.feed(page)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remembers the tag."""
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), f"an attribute comes twice: {attrs}"
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append((tag, given.get("id", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remembers the tag, which closes itself."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Closes what was opened last."""
        assert self._open, f"</{tag}> closes nothing"
        opened, _ = self._open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def handle_data(self, data: str) -> None:
        """Remembers the words with the ids around them."""
        ids = tuple(name for tag, name in self._open if name and tag != "script")
        if data.strip():
            self._words.append((ids, " ".join(data.split())))

    def words(self, region: str = "") -> list[str]:
        """What is written in the element with the id, or on the whole page."""
        return [text for ids, text in self._words if not region or region in ids]

    def text(self, region: str = "") -> str:
        """The same in one line."""
        return " ".join(self.words(region))

    def links(self) -> list[str]:
        """Where links lead."""
        return [given["href"] for tag, given in self.tags if tag == "a" and "href" in given]

    @property
    def ids(self) -> list[str]:
        """Every id."""
        return [given["id"] for _, given in self.tags if "id" in given]
