"""A server on a free port of this process, in a thread of its own; and a log service on one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import uvicorn
from starlette.types import ASGIApp

from miyabi.settings import Settings
from miyabi.wiring.apart import open_log_service

READY_SECONDS = 20.0


class Server:
    """Serves what ``opened`` gives at :attr:`url` until it is closed."""

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[ASGIApp]]) -> None:
        # with any other `proto` asyncio leaves Nagle's delay on
        self._sock = socket.socket(proto=socket.IPPROTO_TCP)
        self._sock.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._sock.getsockname()[1]}"
        self._server: _Uvicorn | None = None
        self._ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(opened)), daemon=True)
        self._thread.start()
        assert self._ready.wait(READY_SECONDS), "the server did not start"
        assert self._server is not None

    def close(self) -> None:
        """End it, and what it served."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join()
        self._sock.close()

    async def _serve(self, opened: Callable[[], AbstractAsyncContextManager[ASGIApp]]) -> None:
        try:
            async with opened() as app:
                config = uvicorn.Config(
                    app, log_config=None, timeout_graceful_shutdown=1, http="httptools", lifespan="off"
                )
                self._server = _Uvicorn(config, self._ready)
                await self._server.serve([self._sock])
        finally:
            self._ready.set()


class LogServer(Server):
    """The log service over the data folder ``folder``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda: _log_service(folder))


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The address of ``app``."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[ASGIApp]:
        yield app

    with closing(Server(opened)) as server:
        yield server.url


@asynccontextmanager
async def _log_service(folder: Path) -> AsyncIterator[ASGIApp]:
    async with open_log_service(Settings(data=folder)) as (app, guarded):
        yield guarded
        app.close()


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
