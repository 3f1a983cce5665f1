"""What the system tables should give as of now, reckoned without them: runs as merged, usage net and priced."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from simulator.warehouse.feed import Arrival
from simulator.warehouse.prices import Price, valid
from simulator.warehouse.slices import Slice
from simulator.warehouse.spelling import result_state, termination_code
from simulator.warehouse.usage import ATTOS, Usage, exact

Json = dict[str, Any]
Key = tuple[str, str, str, str, str, str]
"""Workspace, job, product, SKU, unit, day; the workspace of account-level usage is empty."""


class Told:
    """Keeps account of every row that has arrived."""

    def __init__(self, prices: tuple[Price, ...]) -> None:
        self._prices = prices
        self._quantity: defaultdict[Key, int] = defaultdict(int)
        """In 10⁻¹⁸ units."""
        self._cost: defaultdict[Key, int] = defaultdict(int)
        """In 10⁻³⁶ of the currency, so that no product is rounded."""
        self._runs: dict[int, Json] = {}

    def note(self, arrivals: list[Arrival]) -> None:
        """These rows have become visible."""
        for arrival in arrivals:
            match arrival.told:
                case Usage() as used:
                    self._note_usage(used)
                case Slice() as piece:
                    self._note_slice(piece)
                case None:
                    pass

    def usage(self, workspace_id: str) -> Json:
        """Net usage of the workspace by job, product, SKU, unit and day, with list cost; decimals as exact text.

        `cost` is None where the SKU has no price. `unattributed` and `unpriced` are parts of `total`, in DBU and money;
        they overlap where usage has neither job nor price.
        """
        own = {
            key: quantity for key, quantity in self._quantity.items() if key[0] == workspace_id and quantity
        }
        names = ("job_id", "product", "sku", "unit", "day")
        return {
            "rows": [
                dict(zip(names, key[1:], strict=True))
                | {
                    "quantity": exact(quantity, 18),
                    "cost": exact(self._cost[key], 36) if key in self._cost else None,
                }
                for key, quantity in sorted(own.items())
            ],
            "total": self._sums(own),
            "unattributed": self._sums([key for key in own if not key[1]]),
            "unpriced": self._sums([key for key in own if key not in self._cost]),
            "account": self._sums([key for key in self._quantity if not key[0]]),
        }

    def runs(self) -> Json:
        """Every run of the workspace of which a row has arrived.

        `attempts` are its result rows, `duration_ms` the sum of all its rows, `result_state` that of the last attempt.
        """
        return {str(run_id): known for run_id, known in sorted(self._runs.items())}

    def _sums(self, keys: Iterable[Key]) -> Json:
        dbus = sum(self._quantity[key] for key in keys if key[4] == "DBU")
        cost = sum(self._cost[key] for key in keys if key in self._cost)
        return {"dbus": exact(dbus, 18), "cost": exact(cost, 36)}

    def _note_usage(self, used: Usage) -> None:
        key = (used.workspace_id or "", used.job_id, used.product, used.sku, used.unit, used.day)
        self._quantity[key] += used.attos
        price = valid(self._prices, used.sku, used.unit, used.span.end_ms)
        if price:
            self._cost[key] += used.attos * int(price.effective * ATTOS)

    def _note_slice(self, piece: Slice) -> None:
        known = self._runs.setdefault(
            piece.run.run_id,
            {
                "job_id": str(piece.run.job_id),
                "attempts": 0,
                "duration_ms": 0,
                "end_ms": 0,
                "result_state": None,
            },
        )
        known["duration_ms"] += piece.span.end_ms - piece.span.start_ms
        if piece.last:
            known["attempts"] += 1
        if piece.last and piece.span.end_ms >= known["end_ms"]:
            known["end_ms"] = piece.span.end_ms
            known["result_state"] = result_state(piece.attempt.ending)
            known["termination_code"] = termination_code(piece.attempt.ending)
