"""The warehouse as the rest of the simulator sees it: HTTP requests in, answers out, and what control may do to it."""

from typing import Any

from simulator.api import WAREHOUSE_ID
from simulator.query import ApiError
from simulator.warehouse.engine import Engine
from simulator.warehouse.operations import Operations
from simulator.warehouse.protocol import TTransportException, process
from simulator.warehouse.service import Limits, Service
from simulator.workspace import Workspace

Json = dict[str, Any]
SETTINGS = frozenset(
    {
        "auto_stop_minutes",
        "catalog",
        "deleted",
        "direct_s",
        "hold_s",
        "rows_per_fetch",
        "session_idle_s",
        "start_seconds",
        "statement_seconds",
    }
)
"""What control may set, by the name of the attribute."""


class Warehouse:
    """One SQL warehouse with its tables; made when somebody first asks it."""

    def __init__(self, workspace: Workspace) -> None:
        self.engine = Engine(workspace)
        self.operations = Operations(self.engine)
        self.limits = Limits()

    def call(self, warehouse_id: str, body: bytes, principal: str, user_agent: str) -> bytes:
        """Answer one Thrift call; an ApiError when the principal may not or the body is no call."""
        if self.engine.power.deleted or warehouse_id != WAREHOUSE_ID:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", "SQL warehouse does not exist.")
        if not self.engine.rights.may(principal, "CAN USE"):
            message = "PERMISSION_DENIED: You do not have CAN USE permission on this SQL warehouse."
            raise ApiError(403, "PERMISSION_DENIED", message)
        try:
            return process(Service(self.operations, self.limits, principal, user_agent), body)
        except (EOFError, TTransportException) as error:
            raise ApiError(400, "MALFORMED_REQUEST", "The body is no Thrift call.") from error

    def told(self, *, reset: bool) -> Json:
        """State, cost, sessions and statements; `reset` begins the list of statements anew after this answer."""
        now_ms, power = self.engine.now_ms(), self.engine.power
        answer = {
            "state": power.state(now_ms),
            "starts": power.starts,
            "running_seconds": power.running_seconds(now_ms),
            **self.operations.told(),
        }
        if reset:
            self.operations.forget()
        return answer

    def change(self, wanted: Json) -> None:
        """Set what is named; ValueError when there is no such thing."""
        for name, value in wanted.items():
            match name:
                case "stop":
                    self.engine.power.stop(self.engine.now_ms())
                case "expire_sessions":
                    self.operations.expire_all()
                case "fail":
                    self.operations.failing = dict(value)
                case "enable" | "disable":
                    self.engine.enable(value, enabled=name == "enable")
                case "drop_column":
                    self.engine.tables.drop_column(*value)
                case _:
                    self._set(name, value)

    def _set(self, name: str, value: object) -> None:
        if name not in SETTINGS:
            raise ValueError(f"{name!r}: one of {', '.join(sorted(SETTINGS))}")
        owners = (self.limits, self.operations, self.engine, self.engine.power)
        owner = next(owner for owner in owners if hasattr(owner, name))
        setattr(owner, name, value)

    def close(self) -> None:
        """End everything."""
        self.operations.close()
        self.engine.tables.close()
