"""The feed of changes: the StatusIndex by the time of the last save, with a window for what comes late.

An index follows its table after a moment, and writers' clocks differ. So each look goes back by the margin behind
its place, and what was given out from there already is remembered: in this process's memory, by a digest in the cursor,
so that a cursor stays short. A process that did not make the cursor gives the tasks of that window once more.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple

from miyabi.database import Changes
from miyabi.database.dynamodb_calls import Calls
from miyabi.database.dynamodb_items import Item, Tables, current_key, task_of
from miyabi.database.dynamodb_reads import LOWEST, Entry, Reader, Source, of_statuses
from miyabi.model import LATEST, iso, millis

REMEMBERED = 1024
"""Cursors whose window is kept in memory."""
MOST_SEEN = 100_000
"""Tasks in all windows together: some 15 MB."""
LEAST_CHUNK = 20
SOONEST_SECONDS = 0.05
"""First look for what this process has just saved; the index may follow later, so the next ones are further apart."""

_CURSOR = re.compile(r"d(\d{1,15})-([0-9a-f]{16})")

Seen = Mapping[str, str]
"""Task id → when its state was saved that was given out; of the last while only."""


class FeedPlace(NamedTuple):
    """How far the feed was read: time of the newest save given out (ms), and what was given out shortly before."""

    ms: int = 0
    seen: Seen = MappingProxyType({})


class Pace(NamedTuple):
    """How often the feed is looked at: ``poll`` seconds apart, and no sooner than ``rest`` after it had something."""

    poll: float = 5.0
    rest: float = 1.0


class Feed:
    """Follows changes. ``now``: the time in ms; ``margin``: ms by which clocks and the index may be late."""

    def __init__(
        self, calls: Calls, reader: Reader, tables: Tables, now: Callable[[], int], margin: int, pace: Pace
    ) -> None:
        self._calls, self._reader, self._table = calls, reader, tables.tasks
        self._now, self._margin, self._pace = now, margin, pace
        self._windows: OrderedDict[str, Seen] = OrderedDict()
        self._held = 0
        self._rung = asyncio.Event()
        self._rested = 0.0

    async def changes(self, after: str, limit: int) -> Changes:
        """What changed after a place."""
        place = self._place(after)
        if limit <= 0:
            return Changes([], self._cursor(await self._end()))
        entries = await self._look(place, limit)
        if not entries:
            return Changes([], after or self._cursor(place))
        keys = (current_key(entry.task_id) for entry in entries)
        items = await self._reader.get(self._table, keys, "task_id", consistent=True)
        found = [items[entry.task_id] for entry in entries if entry.task_id in items]
        return Changes([task_of(item) for item in found], self._cursor(self._moved(place, entries, items)))

    async def wait(self, after: str, timeout: float) -> bool:
        """Whether something changes after a place within ``timeout`` seconds."""
        place, loop = self._place(after), asyncio.get_running_loop()
        deadline = loop.time() + timeout
        if timeout > 0:
            await asyncio.sleep(min(timeout, max(0.0, self._rested - loop.time())))
        pause = self._pace.poll
        while True:
            rung = self._rung
            if await self._look(place, 1):
                self._rested = loop.time() + self._pace.rest
                return True
            if (left := deadline - loop.time()) <= 0:
                return False
            if await _rings(rung, min(pause, left)):
                pause = 0.0
            pause = min(self._pace.poll, max(SOONEST_SECONDS, 2 * pause))

    def ring(self) -> None:
        """Something was saved by this process."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def _look(self, place: FeedPlace, limit: int) -> list[Entry]:
        """Up to ``limit`` tasks that changed, oldest change first."""
        sources = of_statuses(self._calls, self._table, lower=self._since(place), forward=True)
        found: dict[str, Entry] = {}
        while left := [source for source in sources if not source.done]:
            if len(_ready(found, sources)) >= limit:
                break
            lowest = min(source.at for source in left)
            behind = [source for source in left if len(found) < limit or source.at == lowest]
            for entries in await asyncio.gather(*(source.read(max(limit, LEAST_CHUNK)) for source in behind)):
                for entry in entries:
                    _take(found, entry, place.seen)
        return _ready(found, sources)[:limit]

    async def _end(self) -> FeedPlace:
        """Where the feed ends now."""
        tops = of_statuses(self._calls, self._table, forward=False)
        newest = [entry for found in await asyncio.gather(*(top.read(1) for top in tops)) for entry in found]
        if not newest:
            return FeedPlace()
        place = FeedPlace(min(self._now(), max(millis(entry.sort) for entry in newest)))
        seen: dict[str, Entry] = {}
        sources = of_statuses(self._calls, self._table, lower=self._since(place), forward=True)
        await asyncio.gather(*(_drain(source, seen) for source in sources))
        return FeedPlace(place.ms, {task_id: entry.sort for task_id, entry in seen.items()})

    def _moved(self, place: FeedPlace, given: list[Entry], items: Mapping[str, Item]) -> FeedPlace:
        """The place behind what was given out: a task's state may be newer than its entry in the index was."""
        ms = max(place.ms, min(self._now(), millis(given[-1].sort)))
        seen = dict(place.seen)
        for entry in given:
            item = items.get(entry.task_id)
            seen[entry.task_id] = item["updated_at"]["S"] if item else entry.sort
        since = self._since(FeedPlace(ms))
        return FeedPlace(ms, {task_id: saved for task_id, saved in seen.items() if saved >= since})

    def _since(self, place: FeedPlace) -> str:
        return iso(place.ms - self._margin) if place.ms else LOWEST

    def _cursor(self, place: FeedPlace) -> str:
        window = " ".join(f"{task_id} {saved}" for task_id, saved in sorted(place.seen.items()))
        digest = blake2b(window.encode(), digest_size=8).hexdigest()
        self._held += len(place.seen) - len(self._windows.pop(digest, ()))
        self._windows[digest] = place.seen
        while len(self._windows) > REMEMBERED or (self._held > MOST_SEEN and len(self._windows) > 1):
            self._held -= len(self._windows.popitem(last=False)[1])
        return f"d{place.ms}-{digest}"

    def _place(self, cursor: str) -> FeedPlace:
        if cursor == "":
            return FeedPlace()
        match = _CURSOR.fullmatch(cursor)
        if not match or int(match[1]) > LATEST:
            raise ValueError(
                f"`{cursor[:80]}` is no cursor of this database; take one from an earlier answer, as it is"
            )
        return FeedPlace(int(match[1]), self._windows.get(match[2], {}))


def _take(found: dict[str, Entry], entry: Entry, seen: Seen) -> None:
    """Keep the newest entry of a task: it is in two partitions for the moment in which it moves."""
    known = found.get(entry.task_id)
    if seen.get(entry.task_id, "") < entry.sort and (not known or known.sort < entry.sort):
        found[entry.task_id] = entry


def _ready(found: Mapping[str, Entry], sources: list[Source]) -> list[Entry]:
    """What nothing unread can stand before, in the feed's order."""
    unread = min((source.at for source in sources if not source.done), default=None)
    ready = [entry for entry in found.values() if unread is None or entry.sort < unread]
    return sorted(ready, key=lambda entry: (entry.sort, entry.task_id))


async def _drain(source: Source, found: dict[str, Entry]) -> None:
    while not source.done:
        for entry in await source.read(200):
            _take(found, entry, {})


async def _rings(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
