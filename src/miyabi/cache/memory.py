"""The cache in this process' memory, bounded: what was not used for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from time import monotonic
from typing import Generic, TypeVar

from miyabi.cache import TTL_SECONDS, Listing
from miyabi.cache.members import Members, newer
from miyabi.model import Project, Task

MAX_TASKS = 5_000
"""About 10 MB of tasks."""
MAX_PROJECTS = 1_000

T = TypeVar("T")


class MemoryCache:
    """:class:`miyabi.cache.Cache`. ``now`` gives seconds since any moment."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._tasks: _Recent[Task] = _Recent(MAX_TASKS)
        self._projects: _Recent[Project] = _Recent(MAX_PROJECTS)
        self._lists: dict[Listing, Members] = {}
        self._expires: dict[Listing, float] = {}
        self._puts: OrderedDict[str, tuple[int, Task]] = OrderedDict()
        self._count = 0
        self._forgotten = 0

    async def task(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id, self._now())

    async def put(self, tasks: Sequence[Task]) -> None:
        now = self._now()
        for task in tasks:
            known = self._tasks.get(task.task_id, now)
            if known is not None and known.timestamp == task.timestamp:
                self._tasks.set(task.task_id, known, now + TTL_SECONDS)
            if newer(task, known) is not task:
                continue
            self._tasks.set(task.task_id, task, now + TTL_SECONDS)
            self._remember(task)
            for name, members in self._lists.items():
                if members.put(task):
                    self._expires[name] = now + TTL_SECONDS

    async def listing(self, name: Listing) -> tuple[Task, ...] | None:
        members = self._lists.get(name)
        if members is None:
            return None
        if self._expires[name] <= self._now() or len(members) > MAX_TASKS:
            del self._lists[name]
            return None
        return members.whole()

    async def fill(self, name: Listing, tasks: Sequence[Task], since: str) -> None:
        mark, now = int(since or -1), self._now()
        if mark < self._forgotten:
            return
        members = self._lists[name] = Members(name)
        for task in tasks:
            members.put(newer(task, self._tasks.get(task.task_id, now)))
        for number, task in reversed(self._puts.values()):
            if number <= mark:
                break
            members.put(task)
        self._expires[name] = now + TTL_SECONDS

    async def mark(self) -> str:
        return str(self._count)

    async def project(self, project_id: str) -> Project | None:
        return self._projects.get(project_id, self._now())

    async def put_project(self, project: Project) -> None:
        now = self._now()
        known = self._projects.get(project.project_id, now)
        if known is None or known.updated_at <= project.updated_at:
            self._projects.set(project.project_id, project, now + TTL_SECONDS)

    async def heard(self) -> AsyncGenerator[Task]:
        return
        yield

    async def ping(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def _remember(self, task: Task) -> None:
        """Note a put for a list that is being read from the database just now."""
        self._count += 1
        self._puts[task.task_id] = (self._count, task)
        self._puts.move_to_end(task.task_id)
        if len(self._puts) > MAX_TASKS:
            self._forgotten = self._puts.popitem(last=False)[1][0]


class _Recent(Generic[T]):
    """The ``size`` entries used last, each until it expires."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[str, tuple[T, float]] = OrderedDict()

    def get(self, key: str, now: float) -> T | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[1] <= now:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def set(self, key: str, value: T, expires: float) -> None:
        self._entries[key] = (value, expires)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
