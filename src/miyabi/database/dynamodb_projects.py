"""Projects: one item each, and an entry in the StatusIndex for their list."""

from __future__ import annotations

import os
from collections.abc import Sequence

from miyabi.database import ProjectRow
from miyabi.database.dynamodb_calls import Calls, Refused
from miyabi.database.dynamodb_items import PROJECTS, Tables, check_size, encoded, row_of, text
from miyabi.database.dynamodb_reads import HIGHEST, LOWEST, Reader, Source
from miyabi.database.dynamodb_requests import project_listed, project_update
from miyabi.model import Project, is_id


class Projects:
    """Reads and writes projects."""

    def __init__(self, calls: Calls, reader: Reader, tables: Tables) -> None:
        self._calls, self._reader, self._tables = calls, reader, tables

    async def get(self, project_id: str) -> ProjectRow | None:
        """One project as it is now."""
        return (await self._rows([project_id], consistent=True)).get(project_id)

    async def page(
        self, cursor: str | None, limit: int, only: Sequence[str] | None
    ) -> tuple[list[ProjectRow], str | None]:
        """Projects by id, of ``only`` these if any are named."""
        if cursor is not None and not is_id(cursor):
            raise ValueError(f"`{cursor[:80]}` is no cursor; take `next_cursor` from the page before, as it is")
        if only is not None:
            return await self._page_of(sorted({name for name in only if is_id(name) and name > (cursor or "")}), limit)
        ids = await self._ids(cursor, limit + 1)
        given = ids[:limit]
        rows = await self._rows(given, consistent=False)
        rows |= await self._rows([name for name in given if name not in rows], consistent=True)
        return [rows[name] for name in given if name in rows], given[-1] if len(ids) > limit else None

    async def _page_of(self, ids: Sequence[str], limit: int) -> tuple[list[ProjectRow], str | None]:
        """The first of these that are there."""
        rows = await self._rows(ids, consistent=True)
        there = [name for name in ids if name in rows]
        return [rows[name] for name in there[:limit]], there[limit - 1] if len(there) > limit else None

    async def save(self, project: Project, *, new: bool) -> bool:
        """Write a project; its counts stay."""
        check_size(
            f"The project {project.project_id}",
            [{"project_id": text(project.project_id), "record": text(encoded(project))}],
        )
        if not new and await self._changed(project):
            return True
        return await self._made(project) or (not new and await self._changed(project))

    async def _changed(self, project: Project) -> bool:
        try:
            await self._calls.call("UpdateItem", project_update(self._tables.projects, project, there=True))
        except Refused:
            return False
        return True

    async def _made(self, project: Project) -> bool:
        """Whether it is there now as it was given, having not been there before: also after a lost answer."""
        parts = [
            {"Update": project_update(self._tables.projects, project, there=False)},
            {"Put": project_listed(self._tables.tasks, project.project_id)},
        ]
        try:
            request = {"TransactItems": parts, "ClientRequestToken": os.urandom(16).hex()}
            await self._calls.call("TransactWriteItems", request)
        except Refused:
            return False
        return True

    async def _ids(self, after: str | None, limit: int) -> list[str]:
        lower = LOWEST if after is None else f"{after} "
        source = Source(self._calls, self._tables.tasks, "StatusIndex", PROJECTS, lower, HIGHEST, forward=True)
        ids: list[str] = []
        while not source.done and len(ids) < limit:
            ids += [entry.sort for entry in await source.read(limit)]
        return ids[:limit]

    async def _rows(self, ids: Sequence[str], *, consistent: bool) -> dict[str, ProjectRow]:
        keys = ({"project_id": text(project_id)} for project_id in ids)
        items = await self._reader.get(self._tables.projects, keys, "project_id", consistent=consistent)
        return {project_id: row_of(item) for project_id, item in items.items() if "record" in item}
