"""What the API says instead of an answer: which parameter is wrong and what is allowed, what there is not, and that the
store does not answer. Never a traceback.
"""

import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from collector.store.engine import StoreError
from exporter.api.models.answer import Problem, Refusal

RESPONSES: dict[int | str, dict[str, Any]] = {
    422: {"model": Refusal, "description": "A parameter is wrong; the answer says what is allowed."},
    503: {"model": Refusal, "description": "The store does not answer yet, or not at the moment."},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Refusal, "description": "The store does not know what is asked for."}
}
SEVERAL = frozenset({"result", "state"})
"""Parameters that may stand several times."""

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """There is no answer, and why."""

    def __init__(self, status: HTTPStatus, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problems = problems


def missing(what: str) -> RefusedError:
    """For an id that the store does not know."""
    return RefusedError(HTTPStatus.NOT_FOUND, f"{what} is not known here")


def wrong(parameter: str, problem: str, allowed: str) -> RefusedError:
    """For a parameter that cannot be meant."""
    return _wrong([Problem(parameter=parameter, problem=problem, allowed=allowed)])


def answered(model: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """The model as JSON that nobody keeps."""
    body = model.model_dump_json()
    return Response(body, status, {"Cache-Control": "no-store"}, media_type="application/json")


class ApiRoute(APIRoute):
    """An endpoint that answers everything in JSON, and knows all of its parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint with the refusals around it."""
        handle = super().get_route_handler()
        declared = {field.alias: field.field_info.description or "" for field in self.dependant.query_params}
        allowed = declared | {
            field.alias: field.field_info.description or "" for field in self.dependant.path_params
        }

        async def guarded(request: Request) -> Response:
            try:
                if problems := [*_misnamed(request, declared)]:
                    raise _wrong(problems)
                return await handle(request)
            except RequestValidationError as error:
                return _refused(_wrong([*_invalid(error.errors(), allowed)]))
            except RefusedError as error:
                return _refused(error)
            except StoreError as error:
                log.warning("the store does not answer: %s", error)
                return _refused(
                    RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "the store does not answer at the moment")
                )

        return guarded


def _wrong(problems: Sequence[Problem]) -> RefusedError:
    names = ", ".join(dict.fromkeys(problem.parameter for problem in problems))
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"wrong parameters: {names}", problems)


def _refused(error: RefusedError) -> Response:
    answer = answered(Refusal(detail=error.detail, problems=list(error.problems)), error.status)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = "5"
    return answer


def _misnamed(request: Request, declared: Mapping[str, str]) -> Iterator[Problem]:
    """What stands in the query and is no parameter, or may not stand there twice."""
    names = ", ".join(declared) or "none"
    for name in dict.fromkeys(request.query_params):
        if name not in declared:
            yield Problem(
                parameter=_short(name), problem="unknown parameter", allowed=f"parameters here: {names}"
            )
        elif name not in SEVERAL and len(request.query_params.getlist(name)) > 1:
            yield Problem(parameter=name, problem="given more than once", allowed=declared[name])


def _invalid(errors: Iterable[Any], allowed: Mapping[str, str]) -> Iterator[Problem]:
    """What the models say, without the value, which may be anything."""
    for error in errors:
        name = str(error["loc"][1]) if len(error["loc"]) > 1 else ""
        yield Problem(parameter=name, problem=str(error["msg"]), allowed=allowed.get(name, ""))


def _short(name: str) -> str:
    return name if len(name) <= 50 else f"{name[:49]}…"
