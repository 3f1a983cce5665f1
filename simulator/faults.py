"""Faults on request: what goes wrong, where, how often. They spoil answers and never the world behind them."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

KINDS = {
    "throttled": "429; with Retry-After when retry_after is given",
    "error": "the status given as status: 500, 502, 503 or 504",
    "reset": "the connection is reset",
    "slow": "the answer comes after so many seconds",
    "html": "an HTML page with the status given: 502, or 200",
    "unauthorized": "401 for every token that is accepted now; tokens issued or set later work",
    "forbidden": "403 PERMISSION_DENIED",
    "truncated": "half of the body, and then the connection ends",
    "invalid_json": "a body of the right length that is not JSON",
    "unreadable": "one run of the answer has no start_time, or one of a wrong type",
}
SPOILING = frozenset({"truncated", "invalid_json", "unreadable"})
"""Kinds that need an answer first."""
STATUSES = (200, 500, 502, 503, 504)


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that goes wrong."""

    kind: str
    endpoint: str = "/api/"
    """Part of the path of the requests that it meets."""
    count: int | None = None
    """How many requests it still meets; None means all."""
    probability: float = 1.0
    status: int = 503
    retry_after: int | None = None
    seconds: float = 0.0
    refused: frozenset[str] = field(default_factory=frozenset)
    """Tokens that are not accepted, for `unauthorized`."""


class Faults:
    """The faults in force."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"faults {seed}")
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fields: Mapping[str, Any], accepted: frozenset[str]) -> Fault:
        """Put a fault in force; a wrong field is a ValueError or TypeError that says so."""
        fault = Fault(**fields)
        if fault.kind not in KINDS:
            raise ValueError(f"kind {fault.kind!r}: one of {', '.join(KINDS)}")
        if fault.status not in STATUSES:
            raise ValueError(f"status {fault.status!r}: one of {', '.join(map(str, STATUSES))}")
        if fault.kind == "unauthorized":
            fault.refused = accepted
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def before(self, path: str, token: str) -> Fault | None:
        """The fault that meets this request, among those that need no answer."""
        with self._lock:
            candidates = [fault for fault in self._faults if fault.kind not in SPOILING]
            return self._meeting(candidates, path, token)

    def after(self, path: str, body: bytes) -> tuple[Fault | None, bytes]:
        """The fault that meets this answer, and the body as it leaves it."""
        with self._lock:
            if not self._faults:
                return None, body
            runs = b'"start_time":' in body
            candidates = [f for f in self._faults if f.kind in SPOILING and (runs or f.kind != "unreadable")]
            fault = self._meeting(candidates, path, "")
            return fault, self._spoiled(fault, body) if fault else body

    def _meeting(self, candidates: list[Fault], path: str, token: str) -> Fault | None:
        for fault in candidates:
            if fault.endpoint not in path or (fault.refused and token not in fault.refused):
                continue
            if fault.probability < 1 and self._rng.random() >= fault.probability:
                continue
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    self._faults.remove(fault)
            return fault
        return None

    def _spoiled(self, fault: Fault, body: bytes) -> bytes:
        if fault.kind == "invalid_json":
            return body[:-1] + b"]"
        if fault.kind == "truncated":
            return body[: len(body) // 2]
        answer = json.loads(body)
        run = self._rng.choice(answer.get("runs") or [answer])
        run["start_time"] = "yesterday"
        if self._rng.random() < 0.5:
            del run["start_time"]
        return json.dumps(answer).encode()
