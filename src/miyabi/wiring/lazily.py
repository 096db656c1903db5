"""A log service that is opened when it is first needed: most requests of the task API never need it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from miyabi.logs import Group, LogPage, Logs, Stream
from miyabi.model import NewEvent, Writer


class LazyLogs:
    """:class:`miyabi.logs.Logs`, opened by ``open_now`` at the first call; a failure is tried again at the next."""

    def __init__(self, open_now: Callable[[], Awaitable[Logs]]) -> None:
        self._open_now = open_now
        self._logs: Logs | None = None
        self._turn = asyncio.Lock()

    async def opened(self) -> Logs:
        """The log service itself."""
        async with self._turn:
            if self._logs is None:
                self._logs = await self._open_now()
            return self._logs

    async def append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None = None) -> int:
        return await (await self.opened()).append(group, stream, events, writer)

    async def read(
        self, group: str, stream: str, *, after: str = "", before: str | None = None, limit: int = 1000
    ) -> LogPage:
        return await (await self.opened()).read(group, stream, after=after, before=before, limit=limit)

    async def changed(self, after: str = "", limit: int = 1000) -> Sequence[Stream]:
        return await (await self.opened()).changed(after, limit)

    async def wait(self, after: str, timeout: float) -> bool:
        return await (await self.opened()).wait(after, timeout)

    async def groups(self) -> Sequence[Group]:
        return await (await self.opened()).groups()

    async def ping(self) -> None:
        await (await self.opened()).ping()

    async def close(self) -> None:
        if self._logs is not None:
            await self._logs.close()
