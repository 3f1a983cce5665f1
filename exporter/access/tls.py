"""Makes the TLS context that the web config file asks for, and checks the names in clients' certificates."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from exporter.access.ciphers import CIPHERS, CURVES
from exporter.web_config import IF_GIVEN, NO_CERTIFICATE, REQUIRED, TLS, TlsSettings

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
DEMANDS = {NO_CERTIFICATE: ssl.CERT_NONE, IF_GIVEN: ssl.CERT_OPTIONAL, REQUIRED: ssl.CERT_REQUIRED}


class _Encrypted(ValueError):
    """The key asks for a passphrase."""


def context(tls: TlsSettings, file: Path, mistakes: list[str]) -> ssl.SSLContext | None:
    """The context, or None and what is wrong with the files."""
    found = [f"{file}: {TLS} {mistake}" for mistake in _missing(tls)]
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not found:
        found = [f"{file}: {TLS} {mistake}" for mistake in (*_loaded(made, tls), *_offered(made, tls))]
    if found:
        mistakes += found
        return None
    made.minimum_version, made.maximum_version = VERSIONS[tls.min_version], VERSIONS[tls.max_version]
    made.verify_mode = DEMANDS[tls.client_auth_type]
    made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if tls.prefer_server_cipher_suites:
        made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    made.set_alpn_protocols(["http/1.1"])
    return made


def named(certificate: Mapping[str, Any] | None, allowed: frozenset[str]) -> bool:
    """True when the certificate, in the form of `SSLSocket.getpeercert`, has one of these alternative names."""
    names = {_name(kind, text) for kind, text in (certificate or {}).get("subjectAltName", ())}
    return not allowed.isdisjoint(names)


def _name(kind: str, text: str) -> str:
    """An IP address in its usual form, everything else as it stands."""
    if kind == "IP Address":
        with suppress(ValueError):
            return str(ip_address(text.strip()))
    return text


def _missing(tls: TlsSettings) -> Iterator[str]:
    """What cannot be read at all."""
    for name in ("cert_file", "key_file", "client_ca_file"):
        path: Path | None = getattr(tls, name)
        if path is None:
            continue
        try:
            path.read_bytes()
        except OSError as error:
            yield f"{name}: {path} cannot be read ({error.strerror}); name a file that can"


def _loaded(made: ssl.SSLContext, tls: TlsSettings) -> Iterator[str]:
    """Puts certificate, key and authorities into the context."""
    if tls.cert_file and tls.key_file:
        try:
            made.load_cert_chain(tls.cert_file, tls.key_file, _refuse)
        except _Encrypted:
            yield f"key_file: {tls.key_file} has a passphrase; write the key without one"
        except (ssl.SSLError, OSError) as error:
            if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
                yield f"key_file: {tls.key_file} is not the key of {tls.cert_file}; name the one that is"
            else:
                yield (
                    f"cert_file: {tls.cert_file} and {tls.key_file} are not a certificate and its key in PEM; "
                    "write them in PEM"
                )
    if tls.client_ca_file:
        try:
            made.load_verify_locations(tls.client_ca_file)
        except (ssl.SSLError, OSError):
            yield f"client_ca_file: {tls.client_ca_file} holds no certificate in PEM; name a file that does"


def _offered(made: ssl.SSLContext, tls: TlsSettings) -> Iterator[str]:
    """Puts cipher suites and curves into the context, which the OpenSSL in use may not have."""
    try:
        if suites := [CIPHERS[name] for name in tls.cipher_suites if name in CIPHERS]:
            made.set_ciphers(":".join(suites))
    except ssl.SSLError:
        yield f"cipher_suites: {ssl.OPENSSL_VERSION} has none of them; name others, or remove the field"
    try:
        for name in tls.curve_preferences:
            made.set_ecdh_curve(CURVES[name])
    except (ssl.SSLError, ValueError):
        yield f"curve_preferences: {ssl.OPENSSL_VERSION} does not have it; name another, or remove the field"


def _refuse() -> str:
    """Instead of OpenSSL's question at the terminal."""
    raise _Encrypted
