"""Joins the store to Databricks where the store's password is a token that expires."""

from collections.abc import Callable

from collector.config import Settings
from collector.sources.source import SourceError
from collector.store.engine import StoreError


def store_password(settings: Settings) -> Callable[[], str] | None:
    """What each new connection to the store asks for its password, or None where the URL says all.

    It signs in as the principal that the environment of the Databricks SDK names, and raises StoreError.
    """
    lakebase = settings.store.lakebase
    if lakebase is None:
        return None
    from collector.sources.password import DatabasePassword  # noqa: PLC0415 – loads the SDK, which `serve` else does without

    asked = DatabasePassword(dict, lakebase.endpoint)

    def password() -> str:
        try:
            return asked()
        except SourceError as error:
            raise StoreError(f"the store's password is a token that cannot be had: {error}") from error

    return password
