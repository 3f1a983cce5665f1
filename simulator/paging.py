"""Page tokens: opaque, bound to the endpoint and its parameters, and short-lived. A token is a position in a live list:
what ends or begins between two pages shifts the ones that follow.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.query import Value, invalid


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list, as its answer will describe it."""

    offset: int
    limit: int

    def neighbours(self, total: int) -> dict[str, int]:
        """The offsets of the pages after and before this one, by the name of the field that leads there."""
        after = {"next_page_token": self.offset + self.limit} if self.offset + self.limit < total else {}
        before = {"prev_page_token": max(0, self.offset - self.limit)} if self.offset else {}
        return after | before


class PageTokens:
    """Writes and reads page tokens."""

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._secret = secrets.token_bytes(16)

    def token(self, endpoint: str, values: Mapping[str, Value], offset: int) -> str:
        """A token that leads to the offset when everything else is asked as before."""
        content = json.dumps([offset, int(time.monotonic() * 1000)]).encode()
        return base64.urlsafe_b64encode(self._seal(endpoint, values, content) + content).decode().rstrip("=")

    def offset(self, endpoint: str, values: Mapping[str, Value], token: str) -> int:
        """The offset that the token leads to; a foreign, altered or old one is an ApiError."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise invalid("Invalid page token.") from None
        seal, content = raw[:16], raw[16:]
        if not hmac.compare_digest(seal, self._seal(endpoint, values, content)):
            raise invalid("Invalid page token: it belongs to another request.")
        offset, issued_ms = json.loads(content)
        if time.monotonic() * 1000 - issued_ms > self._lifetime * 1000:
            raise invalid("Invalid page token: it has expired.")
        return int(offset)

    def _seal(self, endpoint: str, values: Mapping[str, Value], content: bytes) -> bytes:
        bound = sorted((name, value) for name, value in values.items() if name != "page_token")
        message = json.dumps([endpoint, bound]).encode() + content
        return hmac.new(self._secret, message, hashlib.sha256).digest()[:16]
