"""Service 5, the cache: hot copies of what the database holds. All of it may vanish at any moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, Protocol

from miyabi.model import Project, Task

TTL_SECONDS = 3600
"""How long an entry lives without being put again."""
NEWEST = 200
"""How many of the newest tasks the cache keeps ready as a list."""

Listing = Literal["active", "newest"]
"""``active``: every task not in a final status. ``newest``: the :data:`NEWEST` tasks created last. Newest first."""


class Cache(Protocol):
    """Never goes back in time: a put that is older than what is there is left out.

    Errors: :class:`CacheUnavailable`; whoever asks goes on from the database.
    """

    async def task(self, task_id: str) -> Task | None:
        """The copy of a task, or ``None``."""

    async def put(self, tasks: Sequence[Task]) -> None:
        """Take in newer copies and keep the listings right: each task joins, moves within or leaves them."""

    async def listing(self, name: Listing) -> tuple[Task, ...] | None:
        """A whole list, or ``None`` when it is not known to be whole. While nothing changed it is the same object."""

    async def fill(self, name: Listing, tasks: Sequence[Task], since: str) -> None:
        """Take ``tasks``, read from the database, as the whole list.

        ``since`` is what :meth:`mark` gave before the database was asked: puts that came after it are kept on top.
        """

    async def mark(self) -> str:
        """A word for this moment, to be given to :meth:`fill`."""

    async def project(self, project_id: str) -> Project | None:
        """The copy of a project, or ``None``."""

    async def put_project(self, project: Project) -> None:
        """Take in a newer copy of a project."""

    def heard(self) -> AsyncGenerator[Task]:
        """Tasks that other processes put, as they come; ends at once where there are no others. Some may be missed."""

    async def ping(self) -> None:
        """Return when the cache answers; raise :class:`CacheUnavailable` when it does not."""

    async def close(self) -> None:
        """Let go of connections."""


class CacheUnavailable(Exception):
    """The cache does not answer."""


class CacheSlow(CacheUnavailable):
    """The cache did not answer in time; what it holds is what it held."""


class CacheResting(CacheUnavailable):
    """The cache was not asked, since it failed a moment ago."""
