"""Reading streams: from a task's bookmark towards its stream's end, page by page, each page one write."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from miyabi.cache import Cache, CacheUnavailable
from miyabi.collector.careful import careful
from miyabi.collector.history import History
from miyabi.collector.memory import Memory
from miyabi.collector.replay import Replay
from miyabi.collector.watch import Watch
from miyabi.context import TASK
from miyabi.counters import Counter, Histogram
from miyabi.database import Current, Database, DatabaseUnavailable, Save
from miyabi.logs import LogPage, Logs, LogsUnavailable, Stream
from miyabi.logs.jobs import is_job, own_id, task_id_of
from miyabi.model import DEFAULT_PROJECT, GROUP_OF_TYPE, TTL_SECONDS, Details, Task, iso
from miyabi.principal import EVERYTHING, Sight

log = logging.getLogger("miyabi.collector")

PAGE = 2000
"""Lines a step reads: some milliseconds of work, so that others have their turn."""
AT_ONCE = 16
"""Streams read at the same time: their writes share a commit."""

LINES = Counter("miyabi_collector_lines", "Lines read")
STEPS = Histogram("miyabi_collector_step_seconds", "Time to read and save one page of a stream")
CONFLICTS = Counter("miyabi_collector_conflicts", "Steps made again because somebody else wrote the task")
FAILURES = Counter("miyabi_collector_failures", "Streams that could not be read")


PageOf = Callable[[str], LogPage | None]
"""The page behind a position, where it is known without reading."""


class Turn(Struct, frozen=True):
    """What was read: how many lines, and the streams that have more."""

    lines: int
    behind: list[Stream]


class Reread(Struct, frozen=True):
    """A task whose lines were read again: how many, and whether that changed what is known of it."""

    task: Task
    lines: int
    changed: bool


class Collector:
    """Reads streams into tasks. ``now`` gives milliseconds."""

    def __init__(self, logs: Logs, database: Database, cache: Cache, now: Callable[[], int]) -> None:
        self._logs = logs
        self._database = database
        self._cache = cache
        self._now = now
        self._history = History(database)
        self.watch = Watch(database, cache, self._history, now)

    async def collect(self, streams: Sequence[Stream]) -> Turn:
        """Read the next page of each stream: one that floods must not keep the others waiting.

        Raises ``DatabaseUnavailable`` or ``LogsUnavailable`` when all had their turn.
        """
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(stream: Stream) -> tuple[int, bool]:
            async with turns:
                return await self._guarded(stream)

        jobs = [stream for stream in streams if is_job(stream.group)]
        results = await asyncio.gather(*map(one, jobs), return_exceptions=True)
        lines, behind = 0, []
        for stream, result in zip(jobs, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            lines += result[0]
            if result[1]:
                behind.append(stream)
        return Turn(lines, behind)

    async def reread(self, task_id: str, sight: Sight = EVERYTHING) -> Reread | None:
        """Read a task's lines again from the first, with today's reader; ``None`` when there is no such task in sight.

        What people changed stays as it is, and so does a task whose lines are gone. Raises ``DatabaseUnavailable``
        or ``LogsUnavailable``; then nothing has changed.
        """
        replay: Replay | None = None
        while True:
            current = (await self._database.get([task_id]))[0]
            if current is None or not sight.holds(current.task.project_id):
                return None
            if replay is None:
                await self._history.load(current.task)
                replay = Replay(current.task, self._history.runs)
            await replay.read(self._logs)
            save = replay.save(current, self._now())
            if save is None:
                return Reread(current.task, replay.lines, changed=False)
            if (await self._database.save([save]))[0]:
                await self._saved(save, again=True)
                return Reread(save.task, replay.lines, changed=_says(save.task) != _says(current.task))
            CONFLICTS.inc()

    async def _guarded(self, stream: Stream) -> tuple[int, bool]:
        """A stream that can't be read must not hold up the others: it is tried again with its next line."""
        try:
            return await self._stream(stream)
        except (DatabaseUnavailable, LogsUnavailable):
            raise
        except Exception:
            FAILURES.inc()
            log.exception("stream %s of %s can't be read", stream.name, stream.group)
            return 0, False

    async def take(self, group: str, name: str, page_of: PageOf) -> int | None:
        """Save the page that ``page_of`` knows behind the stream's bookmark, without reading: its number of lines.

        ``None``: it knows none, so the stream must be read. Raises ``DatabaseUnavailable``.
        """
        if not is_job(group):
            return 0
        try:
            return await self._take(group, name, page_of)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("what was pushed of stream %s of %s can't be taken", name, group)
            return None

    async def _take(self, group: str, name: str, page_of: PageOf) -> int | None:
        while True:
            current, fresh = await self._open(group, name)
            page = page_of(_position(current))
            if page is None or not page.events:
                return None if page is None else 0
            if await self._kept(current, fresh, page):
                return len(page.events)

    async def _stream(self, stream: Stream) -> tuple[int, bool]:
        """Read one page: its number of lines, and whether there may be more."""
        while True:
            current, fresh = await self._open(stream.group, stream.name)
            position = _position(current)
            if position == stream.position:
                return 0, False
            page = await self._logs.read(stream.group, stream.name, after=position, limit=PAGE)
            if not page.events:
                return 0, False
            if await self._kept(current, fresh, page):
                return len(page.events), page.next != stream.position

    async def _kept(self, current: Current | None, fresh: Task, page: LogPage) -> bool:
        """:meth:`_save`, counted."""
        began = time.perf_counter()
        saved = await self._save(current, fresh, page)
        STEPS.observe(time.perf_counter() - began)
        if saved:
            LINES.inc(len(page.events))
        else:
            CONFLICTS.inc()
        return saved

    async def _open(self, group: str, name: str) -> tuple[Current | None, Task]:
        """The task of a stream, and what it is when new. A stream of another group with that id gets one of its own."""
        now = self._now()
        fresh = newborn(group, name, task_id_of(group, name), now)
        TASK.set(fresh.task_id)
        current = (await self._database.get([fresh.task_id]))[0]
        if current and current.task.details.log_group not in (None, group):
            fresh = newborn(group, name, own_id(group, name), now)
            current = (await self._database.get([fresh.task_id]))[0]
        return current, fresh

    async def _save(self, current: Current | None, fresh: Task, page: LogPage) -> bool:
        """Save and cache the state after ``page``; ``False`` when somebody else wrote in between."""
        save = careful(current, fresh, page.events, page.next, self._now(), self._history.runs)
        if await self._history.load(save.task):
            save = careful(current, fresh, page.events, page.next, self._now(), self._history.runs)
        if not (await self._database.save([save]))[0]:
            return False
        if current is None or save.task is not current.task:
            await self._saved(save)
        else:
            self.watch.seen(save.task, save.bookmark)
        return True

    async def _saved(self, save: Save, *, again: bool = False) -> None:
        """A changed task is in the database: tell those who keep something of it. ``again``: it was read again."""
        self.watch.seen(save.task, save.bookmark)
        await self._warm(save.task)
        if save.task.final:
            await self._history.learn(save.task, Memory(save.bookmark).pace, again=again)

    async def _warm(self, task: Task) -> None:
        try:
            await self._cache.put([task])
        except CacheUnavailable:
            log.warning("the cache does not answer; the database has it")


def _position(current: Current | None) -> str:
    """Up to where the stream of a task has been read."""
    return current.bookmark.position if current and current.bookmark else ""


def _says(task: Task) -> tuple[object, ...]:
    """What of a task its lines tell."""
    details = task.details
    return task.progress, task.status, details.phase, details.current_step, details.error_message, details.source


def newborn(group: str, name: str, task_id: str, now: int) -> Task:
    """The task that a stream's first line makes, when nothing else tells of it."""
    types = {where: kind for kind, where in reversed(GROUP_OF_TYPE.items())}
    return Task(
        task_id=task_id,
        timestamp=now,
        task_name=name[:200],
        task_type=types.get(group, "build"),
        status="running",
        project_id=DEFAULT_PROJECT,
        created_at=iso(now),
        updated_at=iso(now),
        details=Details(log_group=group, log_stream=name),
        ttl=now // 1000 + TTL_SECONDS,
    )
