"""Keeping a shared cache right: what changes in the database is put into it, whoever wrote it and however that ended.

A writer may die between the database and the cache, or not reach the cache at all. The database's change feed tells of
its write all the same. After an outage everything since a while before it is put again, and then the cache is read;
when it was only slow for a moment, what was not put then: that needs no database, which may be away just now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from miyabi.cache import NEWEST, Cache, CacheUnavailable
from miyabi.cache.breaker import Breaker
from miyabi.database import MAX_PAGE, Database, TaskQuery
from miyabi.database.follow import place_of
from miyabi.model import Task

PLACE_SECONDS = 1.0
LAG_SECONDS = 10.0
"""How far a replica that takes over may lag behind the server that failed."""
RETRY_SECONDS = 0.25
PAGE = 500
PLACE_KEPT = "cache-kept"
"""Name of the memo of the place up to which :class:`Kept` has put the changes into the cache."""


class Keeper:
    """Puts the database's changes into ``cache``. ``now`` gives seconds; ``sleep`` waits for so many."""

    def __init__(
        self,
        database: Database,
        cache: Breaker,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._cache = cache
        self._now = now
        self._sleep = sleep
        self._begun = False
        self._places: deque[tuple[float, str]] = deque()

    async def took(self, tasks: Sequence[Task], place: str) -> None:
        """``tasks`` have changed, and the feed stood at ``place`` before that."""
        if not self._places or self._now() - self._places[-1][0] >= PLACE_SECONDS:
            self._places.append((self._now(), place))
        if not self._cache.broken.is_set():
            self._forget()
        try:
            await self._cache.put(tasks)
        except CacheUnavailable:
            return

    async def mend(self) -> None:
        """Wait until the cache breaks, and put it right once it answers. Raises ``DatabaseUnavailable``."""
        await self._cache.broken.wait()
        while self._cache.broken.is_set():
            failures = self._cache.failures
            try:
                await self._put_again()
            except CacheUnavailable:
                await self._sleep(RETRY_SECONDS)
            else:
                self._cache.mended(failures)

    async def _put_again(self) -> None:
        await self._cache.ping()
        if self._cache.missing is not None:
            await self._cache.put(list(self._cache.missing.values()))
            return
        if not self._begun:
            await self._begin()
        place = self._places[0][1] if self._places else (await self._database.changed(limit=0)).next
        while (changes := await self._database.changed(place, PAGE)).tasks:
            await self._cache.put(changes.tasks)
            place = changes.next

    async def _begin(self) -> None:
        """What may be wrong since nobody kept it: the newest tasks, and those active by the cache or the database."""
        doubted = await self._database.get([task.task_id for task in await self._cache.doubted()])
        active = await self._database.tasks(TaskQuery(active=True), limit=MAX_PAGE)
        newest = await self._database.tasks(TaskQuery(), limit=NEWEST)
        await self._cache.put([*(one.task for one in doubted if one), *active.tasks, *newest.tasks])
        self._begun = True

    def _forget(self) -> None:
        """Places that are too old to be gone back to; the newest of those stays, for there may be none since."""
        while len(self._places) > 1 and self._now() - self._places[1][0] >= LAG_SECONDS:
            self._places.popleft()


class Kept:
    """What a :class:`Keeper` does, where no process lives on to do it: now and then, from a place that is remembered.

    A change whose writer died before it reached the cache is there when :meth:`again` was called next.
    """

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def again(self) -> None:
        """Put what has changed since the last time. While the cache is away the place stays.

        Raises ``DatabaseUnavailable``.
        """
        place, _ = await place_of(self._database, PLACE_KEPT)
        while (changes := await self._database.changed(place, PAGE)).tasks:
            try:
                await self._cache.put(changes.tasks)
            except CacheUnavailable:
                return
            place = changes.next
            await self._database.set_memo(PLACE_KEPT, place)
