"""No cache: for services in processes of their own that share none. Everything comes from the database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from miyabi.cache import Listing
from miyabi.model import Project, Task


class NoCache:
    """:class:`miyabi.cache.Cache` that holds nothing."""

    async def task(self, task_id: str) -> Task | None:
        return None

    async def put(self, tasks: Sequence[Task]) -> None:
        return None

    async def listing(self, name: Listing) -> tuple[Task, ...] | None:
        return None

    async def fill(self, name: Listing, tasks: Sequence[Task], since: str) -> None:
        return None

    async def mark(self) -> str:
        return ""

    async def project(self, project_id: str) -> Project | None:
        return None

    async def put_project(self, project: Project) -> None:
        return None

    async def heard(self) -> AsyncGenerator[Task]:
        return
        yield

    async def ping(self) -> None:
        return None

    async def close(self) -> None:
        return None
