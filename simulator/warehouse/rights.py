"""Who may do what: everything is granted until control revokes it, for one principal or for all."""

import threading

from simulator.warehouse.refusal import Refused, no_right

PRIVILEGES = frozenset({"CAN USE", "USE CATALOG", "USE SCHEMA", "SELECT"})


class Rights:
    """What has been revoked."""

    def __init__(self) -> None:
        self._revoked: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def revoke(self, privilege: str, on: str = "", principal: str = "") -> None:
        """The principal, or everybody, may not; `on` is a schema or `schema.table`, empty for catalog and warehouse."""
        self._check(privilege)
        with self._lock:
            self._revoked.add((privilege, on, principal))

    def grant(self, privilege: str, on: str = "", principal: str = "") -> None:
        """Take back exactly that."""
        self._check(privilege)
        with self._lock:
            self._revoked.discard((privilege, on, principal))

    def may(self, principal: str, privilege: str, on: str = "") -> bool:
        """True unless revoked."""
        with self._lock:
            return not {(privilege, on, principal), (privilege, on, "")} & self._revoked

    def check_table(self, principal: str, catalog: str, table: str) -> None:
        """Nothing when the principal may read `schema.table`; otherwise what it lacks first."""
        schema = table.partition(".")[0]
        if refused := self._lacking(principal, catalog, schema, table):
            raise refused

    def _lacking(self, principal: str, catalog: str, schema: str, table: str) -> Refused | None:
        if not self.may(principal, "USE CATALOG"):
            return no_right("USE CATALOG", "Catalog", catalog)
        if not self.may(principal, "USE SCHEMA", schema):
            return no_right("USE SCHEMA", "Schema", f"{catalog}.{schema}")
        if not (self.may(principal, "SELECT", schema) and self.may(principal, "SELECT", table)):
            return no_right("SELECT", "Table", f"{catalog}.{table}")
        return None

    @staticmethod
    def _check(privilege: str) -> None:
        if privilege not in PRIVILEGES:
            raise ValueError(f"privilege {privilege!r}: one of {', '.join(sorted(PRIVILEGES))}")
