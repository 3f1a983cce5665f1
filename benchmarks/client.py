"""A scraper: asks one address again and again over one connection, as Prometheus does, and times each answer."""

import time
from http import HTTPStatus
from http.client import HTTPConnection
from types import TracebackType
from typing import Self

PATIENCE_S = 60.0


class Scraper:
    """One kept connection to one address on this machine."""

    def __init__(self, port: int, path: str = "/metrics", *, gzip: bool = False) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._path = path
        self._headers = {"Accept-Encoding": "gzip" if gzip else "identity"}
        self.last = b""
        """The latest answer."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def body(self) -> bytes:
        """The body of one answer; raises RuntimeError when there is none."""
        self._connection.request("GET", self._path, headers=self._headers)
        answer = self._connection.getresponse()
        self.last = answer.read()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{self._path} answered {answer.status}")
        return self.last

    def time(self) -> float:
        """Seconds from the question to the last byte of the answer."""
        began = time.perf_counter()
        self.body()
        return time.perf_counter() - began


def page(port: int, path: str = "/metrics", *, gzip: bool = False) -> bytes:
    """One page, over a connection of its own."""
    with Scraper(port, path, gzip=gzip) as scraper:
        return scraper.body()


def series(text: bytes) -> int:
    """How many series a page in the text format holds."""
    return sum(not line.startswith(b"#") for line in text.splitlines())


def value(text: bytes, series_name: str) -> float | None:
    """The value of a series, named with its labels as the page spells them; None when the page lacks it."""
    start = text.find(f"\n{series_name} ".encode())
    if start < 0:
        return None
    return float(text[start + 1 :].split(b"\n", 1)[0].rsplit(b" ", 1)[1])
