"""Whatever is asked, the API answers as its own document says: schemathesis invents the questions."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.exporter.api import application
from tests.exporter.store import Clock
from tests.exporter.test_api import PATHS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
OPERATIONS = [path.replace("/7", "/{job_id}").replace("/101", "/{run_id}") for path in PATHS]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The document as the application serves it."""
    with application(tmp_path_factory.mktemp("hostile"), Clock()) as app:
        yield schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize("path", OPERATIONS)
def test_hostile_questions(schema: BaseSchema, path: str) -> None:
    """No question, allowed or not, gets a server error or an answer that the document does not describe."""
    operation = schema[path]["GET"]
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE) if operation.query else good

    @given(st.one_of(good, good.map(aimed), bad))
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: Case) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


def aimed(case: Case) -> Case:
    """The question about what there is, at the start of the list, so that it is not turned away at once."""
    known = {"workspace": "production", "job_id": "7", "run_id": "101"}
    for given_values in (case.query, case.path_parameters):
        given_values.update({name: value for name, value in known.items() if name in given_values})
    case.query.pop("cursor", None)
    return case
