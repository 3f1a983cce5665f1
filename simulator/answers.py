"""Answers one request, whatever carries it: faults, authentication, the API, and control."""

import json
from dataclasses import dataclass, field, replace

from simulator import control, wire
from simulator.credentials import OAuthError
from simulator.faults import Fault
from simulator.query import ApiError
from simulator.workspace import Workspace

HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Temporarily down</h1></body></html>"
SQL = "/sql/1.0/warehouses/"
CODES = {500: "INTERNAL_ERROR", 503: "TEMPORARILY_UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came in."""

    method: str
    path: str
    query: str = ""
    authorization: str = ""
    host: str = ""
    user_agent: str = ""
    body: bytes = b""
    local: bool = True
    """True when it comes from this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    reset: bool = False
    """True when the connection is reset instead of answered."""
    truncated: bool = False
    """True when the connection ends before the body does."""


def slow_by(workspace: Workspace, request: Request) -> tuple[float, Answer | None]:
    """What a fault does to the request before anybody looks at it: real seconds to wait, or an answer."""
    token = request.authorization.removeprefix("Bearer ")
    fault = workspace.faults.before(request.path, token)
    if fault is None:
        return 0.0, None
    return (fault.seconds, None) if fault.kind == "slow" else (0.0, _failure(fault))


def answer(workspace: Workspace, request: Request) -> Answer:
    """The workspace's answer, as far as no fault spoils it."""
    if open_answer := _without_token(workspace, request):
        return open_answer
    try:
        token = workspace.credentials.check(request.authorization)
        if request.method == "POST" and request.path.startswith(SQL):
            return _queried(workspace, request, workspace.credentials.principal(token))
        with workspace.turn():
            text = workspace.api.answer(request.path, request.query) if request.method == "GET" else None
    except ApiError as error:
        return _refusal(error)
    if text is None:
        message = f"No API found for '{request.method} {request.path}'."
        return _refusal(ApiError(404, "ENDPOINT_NOT_FOUND", message))
    fault, body = workspace.faults.after(request.path, text.encode())
    headers = {"X-Databricks-Org-Id": workspace.options.workspace_id}
    return Answer(body=body, headers=headers, truncated=fault is not None and fault.kind == "truncated")


def _queried(workspace: Workspace, request: Request, principal: str) -> Answer:
    """The answer of the SQL warehouse; a refusal says why in the headers that the connector reads."""
    warehouse_id = request.path.removeprefix(SQL)
    try:
        body = workspace.warehouse.call(warehouse_id, request.body, principal, request.user_agent)
    except ApiError as error:
        refusal = _refusal(error)
        return replace(refusal, headers={"X-Thriftserver-Error-Message": error.message})
    fault, spoiled = workspace.faults.after(request.path, body)
    truncated = fault is not None and fault.kind == "truncated"
    return Answer(body=spoiled, content_type="application/x-thrift", truncated=truncated)


def controlled(workspace: Workspace, request: Request) -> Answer:
    """The answer of the control interface, which is for this machine only."""
    if not request.local:
        return _refusal(ApiError(403, "PERMISSION_DENIED", "Control is for this machine only."))
    try:
        fields = json.loads(request.body) if request.body else {}
        done = control.control(workspace, request.method, request.path, request.query, fields)
    except json.JSONDecodeError as error:
        return _refusal(ApiError(400, "MALFORMED_REQUEST", f"The body is not JSON: {error}"))
    except ApiError as error:
        return _refusal(error)
    return _json(done)


def _without_token(workspace: Workspace, request: Request) -> Answer | None:
    """The answers that configuration and authentication need before there is a token."""
    base = f"http://{request.host}" if request.host else workspace.url
    match request.method, request.path:
        case "GET", "/.well-known/databricks-config":
            return _json(
                {
                    "oidc_endpoint": f"{base}/oidc",
                    "workspace_id": workspace.options.workspace_id,
                    "account_id": "00000000-0000-4000-8000-000000004711",
                    "cloud": "AWS",
                }
            )
        case "GET", "/oidc/.well-known/oauth-authorization-server":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
            return _json({name: f"{base}/oidc/v1/{end}" for name, end in ends.items()})
        case "POST", "/oidc/v1/token":
            try:
                return _json(workspace.credentials.issue(request.authorization, request.body))
            except OAuthError as error:
                return _json(error.body, error.status)
        case _:
            return None


def _failure(fault: Fault) -> Answer:
    """The answer that a fault gives instead of the workspace's."""
    match fault.kind:
        case "throttled":
            refusal = _refusal(ApiError(429, "REQUEST_LIMIT_EXCEEDED", "Rate limit exceeded."))
            retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return Answer(status=429, body=refusal.body, headers=retry)
        case "reset":
            return Answer(reset=True)
        case "html":
            return Answer(status=fault.status, body=HTML, content_type="text/html; charset=utf-8")
        case "unauthorized":
            return _refusal(ApiError(401, "UNAUTHENTICATED", "Invalid access token."))
        case "forbidden":
            return _refusal(ApiError(403, "PERMISSION_DENIED", "User does not have permission."))
        case _:
            code = CODES.get(fault.status, "BAD_GATEWAY")
            return _refusal(ApiError(fault.status, code, "The service is out of order."))


def _json(body: object, status: int = 200) -> Answer:
    return Answer(status=status, body=wire.text(body).encode())


def _refusal(error: ApiError) -> Answer:
    return _json({"error_code": error.code, "message": error.message}, error.status)
