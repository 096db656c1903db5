"""Tasks and projects in an SQLite file in the data folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from miyabi.database import (
    Changes,
    Current,
    DatabaseFull,
    DatabaseUnavailable,
    ProjectRow,
    Save,
    TaskPage,
    TaskQuery,
    cursor_after,
)
from miyabi.database import sqlite_reads as reads
from miyabi.database.sqlite_schema import FEED_END, SCHEMA
from miyabi.database.sqlite_writes import save_project, save_tasks, swap_memo
from miyabi.model import Project, is_id
from miyabi.sqlite import LOCK_SECONDS, Errors, File, open_file

FILE_NAME = "tasks.db"


async def open_database(folder: Path, lock_seconds: float = LOCK_SECONDS) -> SqliteDatabase:
    """The database of a data folder, made when it is not there. Raises ``DatabaseUnavailable``, saying what to do."""
    errors = Errors(DatabaseUnavailable, DatabaseFull)
    return SqliteDatabase(await open_file(folder / FILE_NAME, SCHEMA, errors, lock_seconds))


class SqliteDatabase:
    """:class:`miyabi.database.Database` over one SQLite file."""

    def __init__(self, file: File) -> None:
        self._file = file

    async def get(self, task_ids: Sequence[str]) -> list[Current | None]:
        return self._file.read(lambda connection: [reads.current(connection, task_id) for task_id in task_ids])

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        if not saves:
            return []
        return await self._file.write(lambda connection: save_tasks(connection, saves))

    async def tasks(self, query: TaskQuery, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        tasks = self._file.rows(reads.TASK.decode, *reads.listing(query, cursor, limit + 1))
        return TaskPage(tasks[:limit], cursor_after(tasks[limit - 1]) if len(tasks) > limit else None)

    async def history(self, task_id: str, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        tasks = self._file.rows(reads.TASK.decode, *reads.versions(task_id, cursor, limit + 1))
        return TaskPage(tasks[:limit], str(tasks[limit - 1].timestamp) if len(tasks) > limit else None)

    async def changed(self, after: str = "", limit: int = 1000) -> Changes:
        place, end = self._place(after)
        found = self._file.rows(
            reads.change, "SELECT body, seq FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?", (place, limit)
        )
        return Changes([task for task, _ in found], str(found[-1][1] if found else end))

    async def wait(self, after: str, timeout: float) -> bool:
        def newer() -> bool:
            place, end = self._place(after)
            return place < end

        return await self._file.until(newer, timeout)

    async def project(self, project_id: str) -> ProjectRow | None:
        found = self._file.rows(reads.project_row, f"{reads.PROJECTS} WHERE project_id = ?", (project_id,))
        return found[0] if found else None

    async def projects(
        self, *, cursor: str | None = None, limit: int = 100, only: Sequence[str] | None = None
    ) -> tuple[list[ProjectRow], str | None]:
        if cursor is not None and not is_id(cursor):
            raise ValueError(f"`{cursor[:80]}` is no cursor; take `next_cursor` from the page before, as it is")
        found = self._file.rows(reads.project_row, *reads.project_rows(cursor or "", limit + 1, only))
        return found[:limit], found[limit - 1].project.project_id if len(found) > limit else None

    async def save_project(self, project: Project, *, new: bool = False) -> bool:
        return await self._file.write(lambda connection: save_project(connection, project, new))

    async def memo(self, name: str) -> str:
        found = self._file.rows(str, "SELECT value FROM memos WHERE name = ?", (name,))
        return found[0] if found else ""

    async def set_memo(self, name: str, value: str) -> None:
        await self._file.write(lambda connection: connection.execute("REPLACE INTO memos VALUES (?, ?)", (name, value)))

    async def swap_memo(self, name: str, was: str, value: str) -> bool:
        return await self._file.write(lambda connection: swap_memo(connection, name, was, value))

    async def ping(self) -> None:
        self._file.ping()

    async def close(self) -> None:
        await self._file.close()

    def _place(self, after: str) -> tuple[int, int]:
        """Where ``after`` stands in the feed, and the feed's end.

        A place that the feed has never come to is another file's: it counts as the beginning.
        """
        number, (end,) = reads.feed_place(after), self._file.rows(int, f"SELECT {FEED_END}")
        return (number if number <= end else 0), end
