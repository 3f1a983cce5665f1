"""Where the process runs, as far as that changes what may be believed and where it listens."""

from collections.abc import Mapping

APP_PORT = "DATABRICKS_APP_PORT"
"""Set on Databricks Apps, whose proxy sends requests to this port."""


def on_databricks_apps(environ: Mapping[str, str]) -> bool:
    """True on Databricks Apps, whose proxy sets the headers that name the user."""
    return bool(environ.get("DATABRICKS_APP_NAME"))
