"""Chance that does not depend on who asks when: the same seed and subject always give the same number."""

from hashlib import blake2b


def digest(seed: int, *subject: object) -> int:
    """A number below 2**64."""
    return int.from_bytes(blake2b(repr((seed, subject)).encode(), digest_size=8).digest())


def label(seed: int, *subject: object) -> str:
    """32 hexadecimal digits."""
    return blake2b(repr((seed, subject)).encode(), digest_size=16).hexdigest()


def chance(seed: int, *subject: object) -> float:
    """A number from 0 up to 1."""
    return digest(seed, *subject) / 2**64
