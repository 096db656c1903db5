"""One HTTP server on one address, until a signal ends it."""

from __future__ import annotations

import asyncio
import errno
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from starlette.types import ASGIApp

from miyabi.settings import SettingsError
from miyabi.wiring.http_limits import Crowd, Limits
from miyabi.wiring.http_protocol import Connection

if TYPE_CHECKING:
    from miyabi.wiring.tls import Certificate
    from miyabi.wiring.tls_handshake import Handshake

STOP_SECONDS = 3
"""Requests under way have so long to end."""
RENEWED_TICKS = 50
"""Tenths of a second between two looks at the certificate's files."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; :class:`SettingsError` says what to do when the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            hint = f"Another program listens on {host}:{port}. Stop it, or choose another: --port {port + 1}."
            raise SettingsError(hint) from None
        raise SettingsError(f"{host}:{port} can't be listened on: {error.strerror}.") from None
    sock.listen(2048)
    sock.setblocking(False)
    return sock


def address(sock: socket.socket, certificate: Certificate | None = None) -> str:
    """The URL of a listening socket, as a browser on this machine writes it."""
    host, port = sock.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    if certificate:
        name = certificate.name_for(name, anywhere=name != host)
    return f"http{'s' if certificate else ''}://{f'[{name}]' if ':' in name else name}:{port}"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], certificate: Certificate | None) -> None:
        super().__init__(config)
        self._ready = ready
        self._certificate = certificate

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; each second all connections are looked at."""
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                cast(Connection, connection).check(now)
        if counter % RENEWED_TICKS == 0 and self._certificate:
            self._certificate.renew()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are :func:`serve`'s: the process shall end with 0 and not be killed by its own signal."""
        yield


def _first(certificate: Certificate | None) -> Callable[..., Connection | Handshake]:
    """What a connection begins with."""
    if certificate is None:
        return Connection
    from miyabi.wiring.tls_handshake import Handshake  # late: most boards speak plain HTTP

    return partial(Handshake, certificate.context)


async def serve(
    app: ASGIApp,
    sock: socket.socket,
    *,
    ready: Callable[[], None],
    stopping: Callable[[], None] = lambda: None,
    limits: Limits | None = None,
    certificate: Certificate | None = None,
) -> None:
    """Serve ``app`` until SIGINT or SIGTERM. ``stopping`` is called first then: endless answers should end."""
    loop, limits = asyncio.get_running_loop(), limits or Limits()
    protocol: Any = partial(_first(certificate), limits, Crowd(limits), loop.time)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=math.ceil(limits.idle_seconds),
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config, ready, certificate)

    def stop() -> None:
        server.should_exit = True
        stopping()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await server.serve([sock])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
