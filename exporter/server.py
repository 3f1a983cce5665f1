"""The paths of the exporter and the server that listens. A scrape picks up a finished page and computes nothing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from exporter.landing import Landing
from exporter.negotiation import variant
from exporter.pages import Pages

METRICS_PATHS = ("/metrics", "/api/metrics")
"""The second because bearer tokens reach a Databricks App only below /api/."""
READ = ["GET", "HEAD"]
NOSNIFF = {"X-Content-Type-Options": "nosniff"}
GRACE_S = 5
"""How long answers under way may take after the server was told to stop."""


def create_app(pages: Pages, *, documentation: str = "") -> FastAPI:
    """The application over the pages; starting and stopping them is the caller's.

    `documentation` is where the landing page links to for docs; without one the link is left out.
    """
    landing = Landing(documentation)
    guarded = {
        "Content-Security-Policy": landing.policy,
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        **NOSNIFF,
    }

    async def metrics(request: Request) -> Response:
        wanted = variant(_header(request, "accept"), _header(request, "accept-encoding"))
        body = pages.finished(wanted) or await run_in_threadpool(pages.made, wanted)
        if body is None:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "no snapshot is loaded yet")
        headers = {"Content-Type": wanted.form.value, "Vary": "Accept, Accept-Encoding", **NOSNIFF}
        return Response(body, headers=headers | ({"Content-Encoding": "gzip"} if wanted.gzip else {}))

    async def healthy(_: Request) -> Response:
        return _plain(HTTPStatus.OK, "healthy")

    async def ready(_: Request) -> Response:
        if pages.ready:
            return _plain(HTTPStatus.OK, "ready")
        return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "no snapshot is loaded yet")

    def home(_: Request) -> Response:
        return HTMLResponse(landing.page(pages.view(), pages.options, pages.now()), headers=guarded)

    app = FastAPI(title="Databricks jobs exporter", docs_url=None, redoc_url=None, openapi_url=None)
    for path in METRICS_PATHS:
        app.add_route(path, metrics, READ)
    app.add_route("/-/healthy", healthy, READ)
    app.add_route("/-/ready", ready, READ)
    app.add_route("/", home, READ)
    app.add_exception_handler(HTTPException, _refused)
    return app


@contextmanager
def serving(app: FastAPI, host: str, port: int) -> Iterator[int]:
    """Serves in a thread while the block runs, on the port that it yields; port 0 takes a free one.

    Raises OSError at once when the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as listener:
        # asyncio does this only where a socket names its protocol; without it a small answer waits 40 ms for an ACK
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="http", daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=2 * GRACE_S)


def _refused(_: Request, error: Exception) -> Response:
    """Plain words for 404 and 405, which scrapers and people with curl read."""
    if not isinstance(error, HTTPException):
        raise error
    return _plain(error.status_code, HTTPStatus(error.status_code).phrase.lower(), dict(error.headers or {}))


def _plain(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, {**NOSNIFF, "Cache-Control": "no-store", **(headers or {})})


def _header(request: Request, name: str) -> str:
    """All values of a header that may come several times."""
    return ",".join(request.headers.getlist(name))
