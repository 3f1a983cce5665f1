"""Serves a workspace over HTTP on one port, and stops without leaving anything behind."""

import socket
import struct
import sys
import threading
import time
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from simulator.answers import Answer, Request, answer, controlled, slow_by
from simulator.client import Control
from simulator.clock import epoch_ms
from simulator.control import PREFIX
from simulator.options import Options
from simulator.workspace import Workspace
from simulator.world import World

LOOPBACK = ("127.0.0.1", "::1")
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing the socket resets the connection."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        """Answer a request, of whatever method."""
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=path,
            query=query,
            authorization=self.headers.get("Authorization") or "",
            host=self.headers.get("Host") or "",
            user_agent=self.headers.get("User-Agent") or "",
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            local=self.client_address[0] in LOOPBACK,
        )
        workspace = self.server.workspace
        if path.startswith(PREFIX):
            self._send(controlled(workspace, request))
            return
        workspace.ledger.arrived()
        seconds, spoiled = slow_by(workspace, request)
        self._wait(seconds + workspace.options.latency / 2)
        given = spoiled or answer(workspace, request)
        self._wait(workspace.options.latency / 2)
        workspace.ledger.answered(f"{self.command} {path}", "reset" if given.reset else str(given.status))
        self._send(given)

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815  (the names that http.server asks for)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name that http.server gives)
        """Say nothing: `/simulator/requests` counts."""

    def _send(self, given: Answer) -> None:
        """Everything in one send, so that no part of an answer waits for the other."""
        if given.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.close_connection = True
            return
        self.close_connection = self.close_connection or given.truncated
        lines = [
            f"HTTP/1.1 {given.status} {HTTPStatus(given.status).phrase}",
            f"Content-Type: {given.content_type}",
            f"Content-Length: {len(given.body) * (2 if given.truncated else 1)}",
            f"Date: {self.date_time_string()}",
            *(f"{name}: {value}" for name, value in given.headers.items()),
            *(["Connection: close"] if self.close_connection else []),
        ]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + given.body)

    def _wait(self, seconds: float) -> None:
        """Real time passes, but not beyond the end of the server."""
        if seconds > 0:
            self.server.stopping.wait(seconds)


class Server(ThreadingHTTPServer):
    """A thread per connection; closing it ends the connections."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, address: tuple[str, int], options: Options) -> None:
        super().__init__(address, Handler)
        self.stopping = threading.Event()
        host = "127.0.0.1" if address[0] in {"", "0.0.0.0"} else address[0]  # noqa: S104  (compared, not bound)
        self.workspace = Workspace(options, f"http://{host}:{self.server_port}")
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it is open."""
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection; a reset one is closed without farewell."""
        with self._guard:
            self._open.discard(request)
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(RESET))
        if linger == RESET:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close_connections(self, patience: float = 5.0) -> None:
        """End what is open and wait until the threads have noticed."""
        self.stopping.set()
        self.workspace.close()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self._guard:
                connections = list(self._open)
            if not connections:
                return
            for connection in connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it has ended meanwhile
            time.sleep(0.005)


class Simulator:
    """A simulated workspace that is served while the `with` block runs."""

    def __init__(self, options: Options | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.options = options or Options()
        self._server = Server((host, port), self.options)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="simulator")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The workspace's address, without a slash at the end."""
        return self.workspace.url

    @property
    def workspace(self) -> Workspace:
        """What is behind HTTP."""
        return self._server.workspace

    @property
    def world(self) -> World:
        """The world as of the last request; read it while nothing else asks."""
        return self.workspace.world

    @property
    def token(self) -> str:
        """A personal access token that is accepted at the start."""
        return self.options.tokens[0]

    @property
    def client_id(self) -> str:
        """An OAuth client that is accepted at the start."""
        return next(iter(self.options.clients))

    @property
    def client_secret(self) -> str:
        """Its secret."""
        return self.options.clients[self.client_id]

    @property
    def control(self) -> Control:
        """The control interface, over HTTP as every other process uses it."""
        return Control(self.url)

    def now(self) -> datetime:
        """Simulated time."""
        return self.workspace.now()

    def advance(self, span: timedelta) -> None:
        """Move simulated time ahead."""
        self.workspace.advance(span)

    def truth(self, since: datetime | None = None) -> dict[str, Any]:
        """What really happened since then, by simulated time."""
        return self.workspace.truth(epoch_ms(since) if since else 0)
