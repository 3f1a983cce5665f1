"""Who may ask: personal access tokens, and OAuth tokens issued to clients for a limited time."""

import base64
import binascii
import secrets
import time
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs

from simulator.query import ApiError

Json = dict[str, object]
USER = "simulated@example.com"


class OAuthError(Exception):
    """The token endpoint refuses, in the words of RFC 6749."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


class Credentials:
    """What is accepted at the moment."""

    def __init__(self, tokens: Iterable[str], clients: Mapping[str, str], lifetime: float) -> None:
        self._tokens = set(tokens)
        self._clients = dict(clients)
        self._lifetime = lifetime
        self._issued: dict[str, float] = {}
        self._owners: dict[str, str] = {}

    def check(self, authorization: str | None) -> str:
        """The token of the header, if it is accepted now; otherwise an ApiError with status 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise ApiError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type.")
        if token not in self.accepted():
            raise ApiError(401, "UNAUTHENTICATED", "Invalid access token.")
        return token

    def principal(self, token: str) -> str:
        """Whose token it is: an OAuth client, or the one user that all personal access tokens belong to."""
        return self._owners.get(token, USER)

    def accepted(self) -> frozenset[str]:
        """Every token that is accepted now."""
        now = time.monotonic()
        return frozenset(self._tokens | {token for token, until in self._issued.items() if until > now})

    def issue(self, authorization: str | None, body: bytes) -> Json:
        """A fresh token for the client of the Basic header; an OAuthError when the request is wrong."""
        form = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
        client_id, secret = _basic(authorization)
        if not client_id or self._clients.get(client_id) != secret:
            raise OAuthError(401, "invalid_client", "Client authentication failed.")
        if form.get("grant_type") != ["client_credentials"]:
            raise OAuthError(400, "unsupported_grant_type", "Only client_credentials is supported.")
        if form.get("scope") != ["all-apis"]:
            raise OAuthError(400, "invalid_scope", "The scope must be all-apis.")
        token = secrets.token_urlsafe(24)
        self._issued[token] = time.monotonic() + self._lifetime
        self._owners[token] = client_id
        return {
            "access_token": token,
            "token_type": "Bearer",
            "scope": "all-apis",
            "expires_in": int(self._lifetime),
        }

    def replace(
        self, tokens: Iterable[str] | None, clients: Mapping[str, str] | None, *, expire: bool
    ) -> None:
        """Accept these from now on; None leaves them; `expire` ends every issued OAuth token."""
        if tokens is not None:
            self._tokens = set(tokens)
        if clients is not None:
            self._clients = dict(clients)
        if expire:
            self._issued.clear()


def _basic(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme != "Basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
