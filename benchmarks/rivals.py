"""What a scrape is compared with: a static file from nginx, and the client library's own handler.

`python -m benchmarks.rivals FILE` serves the families of a page through that handler, on the port that it prints.
"""

import asyncio
import getpass
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry, make_asgi_app
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from benchmarks.programs import answers, free_port, program, python, wait_until

NGINX = """\
daemon off;
master_process off;
{user}
error_log stderr error;
pid {folder}/nginx.pid;
events {{ }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder};
    }}
}}
"""


class Finished(Collector):
    """Families that are there already, so that only rendering is measured."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._families


def nginx_program() -> str | None:
    """Where nginx is; None when it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx(binary: str, folder: Path) -> Iterator[int]:
    """The files of the folder over HTTP; the port."""
    port = free_port()
    user = "user root;" if getpass.getuser() == "root" else ""
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, user=user), encoding="utf-8")
    with program([binary, "-p", str(folder), "-c", str(config)]) as running:
        wait_until(lambda: answers(port, "/nginx.conf"), running=running)
        yield port


@contextmanager
def library_handler(page: Path) -> Iterator[int]:
    """The families of a page through the client library's own handler, in a process of its own; the port."""
    with program(python("benchmarks.rivals", page)) as running:
        yield int(running.line())


def main(page: Path) -> None:
    """Serve until terminated."""
    registry = CollectorRegistry()
    registry.register(Finished(text_string_to_metric_families(page.read_text(encoding="utf-8"))))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 – whoever started it reads the port
        server = uvicorn.Server(uvicorn.Config(make_asgi_app(registry), log_config=None, lifespan="off"))
        asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
