"""One client's connection: how long it may take for what it does, and that it makes room for others."""

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from exporter.access import tls

UNSENT = 64 * 1024
"""Bytes of an answer that may wait for the client before the rest has to."""
CLOSE_S = 5
"""How much longer than it may rest a connection may take to close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of the server one client can take."""

    connections: int = 256
    """At once. Another one makes whichever has waited longest go."""
    asking_s: float = 10
    """For a TLS handshake, and then for each request from its first byte to the end of its headers."""
    answer_s: float = 60
    """For an answer until it is taken."""
    resting_s: int = 75
    """Between two requests. More than most scrape intervals, which spares Prometheus a new connection each time."""


class Doing(Enum):
    """What a connection is doing."""

    ASKING = auto()
    ANSWERED = auto()
    RESTING = auto()


class Crowd:
    """The connections that there are, those first that have done the same for longest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Connection, None] = {}
        self._answered: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._answered)

    def enter(self, one: "Connection") -> None:
        """Takes it in. With the crowd complete, another one goes: rather one that waits than one that is answered."""
        if len(self) >= self._most:
            other = next(iter(self._waiting or self._answered))
            self.leave(other)
            other.drop()
        self._waiting[one] = None

    def move(self, one: "Connection", *, answered: bool) -> None:
        """Puts it last among those that do the same."""
        self.leave(one)
        (self._answered if answered else self._waiting)[one] = None

    def leave(self, one: "Connection") -> None:
        """Forgets it."""
        self._waiting.pop(one, None)
        self._answered.pop(one, None)

    async def dissolve(self) -> None:
        """Ends all of them, and returns when that is done."""
        everybody = (*self._waiting, *self._answered)
        for one in everybody:
            one.drop()
        await asyncio.gather(*(one.over.wait() for one in everybody))


class Connection(H11Protocol):
    """Speaks HTTP/1.1, and is cut off when it takes longer than the bounds allow."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        crowd: Crowd,
        bounds: Bounds,
        sans: frozenset[str],
    ) -> None:
        super().__init__(config, state, {}, asyncio.get_running_loop())
        self._crowd = crowd
        self._asking_s = bounds.asking_s
        self._limits_s = {
            Doing.ASKING: bounds.asking_s,
            Doing.ANSWERED: bounds.answer_s,
            Doing.RESTING: bounds.resting_s + CLOSE_S,
        }
        self._sans = sans
        self._arrival: asyncio.Task[None] | None = None
        self._made: asyncio.Transport | None = None
        self._doing: Doing | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.over = asyncio.Event()
        """Set once nothing is left of it."""

    def arrive(self, arrived: socket.socket, context: ssl.SSLContext | None) -> None:
        """Makes the connection over this socket, which needs a handshake when there is a context."""
        self._crowd.enter(self)
        self._arrival = self.loop.create_task(self._arrive(arrived, context))
        self._arrival.add_done_callback(lambda _: self._arrived(arrived))

    async def _arrive(self, arrived: socket.socket, context: ssl.SSLContext | None) -> None:
        with suppress(OSError):  # a handshake that fails is the client's affair
            if context is None:
                await self.loop.connect_accepted_socket(lambda: self, arrived)
                return
            await self.loop.connect_accepted_socket(
                lambda: self,
                arrived,
                ssl=context,
                ssl_handshake_timeout=self._asking_s,
                ssl_shutdown_timeout=CLOSE_S,
            )

    def _arrived(self, arrived: socket.socket) -> None:
        """Clears up when it came to nothing."""
        if self._made is None:
            arrived.close()
            self._leave()

    def drop(self) -> None:
        """Ends it now, whatever it does; what is not sent by then is lost."""
        if self._made:
            self._made.abort()
        elif self._arrival:
            self._arrival.cancel()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is there, after the handshake where there is one."""
        self._made = transport
        transport.set_write_buffer_limits(UNSENT)  # TLS would let eight times as much pile up
        super().connection_made(transport)
        self._does(Doing.ASKING)
        if self._sans and not tls.named(transport.get_extra_info("peercert"), self._sans):
            self.drop()

    def data_received(self, data: bytes) -> None:
        """A part of a request came: an unfinished one gets no more time by that."""
        super().data_received(data)
        self._does(Doing.ANSWERED if self._answering else Doing.ASKING)

    def on_response_complete(self) -> None:
        """The answer is given; the next request may have come meanwhile."""
        self._does(Doing.RESTING)
        super().on_response_complete()
        if self._answering:
            self._does(Doing.ANSWERED)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)
        self._leave()

    def _leave(self) -> None:
        self._crowd.leave(self)
        self.over.set()

    @property
    def _answering(self) -> bool:
        # the library has no cycle before the first request, and its types do not say so
        return bool(self.cycle) and not self.cycle.response_complete

    def _does(self, doing: Doing) -> None:
        """Gives it the time for this, unless it does it already."""
        if doing is self._doing:
            return
        self._doing = doing
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self._limits_s[doing], self.drop)
        self._crowd.move(self, answered=doing is Doing.ANSWERED)
