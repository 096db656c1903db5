"""Reading streams: from a task's bookmark to its stream's end, page by page, each page one write."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence

from msgspec import Struct
from prometheus_client import Counter, Histogram

from miyabi.cache import Cache, CacheUnavailable
from miyabi.collector.step import advance
from miyabi.database import Current, Database, DatabaseUnavailable
from miyabi.logs import LogPage, Logs, LogsUnavailable, Stream
from miyabi.model import GROUP_OF_TYPE, SYSTEM_GROUP, TTL_SECONDS, Details, Task, is_id, iso, slug

log = logging.getLogger("miyabi.collector")

PAGE = 2000
"""Lines a step reads: some milliseconds of work, so that others have their turn."""
AT_ONCE = 16
"""Streams read at the same time: their writes share a commit."""
NO_TASKS = (SYSTEM_GROUP, "/aws/lambda/")
"""Groups whose streams are services' own logs, not jobs."""

LINES = Counter("miyabi_collector_lines_total", "Lines read")
STEPS = Histogram("miyabi_collector_step_seconds", "Time to read and save one page of a stream")
CONFLICTS = Counter("miyabi_collector_conflicts_total", "Steps made again because somebody else wrote the task")
FAILURES = Counter("miyabi_collector_failures_total", "Streams that could not be read")


class Result(Struct, frozen=True):
    """What was read."""

    streams: int
    lines: int


class Collector:
    """Reads streams into tasks. ``now`` gives milliseconds."""

    def __init__(self, logs: Logs, database: Database, cache: Cache, now: Callable[[], int]) -> None:
        self._logs = logs
        self._database = database
        self._cache = cache
        self._now = now

    async def collect(self, streams: Sequence[Stream]) -> Result:
        """Read each stream to its end; raises ``DatabaseUnavailable`` or ``LogsUnavailable`` when all had a turn."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(stream: Stream) -> int:
            async with turns:
                return await self._guarded(stream.group, stream.name)

        jobs = [stream for stream in streams if not stream.group.startswith(NO_TASKS)]
        counts = await asyncio.gather(*map(one, jobs), return_exceptions=True)
        for count in counts:
            if isinstance(count, BaseException):
                raise count
        return Result(len(jobs), sum(count for count in counts if isinstance(count, int)))

    async def _guarded(self, group: str, name: str) -> int:
        """A stream that can't be read must not hold up the others: it is tried again with its next line."""
        try:
            return await self._stream(group, name)
        except (DatabaseUnavailable, LogsUnavailable):
            raise
        except Exception:
            FAILURES.inc()
            log.exception("stream %s of %s can't be read", name, group)
            return 0

    async def _stream(self, group: str, name: str) -> int:
        total = 0
        current, fresh = await self._open(group, name)
        while True:
            position = current.bookmark.position if current and current.bookmark else ""
            page = await self._logs.read(group, name, after=position, limit=PAGE)
            if not page.events:
                return total
            with STEPS.time():
                saved = await self._save(current, fresh, page)
            if saved is None:
                CONFLICTS.inc()
                current = (await self._database.get([fresh.task_id]))[0]
                continue
            current = saved
            total += len(page.events)
            LINES.inc(len(page.events))

    async def _open(self, group: str, name: str) -> tuple[Current | None, Task]:
        """The task of a stream, and what it is when new. A stream of another group with that id gets one of its own."""
        now = self._now()
        fresh = newborn(group, name, task_id_of(group, name), now)
        current = (await self._database.get([fresh.task_id]))[0]
        if current and current.task.details.log_group not in (None, group):
            fresh = newborn(group, name, _own_id(group, name), now)
            current = (await self._database.get([fresh.task_id]))[0]
        return current, fresh

    async def _save(self, current: Current | None, fresh: Task, page: LogPage) -> Current | None:
        """The state after ``page``, saved and cached; ``None`` when somebody else wrote in between."""
        save = advance(current, fresh, page.events, page.next, self._now())
        if not (await self._database.save([save]))[0]:
            return None
        if current is None or save.task is not current.task:
            await self._warm(save.task)
        return Current(save.task, save.bookmark)

    async def _warm(self, task: Task) -> None:
        try:
            await self._cache.put([task])
        except CacheUnavailable:
            log.warning("the cache does not answer; the database has it")


def task_id_of(group: str, name: str) -> str:
    """The id of the task that a stream is: its name where that is an id, else one made of it."""
    return name if is_id(name) else _own_id(group, name)


def _own_id(group: str, name: str) -> str:
    digest = hashlib.blake2b(f"{group}\n{name}".encode(), digest_size=4).hexdigest()
    return f"{slug(name)}-{digest}"


def newborn(group: str, name: str, task_id: str, now: int) -> Task:
    """The task that a stream's first line makes, when nothing else tells of it."""
    types = {where: kind for kind, where in reversed(GROUP_OF_TYPE.items())}
    return Task(
        task_id=task_id,
        timestamp=now,
        task_name=name[:200],
        task_type=types.get(group, "build"),
        status="running",
        project_id="default",
        created_at=iso(now),
        updated_at=iso(now),
        details=Details(log_group=group, log_stream=name),
        ttl=now // 1000 + TTL_SECONDS,
    )
