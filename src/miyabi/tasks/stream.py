"""``GET /api/events``: the change feed as Server-Sent Events, for all tasks or for one with its lines.

An event's id is ``FEED|POSITION``: a place in the database's change feed and one in the task's log stream. A client
that comes back with it, to this process or another, gets what it missed: each task once, in its newest state.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import NamedTuple

import msgspec

from miyabi.database import Database, DatabaseUnavailable
from miyabi.logs import LogPage, Logs, LogsUnavailable
from miyabi.model import Task
from miyabi.principal import EVERYTHING, Sight
from miyabi.tasks.hub import Hub, Signal, task_event

KEEP_ALIVE_SECONDS = 15.0
GAP_SECONDS = 0.02
"""Least time between two looks at a task's lines."""
RETRY_SECONDS = 1.0
LONGEST = 7 * 86_400.0
"""Seconds after which a viewer has to come again, whatever its token says."""
MISSED_AT_ONCE = 200
LINES_PAGE = 1000
PAGES_AT_ONCE = 20


class Watch(NamedTuple):
    """What a viewer looks at: a task with its stream, or everything (all ``None``) that is in ``sight``."""

    task_id: str | None = None
    stream: tuple[str, str] | None = None
    position: str = ""
    sight: Sight = EVERYTHING

    def shows(self, task: Task) -> bool:
        """Whether this viewer is told of the task."""
        return self.task_id in (None, task.task_id) and self.sight.holds(task.project_id)


class Place(NamedTuple):
    """Where a viewer stands."""

    feed: str
    position: str

    @classmethod
    def parse(cls, event_id: str) -> Place | None:
        """The place that an event's id names; ``None`` when it is not one of ours. A line end would begin a field."""
        feed, bar, position = event_id.partition("|")
        return cls(feed, position) if bar and feed and event_id.isprintable() else None

    def __str__(self) -> str:
        return f"{self.feed}|{self.position}"


class Viewer:
    """One connection's way through the feeds."""

    def __init__(self, hub: Hub, database: Database, logs: Logs, watch: Watch) -> None:
        self._hub = hub
        self._database = database
        self._logs = logs
        self._watch = watch
        self._position = watch.position
        self._last: Place | None = None
        self._number = 0
        self._over = False

    async def events(
        self, last: Place | None, gap: float = GAP_SECONDS, retry: float = RETRY_SECONDS, seconds: float = LONGEST
    ) -> AsyncGenerator[bytes]:
        """Bursts of events until the hub closes; a comment when nothing else was sent for a while.

        While a store does not answer it is asked again every ``retry`` seconds: the stream outlives that. It ends
        after ``seconds``, with the token that it was asked for with; and where the task that is watched leaves sight.
        """
        signal = self._hub.watch(self._watch.task_id, self._watch.stream)
        end = asyncio.get_running_loop().call_later(max(0.0, min(seconds, LONGEST)), self._end, signal)
        try:
            self._last, self._number = last, self._hub.number
            yield self._hello()
            while not self._closed:
                try:
                    async with aclosing(self._news(signal, gap)) as bursts:
                        async for burst in bursts:
                            yield burst
                except (DatabaseUnavailable, LogsUnavailable):
                    yield b": a store does not answer\n\n"
                    await asyncio.sleep(retry)
        finally:
            end.cancel()
            self._hub.unwatch(signal, self._watch.task_id, self._watch.stream)

    @property
    def _closed(self) -> bool:
        return self._over or self._hub.closed

    def _end(self, signal: Signal) -> None:
        self._over = True
        signal.ring()

    async def _news(self, signal: Signal, gap: float) -> AsyncGenerator[bytes]:
        """What was missed, then what comes; begun again after a failure, it goes on where it was."""
        if self._last is not None and await self._ours(self._last):
            self._position = self._last.position or self._position
            async for tasks, feed in missed(self._database, self._last.feed, self._watch):
                if tasks:
                    yield task_events(tasks, Place(feed, self._position))
        self._last = None
        signal.lines = True
        while not self._closed:
            signal.event.clear()
            if self._watch.task_id and not self._hub.may_see(self._watch.task_id, self._watch.sight):
                self._over = True
                return
            burst = self._changed()
            if burst:
                yield burst
            read = False
            if signal.lines:
                async for lines in self._lines(signal):
                    yield lines
                    read = True
            if read:
                await asyncio.sleep(gap)
            elif not burst and not await _within(signal.event, KEEP_ALIVE_SECONDS):
                yield b": still here\n\n"

    def _changed(self) -> bytes:
        task_id, feed, since = self._watch.task_id, self._hub.feed, self._number
        self._number = self._hub.number
        sight = self._watch.sight
        burst = self._hub.since(since, sight) if task_id is None else self._hub.since_of(task_id, since)
        return self._hello() if burst is None else ended(burst, Place(feed, self._position))

    def _hello(self) -> bytes:
        return event("hello", b"{}", Place(self._hub.feed, self._position))

    async def _ours(self, place: Place) -> bool:
        """Whether these stores made the place; a browser may come back with one of another board's."""
        try:
            await self._database.changed(place.feed, limit=0)
            if self._watch.stream and place.position:
                await self._logs.read(*self._watch.stream, after=place.position, limit=1)
        except ValueError:
            return False
        return True

    async def _lines(self, signal: Signal) -> AsyncIterator[bytes]:
        """New lines, page by page; after some pages the rest waits, for a task's changes to come through between."""
        if self._watch.stream is None:
            return
        for _ in range(PAGES_AT_ONCE):
            if self._closed:
                return
            signal.lines = False
            page = await self._logs.read(*self._watch.stream, after=self._position, limit=LINES_PAGE)
            if not page.events:
                return
            signal.lines = True
            self._position = page.next
            yield lines_event(page, Place(self._hub.feed, self._position))


async def missed(database: Database, feed: str, watch: Watch) -> AsyncIterator[tuple[list[Task], str]]:
    """What of the watched changed since ``feed``, by pages, each with the place behind it."""
    while True:
        changes = await database.changed(feed, limit=MISSED_AT_ONCE)
        feed = changes.next
        if not changes.tasks:
            return
        yield [task for task in changes.tasks if watch.shows(task)], feed


def task_events(tasks: Sequence[Task], place: Place) -> bytes:
    """Tasks as events, of which only the last carries an id: the place counts once all of them have come."""
    return ended(b"\n".join(map(task_event, tasks)), place)


def lines_event(page: LogPage, place: Place) -> bytes:
    """A page of a task's lines as an event."""
    return event("lines", msgspec.json.encode({"events": page.events, "next": page.next}), place)


def event(name: str, data: bytes, place: Place) -> bytes:
    """An event with its id."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), str(place).encode(), data)


def ended(burst: bytes, place: Place) -> bytes:
    """A burst of events, the last of which was left open, with its end."""
    return burst + f"id: {place}\n\n".encode() if burst else b""


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):  # spares the task that wait_for makes
            return await event.wait()
    except TimeoutError:
        return False
