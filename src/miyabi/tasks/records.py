"""Cache-aside: ask the cache, on a miss the database, warm the cache, answer. Without the cache only speed is lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from miyabi.cache import NEWEST, Cache, CacheResting, CacheUnavailable, Listing
from miyabi.counters import Counter
from miyabi.database import MAX_PAGE, Database, DatabaseUnavailable, Save, TaskPage, TaskQuery, cursor_after
from miyabi.model import Project, Task
from miyabi.tasks.flights import Flights, Unknown

log = logging.getLogger("miyabi.tasks")

K = TypeVar("K")
T = TypeVar("T")

SPARED = 100
CACHE_TRIES, CACHE_PAUSE_SECONDS = 10, 0.1
"""While the database is away, a cache that fails is asked again so often and so far apart: it is all there is."""
KINDS = ("task", "list")

TASK_HIT, LIST_HIT = (Counter("miyabi_cache_hits", "Reads that the cache answered", kind=kind) for kind in KINDS)
TASK_MISS, LIST_MISS = (
    Counter("miyabi_cache_misses", "Reads that went on to the database", kind=kind) for kind in KINDS
)
CACHE_FAILURES = Counter("miyabi_redis_connection_failures", "RedisConnectionFailures: the cache did not answer")


class Records:
    """Tasks and projects as the API reads and writes them. ``now`` gives seconds since any moment."""

    def __init__(
        self,
        database: Database,
        cache: Cache,
        database_name: str = "SQLite",
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._cache = cache
        self._wait = wait
        self._tasks: Flights[Task | None] = Flights()
        self._lists: Flights[tuple[Task, ...] | None] = Flights()
        self._unknown = Unknown(now)
        self._pages: dict[Listing, tuple[tuple[Task, ...], dict[int, TaskPage]]] = {}
        self._too_long = 0
        self._warning = f"Redis unavailable, using {database_name}"

    async def task(self, task_id: str) -> Task | None:
        """A task's current state. Of many who miss it in the cache at once, one asks the database for all."""
        cached = await self._try(self._cache.task(task_id), None)
        if cached is not None:
            TASK_HIT.inc()
            return cached
        if task_id in self._unknown:
            TASK_HIT.inc()
            return None
        TASK_MISS.inc()
        try:
            return await self._tasks.join(task_id, lambda: self._load(task_id))
        except DatabaseUnavailable:
            cached = await self._patiently(self._cache.task, task_id)
            if cached is None:
                raise
            return cached

    async def _load(self, task_id: str) -> Task | None:
        discarded = self._unknown.discarded
        current = (await self._database.get([task_id]))[0]
        if current is None:
            self._unknown.add(task_id, discarded)
            return None
        await self._try(self._cache.put([current.task]), None)
        return current.task

    async def tasks(self, query: TaskQuery, cursor: str | None, limit: int) -> TaskPage:
        """A page of tasks: the first page of the two hot lists from the cache, any other from the database."""
        name = _listing(query, limit) if cursor is None else None
        if name is None:
            return await self._database.tasks(query, cursor=cursor, limit=limit)
        whole = await self._try(self._cache.listing(name), None)
        if whole is None:
            LIST_MISS.inc()
            whole = await self._filled(name)
        else:
            LIST_HIT.inc()
        if whole is None:
            return await self._database.tasks(query, cursor=cursor, limit=limit)
        if query.projects is None:
            return self._page(name, whole, limit)
        return _part(name, whole, query.projects, limit) or await self._database.tasks(query, limit=limit)

    def _page(self, name: Listing, whole: tuple[Task, ...], limit: int) -> TaskPage:
        """The first page of a whole list: the same object while the list is, so that it need not be written anew."""
        of, pages = self._pages.get(name, ((), {}))
        if of is not whole:
            pages = {}
            self._pages[name] = (whole, pages)
        if limit not in pages:
            pages[limit] = _first_page(name, whole, limit)
        return pages[limit]

    async def save(self, save: Save) -> bool:
        """Write to the database, then to the cache. ``False``: somebody else wrote in between."""
        kept = (await self._database.save([save]))[0]
        if kept:
            self._written(save.task.task_id)
            await self._try(self._cache.put([save.task]), None)
        return kept

    def seen(self, tasks: Sequence[Task]) -> None:
        """Others have written these."""
        for task in tasks:
            self._unknown.discard(task.task_id)

    def _written(self, task_id: str) -> None:
        """What was asked of the database before must not be told to those who ask from now on."""
        self._unknown.discard(task_id)
        self._tasks.leave(task_id)
        self._lists.leave_all()

    async def save_project(self, project: Project) -> None:
        """Write to the database, then to the cache."""
        await self._database.save_project(project)
        await self._try(self._cache.put_project(project), None)

    async def _filled(self, name: Listing) -> tuple[Task, ...] | None:
        """A hot list by the database; by the cache after all when the database is away."""
        try:
            return await self._lists.join(name, lambda: self._fill(name))
        except DatabaseUnavailable:
            whole = await self._patiently(self._cache.listing, name)
            if whole is None:
                raise
            return whole

    async def _fill(self, name: Listing) -> tuple[Task, ...] | None:
        """Read a hot list whole, from the database into the cache; ``None`` when it is too long to keep.

        One that was too long is not looked at for the next :data:`SPARED` reads: it is dear and will still be.
        """
        if name == "active" and self._too_long:
            self._too_long -= 1
            return None
        since = await self._try(self._cache.mark(), "")
        query = TaskQuery(active=True) if name == "active" else TaskQuery()
        bound = MAX_PAGE if name == "active" else NEWEST
        page = await self._database.tasks(query, limit=bound)
        if name == "active" and page.next is not None:
            self._too_long = SPARED
            return None
        await self._try(self._cache.fill(name, page.tasks, since), None)
        return tuple(page.tasks)

    async def _patiently(self, read: Callable[[K], Awaitable[T | None]], key: K) -> T | None:
        """What the cache has, though it may just have been too slow; ``None`` when it has none or stays away."""
        for _ in range(CACHE_TRIES):
            try:
                return await read(key)
            except CacheUnavailable:
                await self._wait(CACHE_PAUSE_SECONDS)
        return None

    async def _try(self, call: Awaitable[T], otherwise: T) -> T:
        try:
            return await call
        except CacheResting:
            return otherwise
        except CacheUnavailable:
            CACHE_FAILURES.inc()
            log.warning(self._warning)
            return otherwise


def _listing(query: TaskQuery, limit: int) -> Listing | None:
    if query.status or query.project_id or query.task_type or query.active is False:
        return None
    if query.active:
        return "active"
    return "newest" if limit < NEWEST else None


def _part(name: Listing, whole: tuple[Task, ...], projects: tuple[str, ...], limit: int) -> TaskPage | None:
    """The first ``limit`` of these projects; ``None`` where more of them may follow behind the end of the list."""
    tasks = [task for task in whole if task.project_id in projects]
    if len(tasks) <= limit and name == "newest" and len(whole) >= NEWEST:
        return None
    return TaskPage(tasks[:limit], cursor_after(tasks[limit - 1]) if len(tasks) > limit else None)


def _first_page(name: Listing, whole: tuple[Task, ...], limit: int) -> TaskPage:
    """The first ``limit`` of a whole list.

    ``newest`` is cut at its bound, so a list that is shorter than its bound is known to end there.
    """
    more = len(whole) > limit or (name == "newest" and len(whole) >= NEWEST)
    tasks = list(whole[:limit])
    return TaskPage(tasks, cursor_after(tasks[-1]) if more and tasks else None)
