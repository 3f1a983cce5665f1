"""The OpenAPI document, and a page that shows it. Everything on the page comes from this server."""

import json
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from exporter.access.gate import READ
from exporter.answers import plain

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI puts its icons into data: addresses and styles into elements."""
OWN = Path(__file__).parent / "assets"
SWAGGER = "fastapi_offline"
"""The package that carries the files of Swagger UI."""
SCRIPT, STYLE = "text/javascript", "text/css"
KEPT = {"Cache-Control": "private, max-age=3600"}


def add_routes(app: FastAPI, document: dict[str, Any]) -> None:
    """The application serves the document and the page."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    page = (OWN / "docs.html").read_bytes()
    swagger = Path(str(files(SWAGGER))) / "static"
    assets = {
        "swagger-ui-bundle.js": (swagger, SCRIPT),
        "swagger-ui.css": (swagger, STYLE),
        "start.js": (OWN, SCRIPT),
        "docs.css": (OWN, STYLE),
    }

    async def openapi(_: Request) -> Response:
        return Response(text, headers={"Cache-Control": "no-cache"}, media_type="application/json")

    async def docs(_: Request) -> Response:
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        return Response(page, headers=headers, media_type="text/html")

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in assets:
            return plain(HTTPStatus.NOT_FOUND)
        folder, media_type = assets[name]
        return FileResponse(folder / name, headers=KEPT, media_type=media_type)

    app.add_route("/openapi.json", openapi, [*READ])
    app.add_route("/docs", docs, [*READ])
    app.add_route("/docs/{name}", asset, [*READ])
