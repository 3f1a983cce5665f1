"""Who is asking."""

import pytest
from starlette.datastructures import Headers

from collector.config.hosting import on_databricks_apps
from exporter.identity import LOCAL, Identity, identity

ALL = {
    "X-Forwarded-Preferred-Username": "Ada Lovelace",
    "X-Forwarded-Email": "ada@example.com",
    "X-Forwarded-User": "123@456",
}


def test_headers_are_not_believed_elsewhere() -> None:
    """Outside Databricks Apps anybody can write the headers, so that everybody is the local user."""
    assert Identity(name=LOCAL) == identity(ALL, on_databricks_apps=False)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (ALL, Identity(name="Ada Lovelace", email="ada@example.com")),
        ({"x-forwarded-email": "ada@example.com"}, Identity(name="ada@example.com", email="ada@example.com")),
        ({"x-forwarded-user": "123@456"}, Identity(name="123@456")),
        ({"x-forwarded-preferred-username": " "}, Identity(name="")),
        ({}, Identity(name="")),
    ],
)
def test_the_platform_names_the_user(headers: dict[str, str], expected: Identity) -> None:
    """On Databricks Apps the most readable name counts; a caller whom the platform does not name has none."""
    assert expected == identity(headers, on_databricks_apps=True)


def test_a_header_with_two_values_is_not_believed() -> None:
    """A name that came twice with different values may be somebody's own addition."""
    raw = [(b"x-forwarded-email", b"ada@example.com"), (b"x-forwarded-email", b"eve@example.com")]

    assert Identity(name="") == identity(Headers(raw=raw), on_databricks_apps=True)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({"DATABRICKS_APP_NAME": "exporter"}, True), ({"DATABRICKS_APP_NAME": ""}, False), ({}, False)],
)
def test_the_platform_is_recognised_by_its_variable(environ: dict[str, str], expected: bool) -> None:
    """Databricks Apps names the app in the environment."""
    assert expected == on_databricks_apps(environ)
