"""Basic authentication against bcrypt hashes, at a cost that a stranger cannot drive up."""

import asyncio
import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from enum import Enum

import bcrypt

LONGEST = 72
"""Bytes of a password that bcrypt looks at."""
MOST_WAITING = 8
"""Comparisons that may wait for the one under way. Whoever comes then is told to come again."""


class Verdict(Enum):
    """What became of a sign-in."""

    WELCOME = "welcome"
    WRONG = "wrong"
    BUSY = "busy"


class Users:
    """Who may sign in. A password that fitted is remembered as a digest, so that each costs one comparison.

    One comparison runs at a time, beside the event loop. An unknown name is compared with somebody's hash, always the
    same, so that neither the answer nor its time tells which names exist.
    """

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = {name.encode(): each.encode() for name, each in hashes.items()}
        self._fitted: dict[bytes, bytes] = {}
        self._key = secrets.token_bytes(32)
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def verdict(self, authorization: str) -> Verdict:
        """Whether the value of this `Authorization` header may come in."""
        name, password = credentials(authorization)
        if name is None:
            return Verdict.WRONG
        password = password[:LONGEST]
        digest = self._digest(password)
        if hmac.compare_digest(self._fitted.get(name, b""), digest):
            return Verdict.WELCOME
        if self._waiting > MOST_WAITING:
            return Verdict.BUSY
        fits = await self._compared(password, self._hashes.get(name) or self._somebody(name))
        if not fits or name not in self._hashes:
            return Verdict.WRONG
        self._fitted[name] = digest
        return Verdict.WELCOME

    async def _compared(self, password: bytes, hashed: bytes) -> bool:
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(bcrypt.checkpw, password, hashed)
        finally:
            self._waiting -= 1

    def _digest(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")

    def _somebody(self, name: bytes) -> bytes:
        hashes = list(self._hashes.values())
        return hashes[int.from_bytes(self._digest(name)) % len(hashes)]


def credentials(authorization: str) -> tuple[bytes | None, bytes]:
    """Name and password of a `Basic` header; no name when it is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None, b""
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None, b""
    return (name, password) if colon else (None, b"")
