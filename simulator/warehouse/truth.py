"""What the system tables should give as of now, reckoned without them: runs as merged, usage net and priced."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from simulator.clock import instant
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
        self._ingested: dict[Key, str] = {}
        """The last day on which a row of it arrived."""
        self._newest: defaultdict[Key, int] = defaultdict(int)
        """The end of its latest row."""
        self._dbus: list[tuple[str, str, int, str, int]] = []
        """Of each row with a job: workspace, job, start, day, quantity."""
        self._runs: dict[int, Json] = {}
        self._attempts: defaultdict[int, dict[int, Json]] = defaultdict(dict)
        """Of each run, by repair id."""
        self._successes: dict[str, int] = {}
        """Job → end of its latest success."""

    def note(self, arrivals: list[Arrival]) -> None:
        """These rows have become visible."""
        for arrival in arrivals:
            match arrival.told:
                case Usage() as used:
                    self._note_usage(used, instant(arrival.at_ms).date().isoformat())
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
        `history` are its finished attempts, with the words of the Jobs API.
        """
        return {
            str(run_id): known | {"history": self._history(run_id)}
            for run_id, known in sorted(self._runs.items())
        }

    def changed(self, workspace_id: str, since: str, ingested_since: str) -> list[Json]:
        """Net usage, as `usage` has it and down to 0, of the days from `since` on, where a row arrived from then on."""
        names = ("job_id", "product", "sku", "unit", "day")
        return [
            dict(zip(names, key[1:], strict=True))
            | {
                "quantity": exact(quantity, 18),
                "cost": exact(self._cost[key], 36) if key in self._cost else None,
                "newest_ms": self._newest[key],
            }
            for key, quantity in sorted(self._quantity.items())
            if key[0] == workspace_id and key[5] >= since and self._ingested[key] >= ingested_since
        ]

    def spending(self, workspace_id: str, since: str) -> Json:
        """DBUs of each job, of rows that began after its latest success and on the day or later; and that success."""
        sums: defaultdict[str, int] = defaultdict(int)
        for owner, job_id, start_ms, day, attos in self._dbus:
            if owner == workspace_id and day >= since and start_ms >= self._successes.get(job_id, 0):
                sums[job_id] += attos
        return {
            job_id: {"dbus": exact(attos, 18), "success_ms": self._successes.get(job_id)}
            for job_id, attos in sorted(sums.items())
            if attos
        }

    def _history(self, run_id: int) -> list[Json]:
        finished = [attempt for attempt in self._attempts[run_id].values() if "result" in attempt]
        return sorted(finished, key=lambda attempt: (attempt["end_ms"], attempt["start_ms"]))

    def _sums(self, keys: Iterable[Key]) -> Json:
        dbus = sum(self._quantity[key] for key in keys if key[4] == "DBU")
        cost = sum(self._cost[key] for key in keys if key in self._cost)
        return {"dbus": exact(dbus, 18), "cost": exact(cost, 36)}

    def _note_usage(self, used: Usage, ingested: str) -> None:
        key = (used.workspace_id or "", used.job_id, used.product, used.sku, used.unit, used.day)
        self._quantity[key] += used.attos
        self._ingested[key] = max(ingested, self._ingested.get(key, ""))
        self._newest[key] = max(used.span.end_ms, self._newest[key])
        if used.job_id and used.unit == "DBU":
            self._dbus.append((key[0], used.job_id, used.span.start_ms, used.day, used.attos))
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
        self._note_attempt(piece)
        if piece.last:
            known["attempts"] += 1
        if piece.last and piece.span.end_ms >= known["end_ms"]:
            known["end_ms"] = piece.span.end_ms
            known["result_state"] = result_state(piece.attempt.ending)
            known["termination_code"] = termination_code(piece.attempt.ending)

    def _note_attempt(self, piece: Slice) -> None:
        """The pieces of an attempt come in their order, the last with what it ended as."""
        start_ms, end_ms = piece.span
        known = self._attempts[piece.run.run_id].setdefault(
            piece.attempt.repair_id, {"start_ms": start_ms, "duration_ms": 0}
        )
        known["end_ms"] = end_ms
        known["duration_ms"] += end_ms - start_ms
        if not piece.last:
            return
        ending, job_id = piece.attempt.ending, str(piece.run.job_id)
        known |= {"result": ending.word, "code": ending.code, "type": ending.kind}
        if result_state(ending) == "SUCCEEDED":
            self._successes[job_id] = max(end_ms, self._successes.get(job_id, 0))
