"""A log service on a free port of this process, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from threading import Event, Thread

import uvicorn

from miyabi.settings import Settings
from miyabi.wiring.services import open_log_service

READY_SECONDS = 20.0


class LogServer:
    """Serves the logs of ``folder`` at :attr:`url` until it is closed."""

    def __init__(self, folder: Path) -> None:
        self._sock = socket.socket(proto=socket.IPPROTO_TCP)  # for others asyncio leaves Nagle's delay on
        self._sock.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._sock.getsockname()[1]}"
        self._server: uvicorn.Server | None = None
        self._ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(folder)), daemon=True)
        self._thread.start()
        assert self._ready.wait(READY_SECONDS), "the log service did not start"
        assert self._server is not None

    def close(self) -> None:
        """End it, with the store behind it closed."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join()
        self._sock.close()

    async def _serve(self, folder: Path) -> None:
        try:
            async with open_log_service(Settings(data=folder)) as (app, guarded):
                config = uvicorn.Config(guarded, log_config=None, timeout_graceful_shutdown=1, http="httptools")
                self._server = _Server(config, self._ready)
                await self._server.serve([self._sock])
                app.close()
        finally:
            self._ready.set()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
