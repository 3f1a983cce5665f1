"""What stands around a deployment: the workspace that signs an app in, the proxy in front of it, whoever is probed."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

CLIENT_ID, CLIENT_SECRET = "11111111-2222-3333-4444-555555555555", "planted-app-secret-6c2e"
ENDPOINT = "projects/jobs/branches/production/endpoints/primary"
KEPT = {"content-type", "content-encoding", "vary", "x-databricks-org-id"}
"""Headers of answers that are passed on."""
LOGIN = "https://login.invalid/oidc/v1/authorize"
DROPPED = {
    "host",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-forwarded-host",
}
"""Headers of requests that are not: whoever sends them may not choose who he is."""

Server = TypeVar("Server", bound=ThreadingHTTPServer)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server, which serves while the block runs."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    """Sends whole answers and says nothing."""

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """One answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, content: object, status: int = 200) -> None:
        """The same with a JSON text."""
        self.send(status, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def pass_on(self, target: str, headers: Mapping[str, str]) -> None:
        """What the target answers to this request with these headers beside its own."""
        passed = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
        try:
            answer = urlopen(Request(target + self.path, headers=passed | dict(headers)), timeout=10)
        except HTTPError as error:
            answer = error
        with answer:
            told = {name: value for name, value in answer.headers.items() if name.lower() in KEPT}
            self.send(answer.status, answer.read(), told)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Signing(Handler):
    server: "SigningWorkspace"

    def do_GET(self) -> None:
        """Discovery, and what the workspace behind answers."""
        url = self.server.url
        match self.path:
            case "/.well-known/databricks-config":
                self.send_json({"oidc_endpoint": f"{url}/oidc", "workspace_id": "4711"})
            case "/oidc/.well-known/oauth-authorization-server":
                self.send_json(
                    {"authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/oidc/v1/token"}
                )
            case _:
                self.pass_on(self.server.behind, {})

    def do_POST(self) -> None:
        """A token for the app, and a credential of its database for the token."""
        given = self.rfile.read(int(self.headers["Content-Length"]))
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        self.server.asked[self.path] += 1
        match self.path, self.headers["Authorization"]:
            case "/oidc/v1/token", authorization if authorization == f"Basic {known}":
                self.send_json(
                    {"access_token": self.server.token, "token_type": "Bearer", "expires_in": 3600}
                )
            case "/oidc/v1/token", _:
                self.send_json({"error": "invalid_client", "error_description": "no such client"}, 401)
            case "/api/2.0/postgres/credentials", authorization if (
                authorization == f"Bearer {self.server.token}" and json.loads(given) == {"endpoint": ENDPOINT}
            ):
                self.send_json({"token": self.server.credential})
            case _:
                self.send_json({"error_code": "PERMISSION_DENIED", "message": "not yours"}, 403)


class SigningWorkspace(ThreadingHTTPServer):
    """A workspace that signs in one service principal, with tokens that the test knows; jobs come from another."""

    def __init__(self, behind: str = "", token: str = "token-1", credential: str = "credential-1") -> None:
        super().__init__(("127.0.0.1", 0), _Signing)
        self.behind = behind
        self.token = token
        self.credential = credential
        self.asked: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Gate(Handler):
    server: "Gate"

    def do_GET(self) -> None:
        """The app's answer for whoever may have it, and a redirect to the sign-in for everybody else."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self.path.startswith("/api/") or not self._accepted(token):
            self.send(302, b"", {"Location": LOGIN})
            return
        who = "prometheus@example.com"
        self.server.passed[self.path] += 1
        self.pass_on(
            self.server.app,
            {
                "X-Forwarded-Host": "databricks-jobs-exporter-4711.aws.databricksapps.com",
                "X-Forwarded-Preferred-Username": "prometheus",
                "X-Forwarded-User": who,
                "X-Forwarded-Email": who,
                "X-Request-Id": "5b0d2a54-4a53-4b8e-9f0e-4f3d6f0d6d3f",
            },
        )

    def _accepted(self, token: str) -> bool:
        """Whether the workspace knows the token."""
        me = Request(
            f"{self.server.workspace}/api/2.0/preview/scim/v2/Me",
            headers={"Authorization": f"Bearer {token}"},
        )
        try:
            with urlopen(me, timeout=10):
                return True
        except HTTPError as error:
            error.close()
            return False


class Gate(ThreadingHTTPServer):
    """Behaves as the proxy in front of an app: tokens of the workspace are taken below /api/ and nowhere else, and the
    identity headers are its own.
    """

    def __init__(self, app: str, workspace: str) -> None:
        super().__init__(("127.0.0.1", 0), _Gate)
        self.app = app
        self.workspace = workspace
        self.passed: Counter[str] = Counter()


class _Well(Handler):
    server: "Patient"

    def do_GET(self) -> None:
        """How it feels."""
        self.send(self.server.status if self.path == "/-/healthy" else 404, b"", {})


class Patient(ThreadingHTTPServer):
    """Answers a health check with a status that the test chooses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Well)
        self.status = 200
