"""The members of one of the cache's lists, kept in order: what the memory cache holds, and a mirror of Redis' lists."""

from __future__ import annotations

from miyabi.cache import NEWEST, Listing
from miyabi.model import Task


class Members:
    """The members of a listing. They are put in order when the list is asked for, not at every put."""

    def __init__(self, name: Listing) -> None:
        self._name = name
        self._members: dict[str, Task] = {}
        self._whole: tuple[Task, ...] | None = None
        self._sorted = True

    def __len__(self) -> int:
        return len(self._members)

    def put(self, task: Task) -> bool:
        """Let ``task`` join, move within or leave the list; ``False`` when that changes nothing."""
        old = self._members.get(task.task_id)
        if newer(task, old) is not task or (old is None and self._is_beyond(task)):
            return False
        self._whole = None
        if self._name == "active" and task.final:
            self._members.pop(task.task_id, None)
            return True
        self._members[task.task_id] = task
        if old is None or old.created_at != task.created_at:
            self._sorted = False
        return True

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


def newer(task: Task, known: Task | None) -> Task:
    """The newer of two copies; of two of the same version the one that is known."""
    return task if known is None or known.timestamp < task.timestamp else known
