"""Controls a simulated workspace over HTTP, from any process."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

Json = dict[str, Any]


class ControlError(Exception):
    """The workspace could not do what control asked; the message says why."""


class Control:
    """The control interface of the simulated workspace at this address."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self._url = url.rstrip("/") + "/simulator/"
        self._timeout = timeout

    def truth(self, *, since_ms: int = 0, until_ms: int | None = None) -> Json:
        """What really happened between two simulated instants."""
        window = {"since_ms": since_ms} | ({} if until_ms is None else {"until_ms": until_ms})
        return self._ask("GET", f"truth?{urlencode(window)}")

    def requests(self, *, reset: bool = False) -> Json:
        """Requests by endpoint and status; `reset` begins the count anew after this answer."""
        return self._ask("GET", "requests?reset=1" if reset else "requests")

    def advance(self, seconds: float) -> int:
        """Move the simulated clock ahead; returns the new time in epoch milliseconds."""
        return int(self._ask("POST", "clock", {"advance_seconds": seconds})["now_ms"])

    def pause(self) -> None:
        """No new runs and repairs; what runs goes on."""
        self._ask("POST", "pause")

    def resume(self) -> None:
        """New runs and repairs again."""
        self._ask("POST", "resume")

    def fault(self, kind: str, **fields: object) -> None:
        """Put a fault in force: endpoint, count, probability, status, retry_after, seconds."""
        self._ask("POST", "faults", {"kind": kind, **fields})

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self._ask("DELETE", "faults")

    def credentials(self, **fields: object) -> None:
        """Replace `tokens` or `clients`, or end the issued OAuth tokens with `expire_issued=True`."""
        self._ask("POST", "credentials", fields)

    def warehouse(self, *, reset: bool = False) -> Json:
        """State, cost, sessions and recent statements of the SQL warehouse."""
        return self._ask("GET", "warehouse?reset=1" if reset else "warehouse")

    def set_warehouse(self, **fields: object) -> None:
        """Change the SQL warehouse.

        Settings: start_seconds, statement_seconds, direct_s, hold_s, session_idle_s (real seconds), auto_stop_minutes
        (simulated), rows_per_fetch, catalog, deleted. Acts: stop=True, expire_sessions=True, disable and enable with the
        name of a schema, drop_column=[table, column], fail={part of a statement: message}.
        """
        self._ask("POST", "warehouse", fields)

    def revoke(self, privilege: str, on: str = "", principal: str = "") -> None:
        """Take a right away: CAN USE, USE CATALOG, or USE SCHEMA and SELECT on a schema or `schema.table`."""
        self._ask("POST", "rights/revoke", {"privilege": privilege, "on": on, "principal": principal})

    def grant(self, privilege: str, on: str = "", principal: str = "") -> None:
        """Give it back."""
        self._ask("POST", "rights/grant", {"privilege": privilege, "on": on, "principal": principal})

    def usage(self) -> Json:
        """What billing should give as of now: rows by job, product, SKU, unit and day, and totals."""
        return self._ask("GET", "tables/usage")

    def table_runs(self) -> Json:
        """What the timelines should give as of now, run by run."""
        return self._ask("GET", "tables/runs")

    def create_job(self, name: str, *, tasks: int = 1, **settings: object) -> int:
        """A job that only control starts; returns its id."""
        body = {"name": name, "tasks": tasks, "settings": settings}
        return int(self._ask("POST", "jobs", body)["job_id"])

    def edit_job(self, name: str, *, new_name: str = "", **settings: object) -> None:
        """Rename the job or replace settings; None takes a setting away."""
        renamed = {"name": new_name} if new_name else {}
        self._ask("PATCH", f"jobs/{quote(name, safe='')}", {"settings": settings, **renamed})

    def delete_job(self, name: str) -> None:
        """The job leaves the list."""
        self._ask("DELETE", f"jobs/{quote(name, safe='')}")

    def start(self, name: str, job: str = "", **fields: object) -> Json:
        """A run under this name that does nothing by itself; without a job it is a one-time run.

        Fields: state, code (of the queue), trigger, run_type, run_name.
        """
        return self._ask("POST", "runs", {"name": name, "job": job, **fields})

    def run(self, name: str) -> Json:
        """The ids and the state of the run."""
        return self._ask("GET", f"runs/{quote(name, safe='')}")

    def state(self, name: str, state: str, *, code: str = "") -> Json:
        """The run is in this state from now on."""
        return self._move(name, "state", {"state": state, "code": code})

    def finish(self, name: str, result: str = "SUCCESS", **fields: object) -> Json:
        """The run ends now. Fields: code, type, life_cycle, message, retries (of its first task)."""
        return self._move(name, "finish", {"result": result, **fields})

    def repair(self, name: str, *, state: str = "RUNNING") -> Json:
        """The finished run is active again."""
        return self._move(name, "repair", {"state": state})

    def cancel(self, name: str) -> Json:
        """A user cancels the run."""
        return self._move(name, "cancel", {})

    def _move(self, name: str, move: str, body: Mapping[str, object]) -> Json:
        return self._ask("POST", f"runs/{quote(name, safe='')}/{move}", body)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data=data, method=method)  # noqa: S310  (the address is the caller's)
        try:
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310  (as above)
                return dict(json.load(answer))
        except HTTPError as error:
            with error:
                raise ControlError(json.load(error).get("message", str(error))) from None
