"""One look at the feeds for all viewers: what changed last, kept for a while, and a signal that more has come.

A viewer is only a place in the feed. It asks what changed since, gets each task once in its newest state, and comes
back when it has sent that: a slow viewer gets fewer, newer states and holds no memory here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from miyabi.database import LINES_READ, Database, DatabaseUnavailable
from miyabi.logs import Logs, LogsUnavailable

KEPT = 4096
"""Tasks whose last change is kept in memory; who is further behind reads the database."""
WAIT_SECONDS = 30.0
RETRY_SECONDS = 1.0

Change = tuple[int, str, bytes]
"""Number of the change within this process, the task's id, and the task as JSON."""


class Hub:
    """Follows the database's change feed (and, while somebody looks at lines, the logs') for every viewer."""

    def __init__(self, database: Database, logs: Logs) -> None:
        self._database = database
        self._logs = logs
        self._latest: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._number = 0
        self._forgotten = 0
        self._feed = ""
        self._watchers: dict[tuple[str, str], set[asyncio.Event]] = {}
        self._everybody: set[asyncio.Event] = set()
        self._jobs: list[asyncio.Task[None]] = []
        self._lines_wanted = asyncio.Event()
        self.closed = False

    @property
    def feed(self) -> str:
        """Where the database's feed stands for what has been handed on."""
        return self._feed

    async def start(self) -> None:
        """Find the feed's end, then follow it."""
        self._feed = (await self._database.changed(limit=0)).next
        self._jobs = [asyncio.create_task(self._forever(step)) for step in (self._follow_tasks, self._follow_lines)]

    async def stop(self) -> None:
        """Wake every viewer for the last time."""
        self.close()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def close(self) -> None:
        """Tell viewers to end their streams; may be called from a signal handler's thread of control."""
        self.closed = True
        for event in self._everybody:
            event.set()

    @property
    def number(self) -> int:
        """The number of the newest change."""
        return self._number

    def since(self, number: int) -> list[Change] | None:
        """Tasks changed after ``number``, oldest change first; ``None`` when that is further back than is kept."""
        if number < self._forgotten:
            return None
        newest: list[Change] = []
        for task_id, (changed, body) in reversed(self._latest.items()):
            if changed <= number:
                break
            newest.append((changed, task_id, body))
        newest.reverse()
        return newest

    def watch(self, stream: tuple[str, str] | None) -> asyncio.Event:
        """An event that is set whenever a task changed, and, for a ``(group, stream)``, when it has new lines."""
        event = asyncio.Event()
        self._everybody.add(event)
        if stream:
            self._watchers.setdefault(stream, set()).add(event)
            self._lines_wanted.set()
        return event

    def unwatch(self, stream: tuple[str, str] | None, event: asyncio.Event) -> None:
        """Let go of :meth:`watch`'s event."""
        self._everybody.discard(event)
        if stream and stream in self._watchers:
            self._watchers[stream].discard(event)
            if not self._watchers[stream]:
                del self._watchers[stream]

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except (DatabaseUnavailable, LogsUnavailable):
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow_tasks(self) -> None:
        if not await self._database.wait(self._feed, WAIT_SECONDS):
            return
        changes = await self._database.changed(self._feed)
        for task in changes.tasks:
            self._number += 1
            self._latest[task.task_id] = (self._number, msgspec.json.encode(task))
            self._latest.move_to_end(task.task_id)
        while len(self._latest) > KEPT:
            self._forgotten = self._latest.popitem(last=False)[1][0]
        self._feed = changes.next
        for event in self._everybody:
            event.set()

    async def _follow_lines(self) -> None:
        await self._lines_wanted.wait()
        touched = await self._newest_touch(await self._database.cursor(LINES_READ))
        while self._watchers:
            if await self._logs.wait(touched, WAIT_SECONDS):
                touched = await self._newest_touch(touched)
        self._lines_wanted.clear()

    async def _newest_touch(self, touched: str) -> str:
        while streams := await self._logs.changed(touched):
            touched = streams[-1].touched
            for stream in streams:
                for event in self._watchers.get((stream.group, stream.name), ()):
                    event.set()
        return touched
