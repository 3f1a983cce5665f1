"""Puts the endpoints together, and with them the OpenAPI document that describes them."""

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from collector.store.reader import Reader
from exporter.access.gate import READ
from exporter.api import about, billing, documentation, jobs, runs
from exporter.api.refusals import RESPONSES, ApiRoute
from exporter.pages import Pages

ABOUT = """\
What the exporter knows of Databricks jobs, runs and usage. It answers from its own store: no question reaches Databricks,
and every answer says how old its data are.

Instants are ISO 8601 in UTC, durations are seconds, ids are strings. Lists come in parts: ask again with `next_cursor`
as `cursor` until it is null.
"""
TAGS = [
    {"name": "live", "description": "The live view: what the polls of the Jobs API saw."},
    {"name": "recorded", "description": "The same with what the system tables add."},
    {
        "name": "billing",
        "description": "Usage net of corrections; half a day late and more, and changing afterwards.",
    },
    {"name": "exporter", "description": "The exporter itself."},
]


def add_api(app: FastAPI, pages: Pages, records: Reader, *, on_databricks_apps: bool = False) -> None:
    """The application answers the API, and has a page that describes it."""
    router = APIRouter(route_class=ApiRoute, responses=RESPONSES)
    about.add_routes(router, pages, on_databricks_apps=on_databricks_apps)
    jobs.add_routes(router, pages)
    runs.add_routes(router, pages, records)
    billing.add_routes(router, pages, records)
    document = get_openapi(
        title="Databricks jobs exporter",
        version=pages.options.version,
        description=ABOUT,
        tags=TAGS,
        routes=router.routes,
    )
    for route in router.routes:
        if isinstance(route, ApiRoute) and route.methods:
            route.methods.update(READ)  # after the document was made: HEAD is not worth a chapter
    app.include_router(router)
    documentation.add_routes(app, document)
