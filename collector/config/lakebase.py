"""The store of a Databricks App: Lakebase Postgres, whose address the platform puts into the environment and whose
password is a token of the app's service principal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from collector.config.hosting import on_databricks_apps
from collector.config.values import LAKEBASE, Mistake

SCHEMA = "databricks_jobs_exporter"
"""The app may create schemas in the database, but nothing in the one that all share."""
ADDRESS = ("PGHOST", "PGDATABASE", "PGUSER")
ENDPOINT = re.compile(r"projects/[^/]+/branches/[^/]+/endpoints/[^/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lakebase:
    """How the password of a Lakebase database is asked for, as the principal of the Databricks SDK's environment."""

    endpoint: str | None = None
    """The endpoint whose credential is the password (Autoscaling); None where the OAuth token itself is (Provisioned)."""


def resolved(url: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What the store's URL means in this environment, as settings of the store; raises `Mistake` where it means loss."""
    if url == LAKEBASE:
        return {"url": _address(environ), "lakebase": Lakebase(endpoint=_endpoint(environ))}
    if url.startswith("sqlite") and on_databricks_apps(environ):
        raise Mistake(
            "a SQLite file is lost, and the counters with it, whenever a Databricks App restarts; "
            f'add a Lakebase database to the resources of the app and write "{LAKEBASE}"'
        )
    return {}


def _address(environ: Mapping[str, str]) -> str:
    if missing := [name for name in ADDRESS if not environ.get(name)]:
        raise Mistake(
            f'"{LAKEBASE}" finds no database, because the platform does not set {", ".join(missing)}; '
            "add a Lakebase database to the resources of the app and deploy it again"
        )
    host, database, user = (quote(environ[name], safe="") for name in ADDRESS)
    parameters = {
        "sslmode": environ.get("PGSSLMODE") or "require",
        "application_name": environ.get("PGAPPNAME") or SCHEMA,
        "schema": SCHEMA,
    }
    port = quote(environ.get("PGPORT") or "5432", safe="")
    return f"postgresql+psycopg://{user}@{host}:{port}/{database}?{urlencode(parameters)}"


def _endpoint(environ: Mapping[str, str]) -> str | None:
    """The endpoint, where the variable holds one: for a Provisioned database the platform gives the host instead."""
    name = environ.get("LAKEBASE_ENDPOINT", "")
    return name if ENDPOINT.fullmatch(name) else None
