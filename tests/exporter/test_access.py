"""Who is let in, with what, and how little one client can take, over real sockets."""

import asyncio
import logging
import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import bcrypt
import httpx
import pytest
from cryptography import x509
from starlette.types import Receive, Scope, Send

from exporter.access.admission import Followed
from exporter.access.connection import Bounds
from exporter.access.gate import DEFAULTS, LARGEST_HEAD
from exporter.access.rate import Bucket
from exporter.access.sign_in import MOST_WAITING, Users, Verdict
from exporter.server import serving
from tests.certificates import Authority, Pair
from tests.exporter.store import eventually

LARGE = os.urandom(1 << 20) * 32
"""More than the buffers of two sockets hold."""
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
TIMEOUT_S = 10


def hashed(password: str, cost: int = 4) -> str:
    """A hash as `htpasswd` prints it."""
    return "$2y" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()[3:]


async def application(scope: Scope, _: Receive, send: Send) -> None:
    """Answers a few bytes, or many below /large; /framed has a policy of its own."""
    headers = [(b"content-security-policy", b"frame-ancestors *")] if scope["path"] == "/framed" else []
    body = LARGE if scope["path"] == "/large" else b"hello"
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Site:
    """A server under a web config file that can be rewritten while it runs."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "web.yml"
        self.authority = Authority(folder)
        self.pair = self.authority.server()
        self.port = 0

    @property
    def tls(self) -> str:
        """The fields that switch TLS on."""
        return f"cert_file: {self.pair.cert.name}, key_file: {self.pair.key.name}"

    def write(self, text: str) -> None:
        """Replaces the web config file."""
        self.file.write_text(text, encoding="utf-8")

    @contextmanager
    def serving(self, text: str, bounds: Bounds | None = None) -> Iterator["Site"]:
        """Serves under this web config file while the block runs."""
        self.write(text)
        with serving(application, "127.0.0.1", 0, Followed(self.file).admission, bounds) as self.port:
            yield self

    def client(self, authority: Path | None = None, pair: Pair | None = None) -> ssl.SSLContext:
        """A client's context that trusts the authority, with a certificate of its own where there is one."""
        context = ssl.create_default_context(cafile=authority or self.authority.cert)
        if pair:
            context.load_cert_chain(*pair.both)
        return context

    def get(self, path: str = "/", pair: Pair | None = None, **headers: str) -> httpx.Response:
        """The answer over TLS."""
        with httpx.Client(verify=self.client(pair=pair), timeout=TIMEOUT_S) as client:
            return client.get(f"https://127.0.0.1:{self.port}{path}", headers=headers)

    def lets_in(self, pair: Pair | None) -> bool:
        """True when a client with this certificate gets an answer."""
        try:
            return self.get(pair=pair).status_code == 200
        except httpx.TransportError:
            return False

    def serial(self) -> int:
        """The serial number of the certificate that it shows."""
        with (
            socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S) as plain,
            self.client().wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
        assert shown
        return x509.load_der_x509_certificate(shown).serial_number


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server that is open to everybody."""
    with open_to_all() as port:
        yield port


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that alice and bøb may use."""
    site = Site(tmp_path_factory.mktemp("guarded"))
    users = f"basic_auth_users: {{alice: {hashed('sesame')}, bøb: {hashed('öffne:dich')}}}"
    with site.serving(users):
        yield f"http://127.0.0.1:{site.port}"


@contextmanager
def open_to_all(bounds: Bounds | None = None) -> Iterator[int]:
    """The port of a server without a web config file."""
    with serving(application, "127.0.0.1", 0, bounds=bounds) as port:
        yield port


def connected(port: int, said: bytes = b"") -> socket.socket:
    """A client that has said this and has read nothing."""
    client = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    client.sendall(said)
    return client


def answered(client: socket.socket) -> bool:
    """True when the next thing that comes is the whole small answer."""
    said = b""
    while not said.endswith(b"hello"):
        part = client.recv(1 << 16)
        if not part:
            return False
        said += part
    return said.startswith(b"HTTP/1.1 200 ")


def rest(client: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    parts = []
    with suppress(ConnectionResetError):
        while part := client.recv(1 << 20):
            parts.append(part)
    return b"".join(parts)


def status(port: int, request: bytes) -> int:
    """The status of the answer to these bytes."""
    with connected(port, request) as client:
        return int(client.recv(1 << 16).split(b" ")[1])


def basic(name: str, password: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


# TLS


def test_tls(site: Site) -> None:
    """With a certificate the answers come over TLS, and plain HTTP gets none."""
    with site.serving(f"tls_server_config: {{{site.tls}}}"):
        answer = site.get()
        with connected(site.port, GET) as plain:
            unanswered = rest(plain)

    assert (200, "hello") == (answer.status_code, answer.text)
    assert b"HTTP" not in unanswered


def test_large_answers_come_whole_over_tls(site: Site) -> None:
    """An answer in many pieces is what the application gave."""
    with site.serving(f"tls_server_config: {{{site.tls}}}"):
        answer = site.get("/large")

    assert LARGE == answer.content
    assert str(len(LARGE)) == answer.headers["content-length"]


@pytest.mark.parametrize(
    ("field", "version"),
    [("max_version: TLS12", "TLSv1.2"), ("min_version: TLS13", "TLSv1.3")],
)
def test_tls_versions(site: Site, field: str, version: str) -> None:
    """The version is within what is allowed."""
    with (
        site.serving(f"tls_server_config: {{{site.tls}, {field}}}"),
        connected(site.port) as plain,
        site.client().wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        found = secured.version()

    assert version == found


def test_new_certificate_needs_no_restart(site: Site) -> None:
    """A renewed certificate is shown to the next connection."""
    with site.serving(f"tls_server_config: {{{site.tls}}}"):
        before = site.serial()
        site.authority.server()
        after = site.serial()

    assert before != after


def test_broken_certificate_leaves_the_old_one(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A certificate without its key yet changes nothing and is logged once; with its key it is taken."""
    caplog.set_level(logging.INFO)
    with site.serving(f"tls_server_config: {{{site.tls}}}"):
        before = site.serial()
        key = site.pair.key.read_bytes()
        site.authority.server()
        new = site.pair.key.read_bytes()
        site.pair.key.write_bytes(key)
        meanwhile = {site.serial() for _ in range(3)}
        said = [record.message for record in caplog.records if record.levelno == logging.ERROR]
        site.pair.key.write_bytes(new)
        after = site.serial()

    assert {before} == meanwhile
    assert ["the web config file is wrong, what it said before still holds"] == said
    assert before != after
    assert "the web config file is read again" in caplog.text


@pytest.mark.parametrize(
    ("policy", "without", "stranger"),
    [("VerifyClientCertIfGiven", True, False), ("RequireAndVerifyClientCert", False, False)],
)
def test_client_certificates(site: Site, tmp_path: Path, policy: str, without: bool, stranger: bool) -> None:
    """A certificate of the authority lets in; one of another never does; none does where none is required."""
    ours = site.authority.client("ours")
    theirs = Authority(tmp_path, "another").client("theirs")

    with site.serving(
        f"tls_server_config: {{{site.tls}, client_ca_file: authority.pem, client_auth_type: {policy}}}"
    ):
        found = [site.lets_in(pair) for pair in (ours, None, theirs)]

    assert [True, without, stranger] == found


def test_names_in_client_certificates(site: Site) -> None:
    """A client whose certificate has none of the allowed names gets no answer."""
    names: dict[str, x509.GeneralName] = {
        "dns": x509.DNSName("prometheus.example.com"),
        "ip": x509.IPAddress(ip_address("fd00::1")),
        "mail": x509.RFC822Name("scraper@example.com"),
        "uri": x509.UniformResourceIdentifier("spiffe://example.com/prometheus"),
        "other": x509.DNSName("other.example.com"),
    }
    pairs = {name: site.authority.client(name, san) for name, san in names.items()}
    pairs["none"] = site.authority.client("none")
    allowed = "[prometheus.example.com, 'fd00::1', scraper@example.com, 'spiffe://example.com/prometheus']"

    with site.serving(
        f"tls_server_config: {{{site.tls}, client_ca_file: authority.pem, "
        f"client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: {allowed}}}"
    ):
        found = {name for name, pair in pairs.items() if site.lets_in(pair)}

    assert {"dns", "ip", "mail", "uri"} == found


# Sign-in


@pytest.mark.parametrize("path", ["/", "/-/healthy", "/-/ready", "/metrics", "/nothing"])
def test_everything_needs_a_sign_in(guarded: str, path: str) -> None:
    """Without credentials every path answers 401 and asks for them."""
    answer = httpx.get(f"{guarded}{path}")

    assert (401, "unauthorized\n") == (answer.status_code, answer.text)
    assert 'Basic realm="databricks-jobs-exporter", charset="UTF-8"' == answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (basic("alice", "sesame"), 200),
        (basic("alice", "sesame").replace("Basic", "bAsIc"), 200),
        (basic("bøb", "öffne:dich"), 200),
        (basic("alice", "öffne:dich"), 401),
        (basic("alice", ""), 401),
        (basic("alice", "sesame\0"), 401),
        (basic("alice", "x" * 100), 401),
        (basic("mallory", "sesame"), 401),
        ("Basic", 401),
        ("Basic !!!", 401),
        ("Basic " + b64encode(b"alice").decode(), 401),
        ("Bearer sesame", 401),
        ("", 401),
    ],
)
def test_sign_in(guarded: str, authorization: str, expected: int) -> None:
    """The right password of the right user lets in, twice; nothing else does."""
    with httpx.Client(base_url=guarded, headers={"Authorization": authorization}) as client:
        found = [client.get("/").status_code for _ in range(2)]

    assert [expected, expected] == found


def test_two_credentials_are_none(guarded: str) -> None:
    """A request that carries two of them is not let in by either."""
    twice = [("Authorization", basic("alice", "sesame")), ("Authorization", basic("alice", "x"))]

    assert 401 == httpx.get(guarded, headers=twice).status_code


def test_users_change_without_restart(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A changed password holds at once, also for who was let in before; the last user cannot be removed."""

    def found(password: str) -> int:
        authorization = {"Authorization": basic("alice", password)}
        return httpx.get(f"http://127.0.0.1:{site.port}/", headers=authorization).status_code

    with site.serving(f"basic_auth_users: {{alice: {hashed('old')}}}"):
        before = found("old"), found("new")
        site.write(f"basic_auth_users: {{alice: {hashed('new')}}}")
        after = found("old"), found("new")
        site.write("")
        emptied = found("old"), found("new")
        site.file.unlink()
        gone = found("old"), found("new")

    assert (200, 401) == before
    assert (401, 200) == after == emptied == gone
    assert 2 == len([record for record in caplog.records if record.levelno == logging.ERROR])


def test_other_protection_is_kept_too(site: Site) -> None:
    """TLS, the demand for a client's certificate and the names in it stay although the file says otherwise."""
    pair = site.authority.client("client", x509.DNSName("a"))
    full = f"{site.tls}, client_ca_file: authority.pem, client_auth_type: RequireAndVerifyClientCert"
    with site.serving(f"tls_server_config: {{{full}, client_allowed_sans: [b]}}"):
        for laxer in (f"{{{full}}}", f"{{{site.tls}}}", "{}"):
            site.write(f"tls_server_config: {laxer}")
            with pytest.raises(httpx.TransportError):
                site.get(pair=pair)
            with connected(site.port, GET) as plain:
                assert b"HTTP" not in rest(plain)


def test_fitting_password_is_compared_once() -> None:
    """A hundred sign-ins cost one comparison, which takes 0.2 s at this cost."""
    users = Users({"alice": hashed("sesame", 12)})

    async def sign_ins() -> set[Verdict]:
        return {await users.verdict(basic("alice", "sesame")) for _ in range(100)}

    before = time.process_time()
    found = asyncio.run(sign_ins())

    assert {Verdict.WELCOME} == found
    assert (
        time.process_time() - before < 5
    )  # work, whatever else the machine does; a hundred are twenty seconds of it


def test_time_does_not_tell_which_names_exist() -> None:
    """An unknown name takes a comparison of as much work as a known one does."""
    users = Users({"alice": hashed("sesame", 10)})

    async def took(name: str) -> float:
        before = time.process_time()
        assert Verdict.WRONG is await users.verdict(basic(name, "wrong"))
        return time.process_time() - before

    async def both() -> tuple[float, float]:
        return min([await took("alice") for _ in range(3)]), min([await took("mallory") for _ in range(3)])

    known, unknown = asyncio.run(both())

    assert 0.3 < unknown / known < 3


def test_tried_passwords_do_not_pile_up() -> None:
    """Comparisons wait in a short queue, and who has signed in before does not wait at all."""
    users = Users({"alice": hashed("sesame", 4)})

    async def verdicts() -> tuple[list[Verdict], Verdict]:
        await users.verdict(basic("alice", "sesame"))
        guesses = [asyncio.create_task(users.verdict(basic("alice", f"{n}"))) for n in range(50)]
        await asyncio.sleep(0)
        known = await users.verdict(basic("alice", "sesame"))
        return await asyncio.gather(*guesses), known

    guessed, known = asyncio.run(verdicts())

    assert Verdict.WELCOME is known
    assert 1 + MOST_WAITING == guessed.count(Verdict.WRONG)
    assert 50 == guessed.count(Verdict.WRONG) + guessed.count(Verdict.BUSY)


# Headers, methods and sizes


def test_every_answer_is_locked_down(port: int) -> None:
    """Answers carry the headers that keep browsers from guessing, framing and loading, unless they set their own."""
    plain, own = (httpx.get(f"http://127.0.0.1:{port}{path}").headers for path in ("/", "/framed"))

    assert {name.decode(): value.decode() for name, value in DEFAULTS}.items() <= dict(plain).items()
    assert "frame-ancestors *" == own["content-security-policy"]
    assert "DENY" == own["x-frame-options"]
    assert "server" not in plain


def test_configured_headers_win(site: Site) -> None:
    """Headers of the web config file replace the exporter's, on refusals too, and an empty one changes nothing."""
    text = """\
http_server_config:
  headers:
    X-Frame-Options: sameorigin
    Content-Security-Policy: default-src 'self'
    X-Content-Type-Options: ""
    Strict-Transport-Security: max-age=60
"""
    with site.serving(text):
        url = f"http://127.0.0.1:{site.port}/framed"
        for answer in (httpx.get(url), httpx.post(url)):
            assert ["sameorigin"] == answer.headers.get_list("x-frame-options")
            assert ["default-src 'self'"] == answer.headers.get_list("content-security-policy")
            assert ["nosniff"] == answer.headers.get_list("x-content-type-options")
            assert "max-age=60" == answer.headers["strict-transport-security"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_nothing_writes(port: int, method: str) -> None:
    """Every method but GET and HEAD is refused, and the connection closed, for a body may follow."""
    with connected(port, f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as client:
        answer = rest(client)

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"allow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 413),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        (b"GET /" + b"x" * LARGEST_HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET /?" + b"x" * LARGEST_HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * LARGEST_HEAD + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: x\r\n" * LARGEST_HEAD, 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\r\n\r\n", 400),
    ],
)
def test_requests_are_small(
    port: int, request_: bytes, expected: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Bodies and large heads are refused, what is no HTTP too, and clients cannot fill the log with it."""
    found = status(port, request_)

    # a head that arrives in parts is refused before its end
    assert found in ({431, 400} if expected == 431 else {expected})
    assert [] == caplog.records


def test_upgrades_are_ignored_in_silence(port: int, caplog: pytest.LogCaptureFixture) -> None:
    """Who asks for a web socket gets the page, and no line in the log."""
    found = status(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")

    assert 200 == found
    assert [] == caplog.records


def test_rate_limit(site: Site) -> None:
    """Requests beyond the burst get 429 and when to come again, on every path."""
    with site.serving("rate_limit: {interval: 1h, burst: 2}"):
        answers = [httpx.get(f"http://127.0.0.1:{site.port}{path}") for path in ("/", "/x", "/-/healthy")]

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert 3590 < int(answers[2].headers["retry-after"]) <= 3600


def test_bucket_fills_with_time() -> None:
    """A token comes back in each interval, never more than the burst."""
    bucket = Bucket(timedelta(seconds=2), 2, 100)

    assert [0, 0, 2] == [bucket.take(100) for _ in range(3)]
    assert 1 == bucket.take(101)
    assert 0 == bucket.take(102)
    assert [0, 0, 2] == [bucket.take(1000) for _ in range(3)]


# Slow clients


def closed_after(client: socket.socket, act: Callable[[], object] = lambda: None) -> float:
    """How many seconds later the server closes the connection, while the client goes on with what it does."""
    began = time.monotonic()
    client.settimeout(0.05)
    while time.monotonic() - began < TIMEOUT_S:
        try:
            act()
            if not client.recv(1 << 16):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


def test_slow_loris() -> None:
    """Requests that grow by a byte at a time are cut off in time, and others are answered meanwhile."""
    said = (b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n")
    with open_to_all(Bounds(asking_s=0.5)) as port, ExitStack() as stack:
        silent, *slow = [stack.enter_context(connected(port, each)) for each in said]
        meanwhile = status(port, GET)
        took = closed_after(slow[1], lambda: [each.send(b"x") for each in slow])
        also = closed_after(slow[0]), closed_after(silent)

    assert 200 == meanwhile
    assert 0.3 < took < 3
    assert max(also) < 1


def test_slow_second_request() -> None:
    """A connection that was answered gets no more time for its next request than for its first."""
    with open_to_all(Bounds(asking_s=0.5)) as port, connected(port, GET) as slow:
        assert answered(slow)
        slow.send(b"G")
        took = closed_after(slow, lambda: slow.send(b"E"))

    assert took < 3


def test_slow_handshake(site: Site) -> None:
    """Who begins TLS and says nothing more is cut off in time, and others are answered meanwhile."""
    with site.serving(f"tls_server_config: {{{site.tls}}}", Bounds(asking_s=1)), connected(site.port) as slow:
        meanwhile = site.get().status_code
        took = closed_after(slow)

    assert 200 == meanwhile
    assert took < 5


def test_resting_connection_is_kept_and_then_closed() -> None:
    """A connection serves several requests, and is closed when none comes."""
    with open_to_all(Bounds(resting_s=1, asking_s=0.5)) as port, connected(port) as client:
        for _ in range(3):
            client.sendall(GET)
            assert answered(client)
        took = closed_after(client)

    assert 0.7 < took < 4


def test_client_that_never_reads(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Clients that take no answer, with TLS or without, hold up nobody, and are cut off in silence."""
    slow = GET.replace(b"/ ", b"/large ")
    bounds = Bounds(answer_s=1)
    with ExitStack() as stack:
        port = stack.enter_context(open_to_all(bounds))
        stack.enter_context(site.serving(f"tls_server_config: {{{site.tls}}}", bounds))
        plain = [stack.enter_context(connected(port, slow)) for _ in range(20)]
        secured = []
        for _ in range(20):
            client = stack.enter_context(connected(site.port))
            secured.append(site.client().wrap_socket(client, server_hostname="127.0.0.1"))
            stack.enter_context(secured[-1]).sendall(slow)
        began = time.monotonic()
        meanwhile = status(port, GET), site.get().status_code
        took = time.monotonic() - began
        time.sleep(
            max(0.0, began + 1.3 - time.monotonic())
        )  # their time is over; a look at it would take more
        taken = len(rest(plain[0]))
        with suppress(ssl.SSLError):
            taken = max(taken, len(rest(secured[0])))

    assert (200, 200) == meanwhile
    assert took < 0.9
    assert taken < len(LARGE)
    assert [] == caplog.records


def test_full_house_has_room_for_who_asks() -> None:
    """With every place taken by silent clients a request is answered, and the longest silent one goes."""
    with open_to_all(Bounds(connections=5)) as port, ExitStack() as stack:
        silent = [stack.enter_context(connected(port, b"G")) for _ in range(5)]
        assert eventually(lambda: status(port, GET) == 200)
        first = rest(silent[0])
        silent[-1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            silent[-1].recv(1)

    assert b"" == first


def test_full_house_of_clients_that_never_read() -> None:
    """With every place taken by clients that do not take their answers a request is answered."""
    with open_to_all(Bounds(connections=5)) as port, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(connected(port, GET.replace(b"/ ", b"/large ")))
        found = [status(port, GET) for _ in range(3)]

    assert [200, 200, 200] == found


def test_flood_of_connections_is_bounded(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A hundred connections that begin TLS leave the bound's number open, and a client is served."""
    with (
        site.serving(f"tls_server_config: {{{site.tls}}}", Bounds(connections=20)),
        ExitStack() as stack,
    ):
        flood = [stack.enter_context(connected(site.port)) for _ in range(100)]
        found = site.get().status_code
        for client in flood:
            client.setblocking(False)
        still_open = 0
        for client in flood:
            try:
                client.recv(1)
            except BlockingIOError:
                still_open += 1
            except ConnectionResetError:
                continue

    assert 200 == found
    assert still_open <= 20
    assert [] == caplog.records


def test_stops_in_time_among_slow_clients() -> None:
    """Clients that are silent or in the middle of a request do not keep the server from ending."""
    with ExitStack() as stack:
        with open_to_all() as port:
            for said in (b"", b"G", GET) * 5:
                stack.enter_context(connected(port, said))
            assert 200 == status(port, GET)
            began = time.monotonic()
        took = time.monotonic() - began

    assert took < 3
