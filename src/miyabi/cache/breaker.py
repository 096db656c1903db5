"""A circuit breaker before a cache that other processes share: while it fails, nobody waits for it.

After an outage the cache may hold what is no longer true: puts that did not arrive, a server that came back with old
data. So it is not read again until somebody who knows what has changed since has put that again and says so
(:meth:`Breaker.mended`). One slow answer is no outage: no other server takes over that fast. Then only the puts that
were slow can be missing, and these are known (:attr:`Breaker.missing`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from miyabi.cache import Cache, CacheResting, CacheSlow, CacheUnavailable, Listing
from miyabi.model import Project, Task

K = TypeVar("K")
T = TypeVar("T")

FIRST_REST, LONGEST_REST = 0.1, 2.0
"""Seconds until it is tried again: twice as long after each failure, and up to half of that less, at random."""

DOUBT_SECONDS = 1.0
"""A cache that has answered within this time is still the one that it was, however slow it is now."""
MOST_MISSING = 1000


class Breaker:
    """:class:`miyabi.cache.Cache`. ``now`` gives seconds, ``random`` 0 to 1.

    ``kept``: somebody calls :meth:`mended`; else it is read again as soon as it answers.
    """

    def __init__(self, cache: Cache, now: Callable[[], float], random: Callable[[], float], *, kept: bool) -> None:
        self._cache = cache
        self._now = now
        self._random = random
        self._kept = kept
        self._in_a_row = 0
        self._rests_until = 0.0
        self._answered_at = now() - DOUBT_SECONDS
        self._trying = False
        self.failures = 0
        """Calls that have failed so far."""
        self.broken = asyncio.Event()
        """Set from the beginning, and from a failure, until what it holds is known to be true."""
        self.missing: dict[str, Task] | None = None if kept else {}
        """All that it may lack, by id; ``None``: that can't be told, it may hold anything."""
        if kept:
            self.broken.set()

    def mended(self, failures: int) -> None:
        """What has changed was put again and nothing has failed since there were so many ``failures``."""
        if failures == self.failures:
            self.missing = {}
            self.broken.clear()

    async def doubted(self) -> Sequence[Task]:
        """The tasks that it holds as active, right or wrong."""
        return await self._call(self._cache.listing, "active") or ()

    async def task(self, task_id: str) -> Task | None:
        return await self._read(self._cache.task, task_id)

    async def put(self, tasks: Sequence[Task]) -> None:
        try:
            await self._call(self._cache.put, tasks)
        except CacheUnavailable:
            self._miss(tasks)
            raise

    async def listing(self, name: Listing) -> tuple[Task, ...] | None:
        return await self._read(self._cache.listing, name)

    async def fill(self, name: Listing, tasks: Sequence[Task], since: str) -> None:
        await self._call(self._cache.fill, name, tasks, since)

    async def mark(self) -> str:
        return await self._call(self._cache.mark)

    async def project(self, project_id: str) -> Project | None:
        return await self._read(self._cache.project, project_id)

    async def put_project(self, project: Project) -> None:
        try:
            await self._call(self._cache.put_project, project)
        except CacheUnavailable:
            self._doubt()
            raise

    def heard(self) -> AsyncGenerator[Task]:
        return self._cache.heard()

    async def ping(self) -> None:
        await self._call(self._cache.ping)

    async def close(self) -> None:
        await self._cache.close()

    async def _read(self, read: Callable[[K], Awaitable[T]], key: K) -> T:
        if self.broken.is_set() and self._kept:
            raise CacheResting("the cache is not read until it is known to be right again")
        return await self._call(read, key)

    async def _call(self, call: Callable[..., Awaitable[T]], *arguments: object) -> T:
        if self._in_a_row and (self._trying or self._now() < self._rests_until):
            raise CacheResting("the cache failed a moment ago")
        self._trying = True
        try:
            result = await call(*arguments)
        except CacheUnavailable as error:
            self._rest()
            if not isinstance(error, CacheSlow) or self._now() - self._answered_at >= DOUBT_SECONDS:
                self._doubt()
            raise
        finally:
            self._trying = False
        self._in_a_row = 0
        self._answered_at = self._now()
        if not self._kept:
            self.broken.clear()
        return result

    def _doubt(self) -> None:
        self.failures += 1
        self.missing = None
        self.broken.set()

    def _miss(self, tasks: Sequence[Task]) -> None:
        """These were not put, or nobody knows whether they were."""
        self.failures += 1
        self.broken.set()
        if self.missing is not None:
            newer = (task for task in tasks if _is_newer(task, self.missing.get(task.task_id)))
            self.missing |= {task.task_id: task for task in newer}
            self.missing = self.missing if len(self.missing) <= MOST_MISSING else None

    def _rest(self) -> None:
        """Calls that were under way together count as one failure more."""
        if self._now() < self._rests_until:
            return
        rest = min(LONGEST_REST, FIRST_REST * 2**self._in_a_row)
        self._rests_until = self._now() + rest * (1 - self._random() / 2)
        self._in_a_row += 1


def _is_newer(task: Task, known: Task | None) -> bool:
    return known is None or known.timestamp < task.timestamp
