"""The pages for people and what they load, as routes. Each page is made when it is asked for, from what the store holds."""

import gzip
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.store.engine import StoreError
from exporter.answers import plain
from exporter.negotiation import variant
from exporter.pages import Pages
from exporter.status.history import History
from exporter.status.jobpage import job_page
from exporter.status.looks import Templates, assets
from exporter.status.overview import overview
from exporter.status.question import BadQuestionError, question
from exporter.status.runpage import run_page
from exporter.view import View

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The content security policy: the exporter's own files and nothing else, neither from outside nor written in the page."""
FOREVER = "public, max-age=31536000, immutable"
WORTH_PACKING = 1400
"""Bytes that fit into one packet need no compression."""
PACK_LEVEL = 5
HERE, BELOW = "./", "../../"
"""From the overview, and from the page of a job or a run, to the overview."""


class Site:
    """The pages over the latest snapshot and the history behind it."""

    def __init__(self, pages: Pages, history: History, documentation: str) -> None:
        self._pages = pages
        self._history = history
        self._documentation = documentation
        self._assets = assets()
        self._templates = Templates(self._assets)

    def routes(self) -> list[Route]:
        """All paths, each for GET and HEAD."""
        return [
            Route("/", self._overview),
            Route("/jobs/{workspace}/{job_id}", self._job),
            Route("/runs/{workspace}/{run_id}", self._run),
            Route("/static/{name}", self._asset),
        ]

    def _overview(self, request: Request) -> Response:
        now = self._pages.now()
        try:
            asked = question(request.query_params)
        except BadQuestionError as error:
            return self._problem(
                request, HERE, HTTPStatus.UNPROCESSABLE_ENTITY, "Not understood", error.mistakes
            )
        view = self._pages.view()
        if view is None:
            return self._unloaded(request, HERE)
        page = overview(view, self._history, asked, now)
        return self._page(request, "overview.html", HERE, now, readable=view.readable, page=page)

    def _job(self, request: Request) -> Response:
        return self._single(request, "job.html", "job", job_page)

    def _run(self, request: Request) -> Response:
        return self._single(request, "run.html", "run", run_page)

    def _single(
        self,
        request: Request,
        template: str,
        noun: str,
        made: Callable[[View, History, str, str, datetime], object | None],
    ) -> Response:
        view, now = self._pages.view(), self._pages.now()
        if view is None:
            return self._unloaded(request, BELOW)
        workspace, wanted = request.path_params["workspace"], request.path_params[f"{noun}_id"]
        try:
            page = made(view, self._history, workspace, wanted, now)
        except StoreError:
            return self._problem(
                request,
                BELOW,
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The store cannot be read",
                ["Its latest snapshot is on the overview; single runs are not. Try again later."],
            )
        if page is None:
            return self._problem(
                request,
                BELOW,
                HTTPStatus.NOT_FOUND,
                f"No such {noun}",
                [f"The store holds no {noun} {wanted} of a workspace {workspace}, or does not any more."],
            )
        return self._page(request, template, BELOW, now, page=page)

    def _unloaded(self, request: Request, root: str) -> Response:
        return self._problem(
            request,
            root,
            HTTPStatus.OK if root == HERE else HTTPStatus.SERVICE_UNAVAILABLE,
            "Nothing is loaded yet",
            ["The store has not been read. This page shows it as soon as that succeeds."],
        )

    def _problem(
        self, request: Request, root: str, status: HTTPStatus, title: str, texts: list[str]
    ) -> Response:
        return self._page(
            request, "problem.html", root, self._pages.now(), status=status, title=title, texts=texts
        )

    def _page(
        self,
        request: Request,
        template: str,
        root: str,
        now: datetime,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        **given: object,
    ) -> Response:
        text = self._templates.drawn(
            template,
            root=root,
            now=now,
            here=f"?{request.url.query}" if request.url.query else "?",
            options=self._pages.options,
            documentation=self._documentation,
            **given,
        )
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
        }
        return _packed(request, text.encode(errors="replace"), status, headers)

    def _asset(self, request: Request) -> Response:
        found = self._assets.get(request.path_params["name"])
        if found is None:
            return plain(HTTPStatus.NOT_FOUND)
        current = request.query_params.get("v") == found.version
        headers = {"Content-Type": found.kind, "Cache-Control": FOREVER if current else "no-cache"}
        return _packed(request, found.body, HTTPStatus.OK, headers)


def _packed(request: Request, body: bytes, status: HTTPStatus, headers: Mapping[str, str]) -> Response:
    """The answer, compressed for those who can read that."""
    accepted = ",".join(request.headers.getlist("accept-encoding"))
    sent = {**headers, "Vary": "Accept-Encoding"}
    if len(body) > WORTH_PACKING and variant("", accepted).gzip:
        sent["Content-Encoding"] = "gzip"
        body = gzip.compress(body, PACK_LEVEL, mtime=0)
    return Response(body, status, sent)
