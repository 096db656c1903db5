"""Reading a stream again from its beginning, with today's reader: what the task is now and what its history was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import groupby

from msgspec.structs import replace

from miyabi.collector.careful import careful
from miyabi.collector.step import HISTORY_MILLIS, Runs
from miyabi.database import Bookmark, Current, Save
from miyabi.logs import LogPage, Logs
from miyabi.model import TTL_SECONDS, Details, LogEvent, Progress, Task, iso, millis

PAGE = 2000
MOST_VERSIONS = 4000
"""A history that would be longer is thinned out evenly."""
_BY_HAND = ("task_name", "priority", "description", "github", "metadata")
"""What people say of a task; no line knows better."""


class Replay:
    """What the lines of a stream make of a task that nothing is known of yet."""

    def __init__(self, task: Task, runs: Runs) -> None:
        self._stream = task.details.log_group or "", task.details.log_stream or task.task_id
        self._runs = runs
        self._state = Current(_unread(task))
        self._versions: list[Task] = []
        self._every = 1
        self._kept = 0
        self.lines = 0

    async def read(self, logs: Logs) -> None:
        """All lines of the stream, page by page; called again, those that have come since."""
        position = self._state.bookmark.position if self._state.bookmark else ""
        async for page in _pages(logs, *self._stream, position):
            self.lines += len(page.events)
            for events in _by_time(page.events):
                self._step(events, events[-1].position)
            if self._state.bookmark is not None:
                self._state = Current(self._state.task, Bookmark(page.next, self._state.bookmark.reader))

    def save(self, current: Current, now: int) -> Save | None:
        """The write that upgrades ``current``; ``None`` when its lines are gone or it was reopened after them."""
        was, task = current.task, self._state.task
        if not self.lines or (task.final and not was.final):
            return None
        if was.status == "cancelled" or (was.final and not task.final):
            task = replace(
                task, status=was.status, completed_at=was.completed_at, duration_seconds=was.duration_seconds
            )
        now = max(now, was.timestamp + 1)
        by_hand = {name: getattr(was, name) for name in _BY_HAND}
        task = replace(task, **by_hand, timestamp=now, updated_at=iso(now), ttl=now // 1000 + TTL_SECONDS)
        earlier = [version for version in self._versions if version.timestamp < now]
        return Save(task, current, self._state.bookmark, history=earlier)

    def _step(self, events: Sequence[LogEvent], position: str) -> None:
        save = careful(self._state, self._state.task, events, position, events[-1].timestamp, self._runs)
        self._state = Current(save.task, save.bookmark)
        if save.kept:
            self._keep(save.task)

    def _keep(self, version: Task) -> None:
        self._kept += 1
        if self._kept % self._every == 0:
            self._versions.append(version)
        if len(self._versions) > MOST_VERSIONS:
            self._versions = self._versions[::2]
            self._every *= 2


def _unread(task: Task) -> Task:
    """The task as it was before its first line."""
    details = Details(
        log_group=task.details.log_group, log_stream=task.details.log_stream, command=task.details.command
    )
    return replace(
        task,
        status="running",
        progress=Progress(),
        details=details,
        completed_at=None,
        duration_seconds=None,
        timestamp=millis(task.created_at),
        updated_at=task.created_at,
    )


async def _pages(logs: Logs, group: str, stream: str, position: str) -> AsyncIterator[LogPage]:
    while True:
        page = await logs.read(group, stream, after=position, limit=PAGE)
        if not page.events:
            return
        yield page
        position = page.next


def _by_time(events: Sequence[LogEvent]) -> list[list[LogEvent]]:
    """Those that a history tells apart."""
    return [list(some) for _, some in groupby(events, lambda event: event.timestamp // HISTORY_MILLIS)]
