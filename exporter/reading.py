"""The store as the exporter reads it: opened when it is there, closed at the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collector.store.engine import LateEngine
from collector.store.reader import Reader


@contextmanager
def late_store(url: str, password: Callable[[], str] | None = None) -> Iterator[Reader]:
    """A reader of the store at a URL. Every question raises StoreError until the store can be opened."""
    engine = LateEngine(url, password)
    try:
        yield Reader(engine)
    finally:
        engine.dispose()
