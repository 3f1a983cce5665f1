"""The web config file, in the format that Prometheus exporters share: who may connect, how, and what answers carry.

Knows what may be written there and what contradicts itself, not whether the files that it names fit together. The
format is that of prometheus/exporter-toolkit; `docs/web-config.md` says what is honoured and what is not.
"""
# ruff: noqa: RUF009 – `setting` makes dataclass fields, which are there to be made in the class

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from collector.config import values
from collector.config.settings import setting, settings_of
from collector.config.values import Mistake, suggestion
from exporter.access import fields
from exporter.access.ciphers import ALWAYS_ON
from exporter.access.document import document

T = TypeVar("T")

VERSIONS = ("TLS12", "TLS13")
OLD_VERSIONS = dict.fromkeys(("TLS10", "TLS11"), "is no longer secure")
NO_CERTIFICATE, IF_GIVEN, REQUIRED = "NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"
POLICIES = (NO_CERTIFICATE, IF_GIVEN, REQUIRED)
"""What is asked of clients, the laxest first."""
UNVERIFIED = dict.fromkeys(
    ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert"), "believes any certificate"
)
INLINE = {"cert": "cert_file", "key": "key_file", "client_ca": "client_ca_file"}
"""Fields of the format that hold the PEM text itself, and those to use instead."""
HEADERS: Mapping[str, Callable[[object], str]] = {
    name: fields.header(name, offered)
    for name, offered in {
        "Content-Security-Policy": (),
        "X-Frame-Options": ("deny", "sameorigin"),
        "X-Content-Type-Options": ("nosniff",),
        "X-XSS-Protection": (),
        "Strict-Transport-Security": (),
    }.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """TLS, which is on when the table has anything in it. Files are relative to the web config file."""

    cert_file: Path | None = setting(
        values.file, "The server's certificate in PEM, followed by those up to its authority.", default=""
    )
    key_file: Path | None = setting(values.file, "Its private key in PEM, without a passphrase.", default="")
    client_auth_type: str = setting(
        fields.one_of(POLICIES, UNVERIFIED), "What clients have to show.", default=NO_CERTIFICATE
    )
    client_ca_file: Path | None = setting(
        values.file, "The authorities in PEM that clients' certificates come from.", default=""
    )
    client_allowed_sans: tuple[str, ...] = setting(
        values.texts,
        "Subject alternative names (DNS, IP, e-mail, URI) of which a client's certificate needs one.",
        default=[],
    )
    min_version: str = setting(
        fields.one_of(VERSIONS, OLD_VERSIONS), "Lowest version of TLS.", default="TLS12"
    )
    max_version: str = setting(
        fields.one_of(VERSIONS, OLD_VERSIONS), "Highest version of TLS.", default="TLS13"
    )
    cipher_suites: tuple[str, ...] = setting(
        fields.cipher_suites, "Cipher suites of TLS 1.2; those of TLS 1.3 are always on.", default=[]
    )
    prefer_server_cipher_suites: bool = setting(
        values.boolean, "The order of the server counts, not that of the client.", default=True
    )
    curve_preferences: tuple[str, ...] = setting(
        fields.curves, "The one curve that keys are exchanged on; empty: OpenSSL's choice.", default=[]
    )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are named."""
        return tuple(file for file in (self.cert_file, self.key_file, self.client_ca_file) if file)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What is spoken and what answers carry."""

    http2: bool = setting(
        values.boolean, "Accepted, without effect: HTTP/1.1 is spoken in any case.", default=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSettings:
    """A bucket of tokens that all requests take from, those of probes too."""

    interval: timedelta = setting(fields.interval, "Time in which one more request may come.", default="0s")
    burst: int = setting(values.whole_number(at_least=1), "Requests that may come at once.", default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """What a web config file asks for; by default plain HTTP for everybody."""

    tls: TlsSettings | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Bcrypt hashes by user name."""
    rate: RateSettings | None = None


TLS, HTTP, USERS, RATE = "tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"
SECTIONS = (TLS, HTTP, USERS, RATE)


def parsed(text: str, file: Path, mistakes: list[str]) -> WebConfig:
    """What the text asks for. What is wrong with it is added to the mistakes, and stays at its default."""
    try:
        whole = _table(document(text), f"{file}:", mistakes)
    except Mistake as mistake:
        mistakes.append(f"{file}: {mistake}")
        return WebConfig()
    given = dict(_fields(whole, dict.fromkeys(SECTIONS, lambda section: section), f"{file}:", mistakes))
    places = {name: f"{file}: {name}" for name in SECTIONS}
    tls, http, users, rate = (_table(given.get(name), places[name], mistakes) for name in SECTIONS)
    headers = _table(http.pop("headers", None), f"{places[HTTP]} headers", mistakes)
    _record(HttpSettings, http, places[HTTP], mistakes)
    return WebConfig(
        tls=_tls(tls, places[TLS], file.parent, mistakes) if tls else None,
        headers=dict(_fields(headers, HEADERS, f"{places[HTTP]} headers", mistakes)),
        users=dict(_users(users, places[USERS], mistakes)),
        rate=_rate(rate, places[RATE], mistakes) if rate else None,
    )


def _table(given: object, place: str, mistakes: list[str]) -> dict[str, object]:
    """The fields of a table; none where nothing is written."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        mistakes.append(f"{place} is no table; write one NAME: VALUE on each line below it")
        return {}
    mistakes += (
        f"{place} {name}: is a name that YAML takes for something else; put it in quotes"
        for name in given
        if not isinstance(name, str)
    )
    return {name: value for name, value in given.items() if isinstance(name, str)}


def _fields(
    table: Mapping[str, object],
    known: Mapping[str, Callable[[object], object]],
    place: str,
    mistakes: list[str],
) -> Iterator[tuple[str, Any]]:
    """Names and values of the fields that are right."""
    for name, value in table.items():
        try:
            yield name, known.get(name, _unknown(name, known))(value)
        except Mistake as mistake:
            mistakes.append(f"{place} {name}: {mistake}")


def _unknown(name: str, known: Iterable[str]) -> Callable[[object], NoReturn]:
    """What becomes of a value whose field is not one that we know."""
    hint = suggestion(name, known, otherwise=f"the fields are {', '.join(known)}")
    what = f"unknown field; {hint}"
    if name in INLINE:
        what = f"PEM text does not stand here itself; write it to a file and name that in {INLINE[name]}"

    def parse(_: object) -> NoReturn:
        raise Mistake(what)

    return parse


def _record(kind: type[T], table: Mapping[str, object], place: str, mistakes: list[str]) -> T:
    """The table as a record of this kind."""
    known = {name: declared.parse for name, declared in settings_of(kind)}
    return kind(**dict(_fields(table, known, place, mistakes)))


def _tls(table: Mapping[str, object], place: str, folder: Path, mistakes: list[str]) -> TlsSettings:
    """The table with its files where they are; contradictions are looked for when each field is right by itself."""
    before = len(mistakes)
    tls = _record(TlsSettings, table, place, mistakes)
    if len(mistakes) == before:
        mistakes += (f"{place} {mistake}" for mistake in _contradictions(tls))
    files = {name: folder / file for name in INLINE.values() if (file := getattr(tls, name))}
    return replace(tls, **files)


def _contradictions(tls: TlsSettings) -> Iterator[str]:
    """What is wrong with these fields together, with the field that it is about."""
    yield from (
        f"{name}: is missing; name the file, or remove {TLS} for plain HTTP"
        for name in ("cert_file", "key_file")
        if not getattr(tls, name)
    )
    if tls.client_auth_type != NO_CERTIFICATE and not tls.client_ca_file:
        yield (
            f"client_auth_type: {tls.client_auth_type} needs authorities to verify against; "
            "name their file in client_ca_file"
        )
    if tls.client_auth_type == NO_CERTIFICATE and tls.client_ca_file:
        yield f"client_ca_file: is not used without a client_auth_type; write client_auth_type: {REQUIRED}"
    if tls.client_auth_type != REQUIRED and tls.client_allowed_sans:
        yield f"client_allowed_sans: is sure only with client_auth_type: {REQUIRED}; write that"
    if tls.min_version > tls.max_version:
        yield f"min_version: {tls.min_version} is above max_version {tls.max_version}; exchange them"
    if tls.min_version == "TLS12" and tls.cipher_suites and ALWAYS_ON.issuperset(tls.cipher_suites):
        yield "cipher_suites: none of them is of TLS 1.2; add one that is, or write min_version: TLS13"


def _users(table: Mapping[str, object], place: str, mistakes: list[str]) -> Iterator[tuple[str, str]]:
    """Hashes by user name."""
    mistakes += (
        f"{place} {name}: has a colon, which ends the name at a sign-in; choose a name without"
        for name in table
        if ":" in name
    )
    yield from _fields(table, dict.fromkeys(table, fields.bcrypt_hash), place, mistakes)


def _rate(table: Mapping[str, object], place: str, mistakes: list[str]) -> RateSettings | None:
    """The limit, or None when it is off."""
    rate = _record(RateSettings, table, place, mistakes)
    if "interval" not in table:
        mistakes.append(f"{place} interval: is missing; write one such as 100ms, or remove {RATE}")
    elif rate.interval and "burst" not in table:
        mistakes.append(f"{place} burst: is missing; write how many requests may come at once, such as 20")
    return rate if rate.interval else None
