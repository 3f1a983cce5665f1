"""Answers in plain words, which scrapers and people with curl read."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import PlainTextResponse, Response


def plain(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """One line of text, by default what the status means, that nobody keeps."""
    line = text or HTTPStatus(status).phrase.lower()
    return PlainTextResponse(f"{line}\n", status, {"Cache-Control": "no-store", **(headers or {})})
