"""A TCP connection that can be cut: what goes in comes out at another address, until something is done to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit


class Cable:
    """Leads from :attr:`url` to the server at ``target``. Use it as ``async with``."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = parts.hostname, parts.port
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Future[None]] = set()
        self.port = 0
        self.lose_answers = 0
        """So many answers from here on are lost, and their connections with them; requests arrive."""
        self.silent = False
        """Nothing passes, and nothing breaks."""
        self.requests = 0
        """Pieces that came for the server."""
        self.asked = asyncio.Event()
        """Set with each of them; whoever counts them clears it."""

    @property
    def url(self) -> str:
        """Its near end."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Cable:
        await self.mend()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Take connections, on the same port as ever."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break all connections and take no more."""
        if self._server:
            self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """Break all connections; new ones may come."""
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*self._connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(self._connect(reader, writer))
        self._connections.add(connection)
        await connection
        self._connections.discard(connection)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ends = {writer, far_writer}
        self._ends |= ends
        tasks = [
            asyncio.ensure_future(way) for way in (self._there(reader, far_writer), self._back(far_reader, writer))
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self._ends -= ends
        for end in ends:
            end.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                self.requests += 1
                self.asked.set()
                if not self.silent:
                    writer.write(data)
                    await writer.drain()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.lose_answers:
                    self.lose_answers -= 1
                    return
                writer.write(data)
                await writer.drain()
