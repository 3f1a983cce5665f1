"""Accepts connections on the admission that hold at that moment, never more of them than fit."""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from exporter.access.admission import Admission
from exporter.access.connection import CLOSE_S, Bounds, Connection, Crowd
from exporter.access.gate import LARGEST_HEAD, Gate

log = logging.getLogger(__name__)

NO_ROOM_S = 0.5
"""How long to wait when the system has no room for another connection."""


class Reception(uvicorn.Server):
    """uvicorn behind an own door: it has one TLS context for ever, and no bound on connections that say nothing."""

    def __init__(
        self, app: ASGIApp, admission: Callable[[], Admission], bounds: Bounds, *, grace_s: int
    ) -> None:
        config = uvicorn.Config(
            Gate(app, admission),
            interface="asgi3",
            loop="asyncio",
            log_config=None,
            log_level=logging.ERROR,  # warnings are about what clients send, one for each request
            access_log=False,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            ws="none",
            h11_max_incomplete_event_size=LARGEST_HEAD,
            timeout_keep_alive=bounds.resting_s,
            timeout_graceful_shutdown=grace_s,
        )
        super().__init__(config)
        self._terms = admission
        self._bounds = bounds
        self._crowd = Crowd(bounds.connections)
        self._doors: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Opens the door on sockets that listen."""
        self.servers = []
        self._doors = [asyncio.create_task(self._accept(listener)) for listener in sockets or ()]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the door, lets answers under way end within the grace, and then ends what is left."""
        for door in self._doors:
            door.cancel()
        await asyncio.gather(*self._doors, return_exceptions=True)
        await super().shutdown(sockets)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._crowd.dissolve(), CLOSE_S)

    async def _accept(self, listener: socket.socket) -> None:
        listener.setblocking(False)  # noqa: FBT003 – the library's signature
        loop = asyncio.get_running_loop()
        while True:
            try:
                arrived, _ = await loop.sock_accept(listener)
            except OSError:  # such as too many open files
                await asyncio.sleep(NO_ROOM_S)
                continue
            self._receive(arrived)
            # accepting does not wait while more stand at the door: let others have their turn
            await asyncio.sleep(0)

    def _receive(self, arrived: socket.socket) -> None:
        try:
            admission = self._terms()
            one = Connection(self.config, self.server_state, self._crowd, self._bounds, admission.sans)
            one.arrive(arrived, admission.context)
        except Exception:
            log.exception("a connection was refused because of a mistake in the exporter")
            arrived.close()
