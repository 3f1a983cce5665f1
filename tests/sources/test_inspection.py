"""Who signs in and what a warehouse is, from answers that the simulated workspace never gives."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from collector.sources.client import Client
from collector.sources.inspection import Principal, WarehouseFacts, principal, warehouse
from collector.sources.source import Unreadable
from tests.sources.scripted import scripted
from tests.sources.workspace import connection_to

CONFIG = "/.well-known/databricks-config"
ME = "/api/2.0/preview/scim/v2/Me"
WAREHOUSE = "/api/2.0/sql/warehouses/w1"

T = TypeVar("T")


def asked(script: dict[str, Any], question: Callable[[Client], T]) -> T:
    """What the question gives when each path has this answer."""
    answers = {CONFIG: [{}]} | {path: [body] for path, body in script.items()}
    with scripted(answers) as server, closing(Client(connection_to(server.url))) as client:
        client.start_deadline(10)
        return question(client)


@pytest.mark.parametrize(("name", "application"), [("me@example.com", False), ("0f0e-11", True)])
def test_whose_token_it_is(name: str, application: bool) -> None:
    """A name without an @ is the application id of a service principal; the workspace id comes with every answer."""
    found = asked({ME: {"userName": name}}, principal)

    assert (name, application, "815") == (found.name, found.application, found.workspace_id)
    assert isinstance(found, Principal)


def test_an_answer_without_a_name() -> None:
    """Whom to grant something is not guessed."""
    with pytest.raises(Unreadable, match="does not tell who signs in"):
        asked({ME: {}}, principal)


@pytest.mark.parametrize(("state", "gone"), [("STOPPED", False), ("DELETING", True), ("DELETED", True)])
def test_what_a_warehouse_is(state: str, gone: bool) -> None:
    """One that is being deleted is gone."""
    body = {"name": "shared", "state": state, "auto_stop_mins": 45}

    found = asked({WAREHOUSE: body}, lambda client: warehouse(client, "w1"))

    assert WarehouseFacts(name="shared", state=state, auto_stop=timedelta(minutes=45)) == found
    assert gone is found.gone


def test_an_auto_stop_that_is_no_number() -> None:
    """It is not taken for never."""
    with pytest.raises(Unreadable, match="auto_stop_mins"):
        asked({WAREHOUSE: {"auto_stop_mins": "soon"}}, lambda client: warehouse(client, "w1"))
