"""Stands in front of the application: turns away what it must not see, and completes the headers of its answers."""

import math
import time
from collections.abc import Callable, Iterable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.access.admission import Admission
from exporter.access.sign_in import Users, Verdict
from exporter.answers import plain

READ = ("GET", "HEAD")
LARGEST_HEAD = 16 * 1024
"""Bytes of path, query and headers of a request."""
PIECE = 128 * 1024
"""Bytes of an answer that are handed to a connection at once: all that a client which does not read can hold."""
DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)
"""Headers of each answer that does not set them itself."""
CHALLENGE = {"WWW-Authenticate": 'Basic realm="databricks-jobs-exporter", charset="UTF-8"'}
CLOSE = {"Connection": "close"}


class Gate:
    """The application for those whom the admission let in, as they hold at each request."""

    def __init__(self, app: ASGIApp, admission: Callable[[], Admission]) -> None:
        self._app = app
        self._terms = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        admission = self._terms()
        answer = _limited(admission) or _misread(scope) or await _unknown(admission.users, scope)
        await (answer or self._app)(scope, receive, _completed(send, admission.config.headers))


def _limited(admission: Admission) -> Response | None:
    """429 when requests come too often."""
    wait_s = admission.bucket.take(time.monotonic()) if admission.bucket else 0
    if not wait_s:
        return None
    return plain(429, headers={"Retry-After": f"{math.ceil(wait_s)}"})


def _misread(scope: Scope) -> Response | None:
    """The answer to what nobody who only reads would send; the connection is closed, for more of it may follow."""
    headers = dict(scope["headers"])
    if scope["method"] not in READ:
        return plain(405, headers={"Allow": ", ".join(READ), **CLOSE})
    if b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0":
        return plain(413, "requests have no body here", CLOSE)
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
        return plain(431, headers=CLOSE)
    return None


async def _unknown(users: Users | None, scope: Scope) -> Response | None:
    """401 for those who may not come in."""
    if users is None:
        return None
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    verdict = await users.verdict(given[0]) if len(given) == 1 else Verdict.WRONG
    match verdict:
        case Verdict.WELCOME:
            return None
        case Verdict.BUSY:
            return plain(429, "too many sign-ins at once", {"Retry-After": "1"})
        case Verdict.WRONG:
            return plain(401, headers=CHALLENGE)


def _completed(send: Send, configured: Mapping[str, str]) -> Send:
    """Sends all headers, and large bodies in pieces, each when most of those before it is on its way."""

    async def sending(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.start":
            await send({**message, "headers": _headers(message.get("headers", ()), configured)})
        elif len(body) <= PIECE:
            await send(message)
        else:
            for start in range(0, len(body), PIECE):
                more = start + PIECE < len(body) or message.get("more_body", False)
                await send({"type": message["type"], "body": body[start : start + PIECE], "more_body": more})

    return sending


def _headers(own: Iterable[tuple[bytes, bytes]], configured: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The answer's own headers; those configured replace them, and the defaults stand in for what neither sets."""
    replaced = {name.lower().encode(): value.encode() for name, value in configured.items() if value}
    kept = [(name, value) for name, value in own if name.lower() not in replaced]
    present = {name.lower() for name, _ in kept} | replaced.keys()
    return [*kept, *replaced.items(), *((name, value) for name, value in DEFAULTS if name not in present)]
