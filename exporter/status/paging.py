"""Tables of bounded length: the top of each on the overview, and pages of the one that is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

TOP = 10
"""Rows of a table on the overview."""
PAGE = 50
"""Rows of a table that is shown alone."""
Row = TypeVar("Row")
Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[Row]):
    """Some rows out of all."""

    rows: tuple[Row, ...]
    total: int
    page: int = 1
    pages: int = 1
    first: int = 1
    """Number of the first row."""

    @property
    def more(self) -> bool:
        """True when there are rows that are not shown."""
        return len(self.rows) < self.total

    @property
    def last(self) -> int:
        """Number of the last row."""
        return self.first + len(self.rows) - 1

    def drawn(self, of: Callable[[Row], Drawn]) -> "Table[Drawn]":
        """The same table of something made from each row."""
        return Table(
            rows=tuple(of(row) for row in self.rows),
            total=self.total,
            page=self.page,
            pages=self.pages,
            first=self.first,
        )


def top(rows: Sequence[Row], most: int = TOP) -> Table[Row]:
    """The first rows."""
    return Table(rows=tuple(rows[:most]), total=len(rows))


def paged(rows: Sequence[Row], page: int) -> Table[Row]:
    """One page of the rows; the last one when there are not so many."""
    pages = max(1, -(-len(rows) // PAGE))
    chosen = min(page, pages)
    start = (chosen - 1) * PAGE
    return Table(
        rows=tuple(rows[start : start + PAGE]), total=len(rows), page=chosen, pages=pages, first=start + 1
    )
