"""The web config file: what it asks for, and every mistake that it may have."""

import re
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from collector.config import ConfigError
from collector.config.settings import settings_of
from exporter import web_config
from exporter.access.admission import Followed
from exporter.access.ciphers import CIPHERS, CURVES
from exporter.web_config import HEADERS, INLINE, HttpSettings, RateSettings, TlsSettings, WebConfig, parsed
from tests.certificates import Authority, key_pem, new_key

HASH = "$2y$04$h1Dr3Bwr1a0JFPuJs3nXz.b3a7MFOiCgF3yD1GqTcfVZWkBUyUxBO"
DOCUMENT = Path(__file__).parents[2] / "docs" / "web-config.md"
TLS = "tls_server_config:\n  cert_file: s.crt\n  key_file: s.key\n"


def read(text: str) -> WebConfig:
    """What a right text asks for."""
    mistakes: list[str] = []
    config = parsed(text, Path("/etc/web.yml"), mistakes)
    assert [] == mistakes
    return config


def mistakes_in(text: str) -> list[str]:
    """What is wrong with a text, without the name of its file."""
    mistakes: list[str] = []
    parsed(text, Path("web.yml"), mistakes)
    assert all(mistake.startswith("web.yml: ") for mistake in mistakes)
    return [mistake.removeprefix("web.yml: ") for mistake in mistakes]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "tls_server_config:\nbasic_auth_users: {}\nrate_limit:\n", "---\n{}\n"]
)
def test_empty_file_asks_for_nothing(text: str) -> None:
    """Without fields everybody is served over plain HTTP."""
    assert WebConfig() == read(text)


def test_every_field_is_read() -> None:
    """A file with all that is honoured gives all of it, with files beside the web config file."""
    config = read(f"""\
tls_server_config:
  cert_file: tls/s.crt
  key_file: /run/s.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example.com, 10.0.0.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519]
http_server_config:
  http2: false
  headers:
    X-Frame-Options: sameorigin
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  alice: {HASH}
  "1": {HASH}
rate_limit:
  interval: 100ms
  burst: 20
""")

    assert (
        TlsSettings(
            cert_file=Path("/etc/tls/s.crt"),
            key_file=Path("/run/s.key"),
            client_auth_type="RequireAndVerifyClientCert",
            client_ca_file=Path("/etc/ca.pem"),
            client_allowed_sans=("prometheus.example.com", "10.0.0.1"),
            cipher_suites=("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
            prefer_server_cipher_suites=False,
            curve_preferences=("X25519",),
        )
        == config.tls
    )
    assert {
        "X-Frame-Options": "sameorigin",
        "Strict-Transport-Security": "max-age=31536000",
    } == config.headers
    assert {"alice": HASH, "1": HASH} == config.users
    assert RateSettings(interval=timedelta(milliseconds=100), burst=20) == config.rate


def test_hashes_are_not_shown() -> None:
    """Whoever prints the configuration shows no hash."""
    assert HASH not in repr(read(f"basic_auth_users: {{alice: {HASH}}}"))


@pytest.mark.parametrize("interval", ["0", "0s"])
def test_no_interval_is_no_limit(interval: str) -> None:
    """An interval of 0 switches the limit off."""
    assert read(f"rate_limit: {{interval: {interval}}}").rate is None


MISTAKES = {
    "- a\n": "is no table; write one NAME: VALUE on each line below it",
    "a: [\n": "line 2, column 1: is not YAML; indent with spaces, and quote texts with special characters",
    "a: *hunter2\n": "line 1, column 4: is not YAML; indent with spaces, and quote texts with special characters",
    "a: 2024-99-99\n": "somewhere: is not YAML; quote texts with special characters",
    "a: \x00\n": "somewhere: is not YAML; quote texts with special characters",
    "rate_limit:\n  interval: 0\n  interval: 1s\n": "line 3, column 3: the key stands there a second time; keep one",
    "basic_auth_user: {}": "basic_auth_user: unknown field; did you mean basic_auth_users?",
    "xyzzy: 1": "xyzzy: unknown field; the fields are tls_server_config, http_server_config, basic_auth_users, "
    "rate_limit",
    "http_server_config: true": "http_server_config is no table; write one NAME: VALUE on each line below it",
    f"{TLS}  cert_fil: x": "tls_server_config cert_fil: unknown field; did you mean cert_file?",
    f"{TLS}  key: abc": "tls_server_config key: PEM text does not stand here itself; "
    "write it to a file and name that in key_file",
    f"{TLS}  min_version: TLS10": 'tls_server_config min_version: "TLS10" is no longer secure; '
    "write one of TLS12, TLS13",
    f"{TLS}  min_version: 1.2": "tls_server_config min_version: 1.2 is not text; put it in quotes",
    f"{TLS}  min_version: TLS13\n  max_version: TLS12": "tls_server_config min_version: TLS13 is above max_version "
    "TLS12; exchange them",
    f"{TLS}  client_auth_type: RequireAnyClientCert": 'tls_server_config client_auth_type: "RequireAnyClientCert" '
    "believes any certificate; write one of NoClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
    f"{TLS}  client_auth_type: VerifyClientCertIfGiven": "tls_server_config client_auth_type: "
    "VerifyClientCertIfGiven needs authorities to verify against; name their file in client_ca_file",
    f"{TLS}  client_ca_file: ca.pem": "tls_server_config client_ca_file: is not used without a client_auth_type; "
    "write client_auth_type: RequireAndVerifyClientCert",
    f"{TLS}  client_allowed_sans: [a]": "tls_server_config client_allowed_sans: is sure only with "
    "client_auth_type: RequireAndVerifyClientCert; write that",
    f"{TLS}  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]": "tls_server_config cipher_suites: "
    '"TLS_RSA_WITH_RC4_128_SHA" is not a cipher suite that is offered; '
    "did you mean TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA?",
    f"{TLS}  cipher_suites: [TLS_AES_128_GCM_SHA256]": "tls_server_config cipher_suites: none of them is of TLS 1.2; "
    "add one that is, or write min_version: TLS13",
    f"{TLS}  cipher_suites: x": 'tls_server_config cipher_suites: "x" is not a list of texts; '
    'write it like ["one", "two"]',
    f"{TLS}  curve_preferences: [P256]": 'tls_server_config curve_preferences: "P256" is not known; '
    "did you mean CurveP256?",
    f"{TLS}  curve_preferences: [X25519, CurveP256]": "tls_server_config curve_preferences: 2 curves cannot be put in "
    "order; keep one, or remove the field for OpenSSL's own order",
    f"{TLS}  prefer_server_cipher_suites: 1": "tls_server_config prefer_server_cipher_suites: 1 is neither true nor "
    "false; write true or false without quotes",
    "tls_server_config: {cert_file: s.crt}": "tls_server_config key_file: is missing; name the file, "
    "or remove tls_server_config for plain HTTP",
    "http_server_config: {http2: maybe}": 'http_server_config http2: "maybe" is neither true nor false; '
    "write true or false without quotes",
    "http_server_config: {headers: {x-frame-options: deny}}": "http_server_config headers x-frame-options: "
    "unknown field; did you mean X-Frame-Options?",
    "http_server_config: {headers: {X-Frame-Options: maybe}}": "http_server_config headers X-Frame-Options: "
    '"maybe" is not a value of X-Frame-Options; write one of deny, sameorigin',
    'http_server_config: {headers: {X-XSS-Protection: "0\\r\\nSet-Cookie: a=b"}}': "http_server_config headers "
    "X-XSS-Protection: has characters that no header can carry; write it in ASCII on one line",
    "basic_auth_users: [alice]": "basic_auth_users is no table; write one NAME: VALUE on each line below it",
    "basic_auth_users: {alice: hunter2}": "basic_auth_users alice: is not a bcrypt hash; "
    "make one with `htpasswd -nBC 10 NAME` and write what follows the colon",
    "basic_auth_users: {alice: }": "basic_auth_users alice: is not a bcrypt hash; "
    "make one with `htpasswd -nBC 10 NAME` and write what follows the colon",
    "tls_server_config: {cert_file: , key_file: k}": "tls_server_config cert_file: null is not text; put it in quotes",
    f"basic_auth_users: {{alice: {HASH[:-1]}}}": "basic_auth_users alice: is not a bcrypt hash; "
    "make one with `htpasswd -nBC 10 NAME` and write what follows the colon",
    f"basic_auth_users: {{alice: {HASH.replace('$04$', '$19$')}}}": "basic_auth_users alice: has a cost of 19; "
    "hash the password with one from 4 to 18, such as 10",
    f'basic_auth_users: {{"a:b": {HASH}}}': "basic_auth_users a:b: has a colon, which ends the name at a sign-in; "
    "choose a name without",
    f"basic_auth_users: {{yes: {HASH}}}": "basic_auth_users True: is a name that YAML takes for something else; "
    "put it in quotes",
    "rate_limit: {interval: 1 parsec, burst: 1}": 'rate_limit interval: "1 parsec" is not a duration; '
    'write a number with a unit, such as "5s", "10m" or "1h"',
    "rate_limit: {burst: 5}": "rate_limit interval: is missing; write one such as 100ms, or remove rate_limit",
    "rate_limit: {interval: 1s}": "rate_limit burst: is missing; write how many requests may come at once, such as 20",
    "rate_limit: {interval: 1s, burst: 0}": "rate_limit burst: 0 is too small; write at least 1",
}


@pytest.mark.parametrize(("text", "mistake"), MISTAKES.items())
def test_each_mistake_says_what_to_change(text: str, mistake: str) -> None:
    """One bad file per mistake, one message per file."""
    assert [mistake] == mistakes_in(text)


def test_all_mistakes_are_listed_at_once() -> None:
    """Mistakes in every part of the file come together, and none quotes what may be a password."""
    found = mistakes_in("""\
tls_server_config: {cert_file: 5, client_auth: x}
http_server_config: {http3: true, headers: {Server: x}}
basic_auth_users: {alice: hunter2, bob: [hunter2]}
rate_limit: {interval: -1s, burst: hunter}
unknown: 1
""")

    assert 9 == len(found)
    assert not any("hunter2" in mistake for mistake in found)


def fault(file: Path) -> list[str]:
    """What is wrong with a file and those that it names, without its folder."""
    with pytest.raises(ConfigError) as caught:
        Followed(file)
    return [mistake.replace(f"{file.parent}/", "") for mistake in caught.value.mistakes]


def test_files_that_do_not_fit_are_mistakes(tmp_path: Path) -> None:
    """Missing files, another one's key, a passphrase and text that is none of it are told before anything starts."""
    authority = Authority(tmp_path)
    authority.server("s"), authority.server("other")
    (tmp_path / "locked.key").write_bytes(key_pem(new_key(), "passphrase"))
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    file = tmp_path / "web.yml"

    def fault_of(cert: str, key: str, ca: str = "authority.pem") -> list[str]:
        file.write_text(
            f"tls_server_config: {{cert_file: {cert}, key_file: {key}, "
            f"client_ca_file: {ca}, client_auth_type: VerifyClientCertIfGiven}}",
            encoding="utf-8",
        )
        return fault(file)

    start = "web.yml: tls_server_config "
    assert [
        f"{start}cert_file: gone cannot be read (No such file or directory); name a file that can",
        f"{start}client_ca_file: none cannot be read (No such file or directory); name a file that can",
    ] == fault_of("gone", "s.key", "none")
    assert [f"{start}key_file: other.key is not the key of s.crt; name the one that is"] == fault_of(
        "s.crt", "other.key"
    )
    assert [f"{start}key_file: locked.key has a passphrase; write the key without one"] == fault_of(
        "s.crt", "locked.key"
    )
    assert [
        f"{start}cert_file: text and s.key are not a certificate and its key in PEM; write them in PEM",
        f"{start}client_ca_file: text holds no certificate in PEM; name a file that does",
    ] == fault_of("text", "s.key", "text")


def test_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    """A missing web config file, and one that is not text, say so."""
    file = tmp_path / "web.yml"

    missing = fault(file)
    file.write_bytes(b"\xff\xfe")

    assert ["web.yml: cannot be read (No such file or directory); make it readable"] == missing
    assert ["web.yml: is not text in UTF-8; save it as UTF-8"] == fault(file)


@pytest.mark.parametrize(("name", "ours"), CIPHERS.items())
def test_cipher_suites_are_those_of_openssl(name: str, ours: str, tmp_path: Path) -> None:
    """Each name of the format switches on the suite that is meant, and no other one of TLS 1.2."""
    pair = Authority(tmp_path).server()
    file = tmp_path / "web.yml"
    file.write_text(
        f"tls_server_config: {{cert_file: {pair.cert}, key_file: {pair.key}, cipher_suites: [{name}]}}",
        encoding="utf-8",
    )

    context = Followed(file).admission().context

    assert context
    found = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]
    assert [ours] == found


@pytest.mark.parametrize("name", CURVES)
def test_curves_can_be_chosen(name: str, tmp_path: Path) -> None:
    """Each curve of the format is known to OpenSSL."""
    pair = Authority(tmp_path).server()
    file = tmp_path / "web.yml"
    file.write_text(
        f"tls_server_config: {{cert_file: {pair.cert}, key_file: {pair.key}, curve_preferences: [{name}]}}",
        encoding="utf-8",
    )

    context = Followed(file).admission().context

    assert context
    assert ssl.TLSVersion.TLSv1_2 == context.minimum_version


def test_document_names_every_field() -> None:
    """The document's tables have each field that is honoured, and no other except those it calls not honoured."""
    named = set(re.findall(r"^\| `([\w.-]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    sections = {
        web_config.TLS: [*dict(settings_of(TlsSettings)), *INLINE],
        web_config.HTTP: [*dict(settings_of(HttpSettings)), *(f"headers.{name}" for name in HEADERS)],
        web_config.USERS: [""],
        web_config.RATE: [*dict(settings_of(RateSettings))],
    }

    assert {f"{section}.{name}".rstrip(".") for section, names in sections.items() for name in names} == named
