"""What the paths answer, over a real socket."""

import gzip
import socket
from collections.abc import Iterator

import httpx
import pytest

from exporter.exposition import Format
from exporter.pages import Pages
from exporter.server import create_app, serving
from tests.exporter.snapshots import active, facts, options, snapshot, text, workspace
from tests.exporter.store import Clock, MemoryStore

BUSY = snapshot(workspace(facts(), active_runs=(active(),)))
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(BUSY)


@pytest.fixture
def pages(store: MemoryStore) -> Pages:
    pages = Pages(store, options(), Clock())
    pages.refresh()
    return pages


@pytest.fixture
def client(pages: Pages) -> Iterator[httpx.Client]:
    with (
        serving(create_app(pages), "127.0.0.1", 0) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Accept-Encoding": "identity"}) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics"])
@pytest.mark.parametrize(
    ("accept", "form"),
    [("*/*", Format.TEXT), ("text/plain", Format.TEXT), (OPENMETRICS, Format.OPENMETRICS)],
)
def test_metrics(client: httpx.Client, path: str, accept: str, form: Format) -> None:
    """Both paths serve both formats under their content type."""
    answer = client.get(path, headers={"Accept": accept})

    assert 200 == answer.status_code
    assert form.value == answer.headers["content-type"]
    assert "Accept, Accept-Encoding" == answer.headers["vary"]
    assert text(BUSY, form=form).removesuffix("# EOF\n") in answer.text
    assert (form is Format.OPENMETRICS) == answer.text.endswith("# EOF\n")


def test_gzip(client: httpx.Client) -> None:
    """Who accepts gzip gets fewer bytes of the same page."""
    with client.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())

    assert "gzip" == answer.headers["content-encoding"]
    assert str(len(raw)) == answer.headers["content-length"]
    assert text(BUSY) in gzip.decompress(raw).decode()


@pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready"])
def test_head(client: httpx.Client, path: str) -> None:
    """HEAD answers with the headers of GET and nothing else."""
    got = client.get(path)

    answer = client.head(path)

    assert (got.status_code, b"") == (answer.status_code, answer.content)
    assert got.headers["content-length"] == answer.headers["content-length"]
    assert got.headers["content-type"] == answer.headers["content-type"]


def test_ready_waits_for_a_snapshot(client: httpx.Client, pages: Pages) -> None:
    """With a snapshot loaded the exporter is ready."""
    answer = client.get("/-/ready")

    assert pages.ready
    assert (200, "ready\n") == (answer.status_code, answer.text)


def test_not_ready_before_a_snapshot() -> None:
    """Without a snapshot it is alive but not ready, and a scrape fails instead of showing nothing."""
    empty = Pages(MemoryStore(None), options(), Clock())

    with serving(create_app(empty), "127.0.0.1", 0) as port, httpx.Client() as client:
        found = {
            path: client.get(f"http://127.0.0.1:{port}{path}").status_code
            for path in ("/-/healthy", "/-/ready", "/metrics", "/")
        }

    assert {"/-/healthy": 200, "/-/ready": 503, "/metrics": 503, "/": 200} == found


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/nothing", 404, "not found\n"),
        ("POST", "/metrics", 405, "method not allowed\n"),
        ("DELETE", "/", 405, "method not allowed\n"),
        ("GET", "/openapi.json", 404, "not found\n"),
    ],
)
def test_refusals_are_plain(client: httpx.Client, method: str, path: str, status: int, body: str) -> None:
    """What is not there is said in plain text."""
    answer = client.request(method, path)

    assert (status, body) == (answer.status_code, answer.text)
    assert "text/plain; charset=utf-8" == answer.headers["content-type"]
    assert (status == 405) == ("allow" in answer.headers)


def test_headers_tell_no_software(client: httpx.Client) -> None:
    """No answer names the server's software, and browsers are told to guess nothing."""
    for path in ("/metrics", "/", "/-/healthy", "/nothing"):
        answer = client.get(path)

        assert "server" not in answer.headers
        assert "nosniff" == answer.headers["x-content-type-options"]


def test_status_page_is_locked_down(client: httpx.Client) -> None:
    """The page for people loads nothing from elsewhere and cannot be framed."""
    answer = client.get("/")

    assert "text/html; charset=utf-8" == answer.headers["content-type"]
    assert "DENY" == answer.headers["x-frame-options"]
    assert "no-referrer" == answer.headers["referrer-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; ")


def test_taken_port_is_an_error_at_once(pages: Pages) -> None:
    """A port that something else listens on is reported before anything is served."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        serving(create_app(pages), "127.0.0.1", taken.getsockname()[1]),
    ):
        pytest.fail("it must not serve")


def test_port_is_free_afterwards(pages: Pages) -> None:
    """The server answers while the block runs, and then lets go of its port."""

    def answers(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with serving(create_app(pages), "127.0.0.1", 0) as port:
        served = answers(port)

    assert served
    assert not answers(port)
