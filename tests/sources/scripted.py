"""A server that answers what the simulated workspace never would: a script of bodies for each path."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Mapping[str, list[Any]]
"""The answers of a path in order, the last one again and again; bytes are sent as they are, None is a 404."""


class Scripted(ThreadingHTTPServer):
    """Serves a script, and counts how often each path was asked for."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address of the workspace that it plays."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> Any:
        """The next answer of the path."""
        with self.lock:
            number = self.asked[path]
            self.asked[path] += 1
        answers = self.script.get(path) or [None]
        return answers[min(number, len(answers) - 1)]


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        body = self.server.answer(self.path.partition("?")[0])
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(404 if body is None else 200)
        self.send_header("X-Databricks-Org-Id", "815")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 – the name that http.server gives
        """Say nothing."""


@contextmanager
def scripted(script: Script) -> Iterator[Scripted]:
    """Serve the script while the block runs."""
    server = Scripted(script)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
