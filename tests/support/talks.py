"""A server of which every connection goes as a test says."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

RESET = struct.pack("ii", 1, 0)
"""``SO_LINGER``: a close is a reset."""


class Line:
    """One connection, as the server has it. Once :attr:`ended` is set the client has ended it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.ended = asyncio.Event()
        self.heads: list[bytes] = []
        """Of the requests that were heard."""

    async def hear(self) -> bytes:
        """The next request's body."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return await self._reader.readexactly(int(lengths[0].partition(b":")[2])) if lengths else b""

    async def say(self, data: bytes) -> None:
        """Send it as it is."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, body: bytes = b"{}", status: str = "200 OK", more: str = "") -> None:
        """Answer a request."""
        await self.say(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)

    async def serve(self) -> None:
        """Answer each request with what it says."""
        while True:
            await self.answer(await self.hear())

    async def until_ended(self) -> None:
        """Say nothing until the client ends the connection."""
        with suppress(ConnectionError):
            await self._reader.read()
        self.ended.set()

    def reset(self) -> None:
        """End the connection at once, with a reset."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


Talk = Callable[[Line], Awaitable[object]]


class Server:
    """Has the connections that came, in ``lines``; ``url`` is its address."""

    def __init__(self, *talks: Talk, tls: ssl.SSLContext | None = None) -> None:
        self._talks, self._tls = talks, tls
        self.lines: list[Line] = []
        self.url = ""

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Go through the next talk; the last one is for all connections that follow."""
        line = Line(reader, writer)
        self.lines.append(line)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._talks[min(len(self.lines), len(self._talks)) - 1](line)
        finally:
            line.ended.set()
            await line.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        """On a port of 127.0.0.1."""
        tasks: set[asyncio.Task[None]] = set()

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            tasks.add(task)
            await self.meet(reader, writer)

        server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=self._tls)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://localhost:{port}/"
        try:
            yield self
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
