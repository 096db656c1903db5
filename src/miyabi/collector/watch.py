"""Looking after running tasks that say nothing: when one rests for longer than is usual for it, that is its state.

Rests are measured on this machine's clock, from when its lines were read: the job's clock may be wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from miyabi.cache import Cache, CacheUnavailable
from miyabi.collector.foresight import stopped
from miyabi.collector.history import History
from miyabi.collector.memory import Memory
from miyabi.database import MAX_PAGE, Bookmark, Current, Database, Save, TaskQuery
from miyabi.model import TTL_SECONDS, Stopped, Task, iso
from miyabi.progress.stops import patience

log = logging.getLogger("miyabi.collector")

LOOK_AROUND_MILLIS = 60_000
"""So often tasks are looked for that another collector reads."""


class _Watched(Struct):
    """``position`` is the bookmark's, ``read_at`` when the line before it was read, ``due`` when to look (ms)."""

    position: str
    read_at: int
    due: list[int]


class Watch:
    """Running tasks and when each would have stopped. ``now`` gives milliseconds."""

    def __init__(self, database: Database, cache: Cache, history: History, now: Callable[[], int]) -> None:
        self._database = database
        self._cache = cache
        self._history = history
        self._now = now
        self._watched: dict[str, _Watched] = {}
        self._looked_around: int | None = None

    def seen(self, task: Task, bookmark: Bookmark | None) -> None:
        """Lines of a task were read just now."""
        if task.status != "running" or bookmark is None:
            self._watched.pop(task.task_id, None)
            return
        pace, now = Memory(bookmark).pace, self._now()
        still, silent = patience(pace, self._history.runs(task).job)
        due = [now + still - (pace.spoke - pace.moved), now + silent]
        self._watched[task.task_id] = _Watched(bookmark.position, now, sorted(due))

    async def look(self) -> None:
        """Find those that have stopped and save that. Raises ``DatabaseUnavailable``."""
        now = self._now()
        if self._looked_around is None or now - self._looked_around >= LOOK_AROUND_MILLIS:
            self._looked_around = now
            await self._look_around()
        due = [task_id for task_id, watched in self._watched.items() if watched.due and watched.due[0] <= now]
        for task_id, current in zip(due, await self._database.get(due), strict=True):
            await self._check(task_id, current, now)

    async def _look_around(self) -> None:
        page = await self._database.tasks(TaskQuery(status="running"), limit=MAX_PAGE)
        running = {task.task_id for task in page.tasks}
        for over in [task_id for task_id, known in self._watched.items() if not known.due and task_id not in running]:
            del self._watched[over]
        unknown = [task.task_id for task in page.tasks if task.task_id not in self._watched]
        for current in await self._database.get(unknown):
            if current is not None:
                await self._history.load(current.task)
                self.seen(current.task, current.bookmark)

    async def _check(self, task_id: str, current: Current | None, now: int) -> None:
        watched = self._watched.get(task_id)
        if watched is None:
            return  # its lines have been read meanwhile, and it has ended
        if current is None or current.bookmark is None or current.task.status != "running":
            del self._watched[task_id]
            return
        if current.bookmark.position != watched.position:
            self.seen(current.task, current.bookmark)
            return
        pace = Memory(current.bookmark).pace
        silent = now - watched.read_at
        runs = self._history.runs(current.task).job
        found = stopped(current.task, pace, runs, silent, silent + pace.spoke - pace.moved)
        if found is None or found == current.task.details.stopped or await self._save(current, found, now):
            watched.due = [due for due in watched.due if due > now]

    async def _save(self, current: Current, found: Stopped, now: int) -> bool:
        """Whether it was saved; when somebody else wrote in between, the next look tries again."""
        task = current.task
        now = max(now, task.timestamp + 1)
        details = replace(task.details, stopped=found, estimate=None)
        task = replace(task, details=details, timestamp=now, updated_at=iso(now), ttl=now // 1000 + TTL_SECONDS)
        if not (await self._database.save([Save(task, current)]))[0]:
            return False
        try:
            await self._cache.put([task])
        except CacheUnavailable:
            log.warning("the cache does not answer; the database has it")
        return True
