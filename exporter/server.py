"""The paths of the exporter and the server that listens. A scrape picks up a finished page and computes nothing."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from collector.store.reader import Reader
from exporter.access.admission import Admission, everybody
from exporter.access.connection import Bounds
from exporter.access.gate import READ
from exporter.access.reception import Reception
from exporter.answers import plain
from exporter.api.router import add_api
from exporter.negotiation import variant
from exporter.pages import Pages
from exporter.status.history import History, NoHistory
from exporter.status.site import Site

METRICS_PATHS = ("/metrics", "/api/metrics")
"""The second because bearer tokens reach a Databricks App only below /api/."""
DOCUMENTATION = "https://github.com/databricks-jobs-exporter/databricks-jobs-exporter#readme"
SCRAPES_AT_ONCE = 8
"""Threads that scrapes have for themselves, so that they need not wait for questions that take longer."""
GRACE_S = 5
"""How long answers under way may take after the server was told to stop."""


def create_app(
    pages: Pages,
    history: History | None = None,
    *,
    records: Reader | None = None,
    on_databricks_apps: bool = False,
    documentation: str = DOCUMENTATION,
) -> FastAPI:
    """The application over the pages; starting and stopping them is the caller's.

    The status page reads single runs from the history, the API from the records; without them there is no API.
    `documentation` is where the page links to for docs; without one the link is left out.
    """
    scrapes = CapacityLimiter(SCRAPES_AT_ONCE)

    async def metrics(request: Request) -> Response:
        wanted = variant(_header(request, "accept"), _header(request, "accept-encoding"))
        body = pages.finished(wanted) or await to_thread.run_sync(pages.made, wanted, limiter=scrapes)
        if body is None:
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, "no snapshot is loaded yet")
        headers = {"Content-Type": wanted.form.value, "Vary": "Accept, Accept-Encoding"}
        return Response(body, headers=headers | ({"Content-Encoding": "gzip"} if wanted.gzip else {}))

    async def healthy(_: Request) -> Response:
        return plain(HTTPStatus.OK, "healthy")

    async def ready(_: Request) -> Response:
        if pages.ready:
            return plain(HTTPStatus.OK, "ready")
        return plain(HTTPStatus.SERVICE_UNAVAILABLE, "no snapshot is loaded yet")

    app = FastAPI(title="Databricks jobs exporter", docs_url=None, redoc_url=None, openapi_url=None)
    for path in METRICS_PATHS:
        app.add_route(path, metrics, [*READ])
    app.add_route("/-/healthy", healthy, [*READ])
    app.add_route("/-/ready", ready, [*READ])
    if records:
        add_api(app, pages, records, on_databricks_apps=on_databricks_apps)
    app.router.routes.extend(Site(pages, history or NoHistory(), documentation).routes())
    app.add_exception_handler(HTTPException, _refused)
    return app


@contextmanager
def serving(
    app: ASGIApp,
    host: str,
    port: int,
    admission: Callable[[], Admission] = everybody,
    bounds: Bounds | None = None,
) -> Iterator[int]:
    """Serves in a thread while the block runs, on the port that it yields; port 0 takes a free one.

    The admission are asked for at each connection and each request, and by default let everybody in over plain HTTP.
    Raises OSError at once when the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as listener:
        # asyncio does this only where a socket names its protocol; without it a small answer waits 40 ms for an ACK
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = Reception(app, admission, bounds or Bounds(), grace_s=GRACE_S)
        thread = threading.Thread(target=server.run, args=([listener],), name="http", daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=2 * GRACE_S)


def _refused(_: Request, error: Exception) -> Response:
    """Plain words for what is not there."""
    if not isinstance(error, HTTPException):
        raise error
    return plain(error.status_code, headers=error.headers)


def _header(request: Request, name: str) -> str:
    """All values of a header that may come several times."""
    return ",".join(request.headers.getlist(name))
