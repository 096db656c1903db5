"""What is written in one turn of the event loop leaves in one system call: uvicorn writes a head, then its body."""

from __future__ import annotations

import asyncio
from typing import Any

MOST_BYTES = 65_536
"""Not more is held back: the transport must see what a client does not take."""


class Corked(asyncio.Transport):
    """``transport`` for a protocol that writes piece by piece. All but writing and ending is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Have it sent at the end of this turn, or at once where that much waits already."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(bytes(data))
        self._size += len(data)
        if self._size > MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send it now; to who has gone nothing is sent."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self._transport.is_closing():
            self._transport.write(waiting[0]) if len(waiting) == 1 else self._transport.writelines(waiting)

    def get_write_buffer_size(self) -> int:
        """Bytes that have not left, here or there."""
        return self._transport.get_write_buffer_size() + self._size

    def write_eof(self) -> None:
        """Send it, and say that nothing follows."""
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Send it, then end."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def can_write_eof(self) -> bool:
        return self._transport.can_write_eof()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)
