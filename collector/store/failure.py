"""The one error of the store, and the one place where errors of the databases become it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class StoreError(Exception):
    """The store cannot be used as asked; what was in it before is untouched. The message holds no password."""


class ForeignWorkspaceError(StoreError):
    """The store holds another workspace under this name."""


def shown(url: URL) -> str:
    """The address for people: without password and without parameters, which may hold one too."""
    return url.set(query={}).render_as_string(hide_password=True)


@contextmanager
def reported(url: URL) -> Iterator[None]:
    """Whatever the database raises inside leaves as a StoreError that names the store."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(f"store {shown(url)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The driver's own words on one line: SQLAlchemy's add the statement and its values."""
    words = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
    return " ".join(words.split()) or type(error).__name__
