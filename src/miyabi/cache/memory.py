"""The cache in this process' memory, bounded: what was not used for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Generic, TypeVar

from miyabi.cache import NEWEST, TTL_SECONDS, Listing
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
        self._lists: dict[Listing, _List] = {}
        self._puts: OrderedDict[str, tuple[int, Task]] = OrderedDict()
        self._count = 0
        self._forgotten = 0

    async def task(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id, self._now())

    async def put(self, tasks: Sequence[Task]) -> None:
        now = self._now()
        for task in tasks:
            if _newer(task, self._tasks.get(task.task_id, now)) is not task:
                continue
            self._tasks.set(task.task_id, task, now + TTL_SECONDS)
            self._remember(task)
            for members in self._lists.values():
                members.put(task, now + TTL_SECONDS)

    async def listing(self, name: Listing) -> tuple[Task, ...] | None:
        members = self._lists.get(name)
        if members is None:
            return None
        if members.expires <= self._now() or len(members) > MAX_TASKS:
            del self._lists[name]
            return None
        return members.whole()

    async def fill(self, name: Listing, tasks: Sequence[Task], since: str) -> None:
        mark, now = int(since or -1), self._now()
        if mark < self._forgotten:
            return
        members = self._lists[name] = _List(name)
        for task in tasks:
            members.put(_newer(task, self._tasks.get(task.task_id, now)), now + TTL_SECONDS)
        for number, task in reversed(self._puts.values()):
            if number <= mark:
                break
            members.put(task, now + TTL_SECONDS)
        members.expires = now + TTL_SECONDS

    async def mark(self) -> str:
        return str(self._count)

    async def project(self, project_id: str) -> Project | None:
        return self._projects.get(project_id, self._now())

    async def put_project(self, project: Project) -> None:
        now = self._now()
        known = self._projects.get(project.project_id, now)
        if known is None or known.updated_at <= project.updated_at:
            self._projects.set(project.project_id, project, now + TTL_SECONDS)

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


class _List:
    """The members of a listing. They are put in order when the list is asked for, not at every put."""

    def __init__(self, name: Listing) -> None:
        self._name = name
        self._members: dict[str, Task] = {}
        self._whole: tuple[Task, ...] | None = None
        self._sorted = True
        self.expires = 0.0

    def __len__(self) -> int:
        return len(self._members)

    def put(self, task: Task, expires: float) -> None:
        """Let ``task`` join, move within or leave the list, unless a newer copy of it was here."""
        old = self._members.get(task.task_id)
        if _newer(task, old) is not task or (old is None and self._is_beyond(task)):
            return
        self.expires, self._whole = expires, None
        if self._name == "active" and task.final:
            self._members.pop(task.task_id, None)
            return
        self._members[task.task_id] = task
        if old is None or old.created_at != task.created_at:
            self._sorted = False

    def whole(self) -> tuple[Task, ...]:
        """The list, newest first; the same object while nothing changed."""
        if self._whole is None:
            if not self._sorted:
                self._sort()
            self._whole = tuple(self._members.values())
        return self._whole

    def _is_beyond(self, task: Task) -> bool:
        """Whether ``task`` is older than all that a full list of the newest holds."""
        if self._name != "newest" or len(self._members) < NEWEST:
            return False
        if not self._sorted:
            self._sort()
        return _place(task) < _place(next(reversed(self._members.values())))

    def _sort(self) -> None:
        ordered = sorted(self._members.values(), key=_place, reverse=True)
        if self._name == "newest":
            del ordered[NEWEST:]
        self._members = {task.task_id: task for task in ordered}
        self._sorted = True


def _place(task: Task) -> tuple[str, str]:
    return task.created_at, task.task_id


def _newer(task: Task, known: Task | None) -> Task:
    return task if known is None or known.timestamp <= task.timestamp else known
