"""No secret leaves the process: planted ones are searched for in everything that it says, serves and keeps."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from simulator import Options, Simulator
from simulator.api import WAREHOUSE_ID
from tests.end_to_end.program import OPENMETRICS, configured, ended, started, workspace

TOKEN = "planted-token-5f1e"
CLIENT_SECRET = "planted-client-secret-77aa"
PASSWORD = "planted pass@word/91c3"
PAGES = ("/", "/metrics", "/api/metrics", "/-/ready", "/-/healthy", "/nowhere")
SECRETS = (TOKEN, CLIENT_SECRET, PASSWORD, quote(PASSWORD, safe=""))


def found(*places: str | bytes) -> set[str]:
    """The planted secrets that stand anywhere in these texts."""
    texts = [place.encode() if isinstance(place, str) else place for place in places]
    return {secret for secret in SECRETS for text in texts if secret.encode() in text}


class Echo(BaseHTTPRequestHandler):
    """A careless workspace: its errors repeat what came in."""

    def do_GET(self) -> None:
        """Refuse, in words that quote the credentials."""
        given = self.headers.get("Authorization") or ""
        body = f'{{"error_code": "BAD_REQUEST", "message": "[/x] cannot use {given} as {given.split()[-1:]}"}}'.replace(
            "'", ""
        )
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def echo() -> Iterator[str]:
    """The address of a careless workspace."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_no_secret_is_in_logs_pages_or_store(form: str, tmp_path: Path) -> None:
    """A token, a client secret, and errors that repeat the token: none is in output, pages or the store's bytes."""
    options = Options(
        jobs=3,
        active_runs=0,
        history=timedelta(hours=1),
        history_runs=5,
        tokens=(TOKEN,),
        clients={"client": CLIENT_SECRET},
        token_lifetime=2,
    )
    secret = tmp_path / "secret"
    secret.write_text(CLIENT_SECRET, encoding="utf-8")
    with Simulator(options) as simulator, echo() as careless:
        config = configured(
            tmp_path,
            workspace(tmp_path, simulator.url, TOKEN) | {"warehouse_id": WAREHOUSE_ID},
            workspace(tmp_path, careless, TOKEN, name="careless") | {"warehouse_id": WAREHOUSE_ID},
            {
                "name": "principal",
                "host": simulator.url,
                "client_id": "client",
                "client_secret_file": str(secret),
            },
            log={"level": "debug", "format": form},
        )
        up = "databricks_exporter_collector_up"
        with started(tmp_path, "run", "--config", config) as program:
            program.wait_for(1, up, collector="live", workspace="production")
            program.wait_for(1, up, collector="billing", workspace="production")
            program.wait_for(0, up, collector="system_tables", workspace="careless")
            program.wait_for(1, up, collector="live", workspace="principal")
            program.wait_for_failure("unreadable", workspace="careless")
            simulator.control.credentials(clients={"client": "another"}, expire_issued=True)
            program.wait_for(0, up, collector="live", workspace="principal")
            pages = [program.get(path)[1] for path in PAGES]
            pages.append(program.get("/metrics", Accept=OPENMETRICS)[1])
            program.stop()
    kept = [file.read_bytes() for file in tmp_path.glob("store.db*")]

    assert "cannot use" in program.said
    assert "cannot use" in pages[0]
    assert len(kept) >= 1
    assert set() == found(program.said, program.printed, *pages, *kept)


def test_no_secret_is_in_what_once_prints(tmp_path: Path) -> None:
    """The reason of a failure stands in the table, without the token that the workspace repeats in it."""
    with echo() as careless:
        config = configured(tmp_path, workspace(tmp_path, careless, TOKEN), log={"level": "debug"})
        code, printed, said = ended(tmp_path, "once", "--config", config)

    assert 1 == code
    assert "cannot use" in printed
    assert set() == found(printed, said)


def test_the_password_of_the_store_is_in_no_message(tmp_path: Path) -> None:
    """A store that cannot be reached is named without the password."""
    url = f"postgresql+psycopg://exporter:{quote(PASSWORD, safe='')}@127.0.0.1:9/jobs"
    config = configured(
        tmp_path,
        workspace(tmp_path, "http://127.0.0.1:9", TOKEN),
        store={"url": url},
        log={"level": "debug"},
    )

    code, printed, said = ended(tmp_path, "once", "--config", config)

    assert 1 == code
    assert "127.0.0.1:9/jobs" in said
    assert set() == found(printed, said)


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    """Who writes a token into the configuration is told so, without the token."""
    given = {"name": "production", "host": "https://example.invalid", "token": TOKEN}

    code, printed, said = ended(tmp_path, "run", "--config", configured(tmp_path, given))

    assert 2 == code
    assert "token_env" in said
    assert set() == found(printed, said)
