"""Service 6, the database: every version of every task, the projects, and what each stream's reader knows.

It is the truth: what the cache says is a copy of it, and what the page shows came from it.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from miyabi.model import Project, Status, Tally, Task, millis

MAX_PAGE = 1000
"""Records in one answer."""
RECOVERY_DAYS = 35
"""So far back ``miyabi restore`` can go."""
LINES_READ = "lines-read"
"""Name of the memo (:meth:`Database.memo`) of the place up to which the collector has read the logs' change feed."""


class Bookmark(Struct, frozen=True, array_like=True):
    """How far a stream has been read, and the reader's state there (at most 4 KB): any collector can go on from it."""

    position: str = ""
    reader: bytes = b""


class Current(Struct, frozen=True):
    """A task's current state together with its bookmark (``None``: its stream was never read)."""

    task: Task
    bookmark: Bookmark | None = None


class Save(Struct, frozen=True):
    """One write: a task, and with it the bookmark up to which its lines are in it.

    ``base`` is what the writer had read before (``None``: nothing was there); the write is refused when something
    else is there now, so that nobody's change is lost. ``bookmark`` ``None`` leaves the stored one as it is.
    ``kept``: the version stays in the task's history; progress that moves many times a second need not.
    ``history``: versions that take the place of all that were kept before this one; ``None`` leaves those.
    """

    task: Task
    base: Current | None = None
    bookmark: Bookmark | None = None
    kept: bool = True
    history: Sequence[Task] | None = None


class TaskQuery(Struct, frozen=True):
    """Which tasks a list holds; what is ``None`` does not limit it. ``active``: not in a final status.

    ``projects``: only tasks of one of these, beside all else: what somebody who asks may see.
    """

    status: Status | None = None
    project_id: str | None = None
    task_type: str | None = None
    active: bool | None = None
    projects: tuple[str, ...] | None = None

    @property
    def within(self) -> tuple[str, ...] | None:
        """The projects that a task must be in one of; ``None``: in any, empty: there can be none."""
        if self.project_id is None:
            return self.projects
        return (self.project_id,) if self.projects is None or self.project_id in self.projects else ()


class TaskPage(Struct, frozen=True):
    """Some tasks, and the cursor that continues behind them (``None``: that was all)."""

    tasks: list[Task]
    next: str | None = None


class Changes(Struct, frozen=True):
    """Tasks that changed, oldest change first and each once, and where to go on from."""

    tasks: list[Task]
    next: str


class ProjectRow(Struct, frozen=True):
    """A project with its tasks counted."""

    project: Project
    tally: Tally


class Database(Protocol):
    """Tasks and projects. Every list answers from an index and a bounded page, whatever is stored.

    Errors: :class:`DatabaseUnavailable` (:class:`DatabaseFull` when there is no room); after it nothing of the call
    was stored. ``ValueError`` for a cursor that this backend did not make.
    """

    async def get(self, task_ids: Sequence[str]) -> list[Current | None]:
        """The current state of each id, in the same order; ``None`` where there is none."""

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        """Write each, all or nothing on disk once it returns, and say for each whether it was kept.

        A write is refused (``False``) when its ``timestamp`` is older than what is stored, or when its ``base`` is
        not what is stored (compared by timestamp and bookmark position). The same write made twice changes nothing.
        A task whose project is unknown makes that project, named by its id.
        """

    async def tasks(self, query: TaskQuery, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """Current tasks, newest first (``created_at``, then ``task_id``).

        A cursor survives changes between the pages: nothing that was there all along is left out or comes twice.
        :func:`cursor_after` a task is one, too.
        """

    async def history(self, task_id: str, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        """The kept versions of a task, newest first; the current state is the first of them."""

    async def changed(self, after: str = "", limit: int = 1000) -> Changes:
        """Tasks saved after ``after`` in their current state; a bookmark saved alone changes none.

        ``next`` of an empty answer is where the feed ends now; with ``limit`` 0 that alone is answered.
        """

    async def wait(self, after: str, timeout: float) -> bool:
        """Return ``True`` as soon as :meth:`changed` ``(after)`` has something, ``False`` after ``timeout`` seconds."""

    async def project(self, project_id: str) -> ProjectRow | None:
        """One project with its counts."""

    async def projects(
        self, *, cursor: str | None = None, limit: int = 100, only: Sequence[str] | None = None
    ) -> tuple[list[ProjectRow], str | None]:
        """Projects by id with their counts, and the cursor that continues behind them.

        ``only``: those of these ids that are there.
        """

    async def save_project(self, project: Project, *, new: bool = False) -> bool:
        """Write a project; ``False`` when ``new`` and there is one of that id already."""

    async def memo(self, name: str) -> str:
        """What :meth:`set_memo` last stored under ``name``; empty when nothing."""

    async def set_memo(self, name: str, value: str) -> None:
        """Remember something that may be lost: where a reader of some feed stands, how long a job usually takes."""

    async def swap_memo(self, name: str, was: str, value: str) -> bool:
        """Store ``value`` if the memo is still ``was`` (empty: there is none), in one step; whether it was.

        Of several who swap the same at once, one does. After an error it may be stored: read it again.
        """

    async def ping(self) -> None:
        """Return when the database answers; raise :class:`DatabaseUnavailable` when it does not."""

    async def close(self) -> None:
        """Let go of files and connections."""


class DatabaseUnavailable(Exception):
    """The database does not answer."""


class DatabaseFull(DatabaseUnavailable):
    """There is no room for more records."""


class RecordTooLarge(ValueError):
    """A record is larger than the database takes (400 KB in DynamoDB); nothing of the call was stored."""


def cursor_after(task: Task) -> str:
    """The cursor of :meth:`Database.tasks` behind ``task``: its place in the order, so it outlives the task itself."""
    return urlsafe_b64encode(f"{task.created_at} {task.task_id}".encode()).decode().rstrip("=")


def cursor_place(cursor: str) -> tuple[str, str]:
    """The ``(created_at, task_id)`` behind which a cursor continues; ``ValueError`` when it is none of ours."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        created_at, task_id = text.split(" ")
        millis(created_at)
    except ValueError:
        raise ValueError(f"`{cursor[:80]}` is no cursor; take `next_cursor` from the page before, as it is") from None
    return created_at, task_id
