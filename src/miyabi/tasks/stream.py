"""``GET /api/events``: the change feed as Server-Sent Events, for all tasks or for one with its lines.

An event's id is ``FEED|POSITION``: a place in the database's change feed and one in the task's log stream. A client
that comes back with it, to this process or another, gets what it missed: each task once, in its newest state.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import NamedTuple

import msgspec

from miyabi.database import Database
from miyabi.logs import Logs
from miyabi.tasks.hub import Hub

KEEP_ALIVE_SECONDS = 15.0
GAP_SECONDS = 0.02
"""Least time between two bursts to one viewer: many changes of a task in it are one event."""
LINES_PAGE = 1000
PAGES_AT_ONCE = 20


class Watch(NamedTuple):
    """What a viewer looks at: a task with its stream, or everything (all ``None``)."""

    task_id: str | None = None
    stream: tuple[str, str] | None = None
    position: str = ""


class Place(NamedTuple):
    """Where a viewer stands."""

    feed: str
    position: str

    @classmethod
    def parse(cls, event_id: str) -> Place | None:
        """The place that an event's id names; ``None`` when it is not one of ours."""
        feed, bar, position = event_id.partition("|")
        return cls(feed, position) if bar and feed else None

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

    async def events(self, last: Place | None, gap: float = GAP_SECONDS) -> AsyncGenerator[bytes]:
        """Bursts of events until the hub closes; a comment when nothing else was sent for a while."""
        signal = self._hub.watch(self._watch.stream)
        try:
            number = self._hub.number
            yield self._event("hello", b"{}", self._hub.feed)
            if last is not None and await self._ours(last):
                self._position = last.position or self._position
                async for burst in self._missed(last.feed):
                    yield burst
            while not self._hub.closed:
                signal.clear()
                burst, number = self._changed(number)
                sent = bool(burst)
                if burst:
                    yield burst
                async for lines in self._lines():
                    yield lines
                    sent = True
                if sent:
                    await asyncio.sleep(gap)
                elif not await _within(signal, KEEP_ALIVE_SECONDS):
                    yield b": still here\n\n"
        finally:
            self._hub.unwatch(self._watch.stream, signal)

    def _changed(self, number: int) -> tuple[bytes, int]:
        changes = self._hub.since(number)
        feed, newest = self._hub.feed, self._hub.number
        if changes is None:
            return self._event("hello", b"{}", feed), newest
        wanted = self._watch.task_id
        bodies = [body for _, task_id, body in changes if wanted is None or task_id == wanted]
        return self._burst(bodies, feed), newest

    async def _ours(self, place: Place) -> bool:
        """Whether these stores made the place; a browser may come back with one of another board's."""
        try:
            await self._database.changed(place.feed, limit=0)
            if self._watch.stream and place.position:
                await self._logs.read(*self._watch.stream, after=place.position, limit=1)
        except ValueError:
            return False
        return True

    async def _missed(self, feed: str) -> AsyncIterator[bytes]:
        while True:
            changes = await self._database.changed(feed)
            feed = changes.next
            wanted = self._watch.task_id
            bodies = [msgspec.json.encode(t) for t in changes.tasks if wanted is None or t.task_id == wanted]
            if bodies:
                yield self._burst(bodies, feed)
            if not changes.tasks:
                return

    async def _lines(self) -> AsyncIterator[bytes]:
        """New lines, page by page; after some pages the rest waits, for a task's changes to come through between."""
        if self._watch.stream is None:
            return
        for _ in range(PAGES_AT_ONCE):
            page = await self._logs.read(*self._watch.stream, after=self._position, limit=LINES_PAGE)
            if not page.events:
                return
            self._position = page.next
            body = msgspec.json.encode({"events": page.events, "next": page.next})
            yield self._event("lines", body, self._hub.feed)

    def _burst(self, bodies: Iterable[bytes], feed: str) -> bytes:
        """Task events, of which only the last carries an id: the place counts once all of them have come."""
        events = [b"event: task\ndata: " + body + b"\n" for body in bodies]
        if not events:
            return b""
        return b"\n".join(events) + f"id: {Place(feed, self._position)}\n\n".encode()

    def _event(self, name: str, data: bytes, feed: str) -> bytes:
        return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), str(Place(feed, self._position)).encode(), data)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
