"""A store that may not be there yet: opened when it can be, so that serving may start before collecting."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from collector.core.snapshot import Snapshot
from collector.store.engine import open_store
from collector.store.reader import Reader


class LateStore:
    """A reader of the store at a URL. Every question raises StoreError until the store can be opened."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._reader: Reader | None = None
        self._close: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def revision(self) -> int:
        """A number that rises with every commit."""
        return self._opened().revision()

    def snapshot(self) -> Snapshot:
        """The store at one moment."""
        return self._opened().snapshot()

    def _opened(self) -> Reader:
        if self._reader is None:
            engine = open_store(self._url, read_only=True)
            self._close = engine.dispose
            self._reader = Reader(engine)
        return self._reader
