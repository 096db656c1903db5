"""TLS before HTTP. A connection is counted and waited for from the moment it is made, not from its handshake's end.

The event loop's servers tell nobody of handshakes that are under way: a client that never ends one would cost a file
for a minute, and could have as many of them as it likes.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.utils import get_remote_addr

from miyabi.wiring.http_limits import Crowd, Limits
from miyabi.wiring.http_protocol import Connection


class Handshake(asyncio.Protocol):
    """The beginning of a connection, behind which :class:`Connection`, made of the same arguments, goes on."""

    def __init__(
        self, context: ssl.SSLContext, limits: Limits, crowd: Crowd, clock: Callable[[], float], **given: Any
    ) -> None:
        self._context, self._seconds, self._crowd = context, limits.head_seconds, crowd
        self._make = lambda: _Secure(self._leave, limits, crowd, clock, **given)
        self._address = ""
        self._counted = self._inside = False
        self._job: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, where there is room; of those without, some may hear why.

        The loop reads a transport at once, whatever it is told here. So the handshake gets one of its own.
        """
        remote = get_remote_addr(transport)  # type: ignore[arg-type]
        self._address = remote[0] if remote else ""
        self._inside = self._crowd.enter(self._address)
        self._counted = True
        if self._inside or self._crowd.hears():
            given = transport.get_extra_info("socket")
            own = socket.fromfd(given.fileno(), given.family, given.type)
            self._job = asyncio.get_running_loop().create_task(self._shake(own))
        else:
            self._leave()
        transport.abort()  # type: ignore[attr-defined]

    async def _shake(self, own: socket.socket) -> None:
        own.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make, own, ssl=self._context, ssl_handshake_timeout=self._seconds
            )
        except OSError:  # of TLS, too: whoever speaks none, or too slowly, is no news
            own.close()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Its place is free: the connection takes one of its own."""
        if self._counted:
            self._counted = False
            self._crowd.leave(self._address, inside=self._inside)


class _Secure(Connection):
    """A connection that ``begun`` hears of before it takes its place."""

    def __init__(self, begun: Callable[[], None], *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._begun = begun

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The handshake is over."""
        self._begun()
        super().connection_made(transport)
