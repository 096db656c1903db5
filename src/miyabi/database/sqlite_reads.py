"""What is read from the SQLite database: each list as one bounded query over an index."""

from __future__ import annotations

import sqlite3

from msgspec import json

from miyabi.database import Bookmark, Current, ProjectRow, TaskQuery, cursor_place
from miyabi.model import FINAL, STATUSES, Project, Tally, Task

TASK = json.Decoder(Task)
PROJECT = json.Decoder(Project)
PROJECTS = f"SELECT body, {', '.join(STATUSES)}, completed_ms FROM projects"
_DIGITS = 18
_NO_STATUS = ""
"""Stands for what no task has."""


def current(connection: sqlite3.Connection, task_id: str) -> Current | None:
    """A task's current state with its bookmark."""
    found = connection.execute("SELECT body, position, reader FROM tasks WHERE task_id = ?", (task_id,)).fetchone()
    if found is None:
        return None
    body, position, reader = found
    return Current(TASK.decode(body), None if position is None else Bookmark(position, reader))


def listing(query: TaskQuery, cursor: str | None, limit: int) -> tuple[str, list[object]]:
    """SQL and parameters of the bodies of a list, newest first.

    ``active`` stands for several statuses: each is a walk along its index, and SQLite merges them as it goes.
    """
    walks = [_walk(query, status, cursor) for status in _statuses(query)]
    sql = " UNION ALL ".join(sql for sql, _ in walks)
    parameters = [value for _, values in walks for value in values]
    return (
        f"SELECT body FROM ({sql} ORDER BY created_at DESC, task_id DESC LIMIT ?)",
        [*parameters, limit],
    )


def _statuses(query: TaskQuery) -> list[str | None]:
    """The statuses a query wants, each to be walked; one ``None``: whatever the status."""
    if query.active is None:
        return [query.status]
    wanted = [status for status in STATUSES if (status not in FINAL) is query.active]
    if query.status is None:
        return [*wanted]
    return [query.status if query.status in wanted else _NO_STATUS]


def _walk(query: TaskQuery, status: str | None, cursor: str | None) -> tuple[str, list[object]]:
    equal = {"project_id": query.project_id, "task_type": query.task_type, "status": status}
    terms = [f"{column} = ?" for column, value in equal.items() if value is not None]
    values: list[object] = [value for value in equal.values() if value is not None]
    if cursor is not None:
        terms.append("(created_at, task_id) < (?, ?)")
        values += cursor_place(cursor)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    return f"SELECT created_at, task_id, body FROM tasks{where}", values


def versions(task_id: str, cursor: str | None, limit: int) -> tuple[str, list[object]]:
    """SQL and parameters of the bodies of a task's history, newest first: its state now, then the kept versions."""
    before = feed_place(cursor) if cursor is not None else 1 << 62
    return (
        """SELECT body FROM (
            SELECT timestamp, body FROM versions WHERE task_id = ? AND timestamp < ?
            UNION ALL
            SELECT timestamp, body FROM tasks WHERE task_id = ? AND timestamp < ? AND NOT EXISTS (
                SELECT 1 FROM versions WHERE versions.task_id = tasks.task_id
                AND versions.timestamp = tasks.timestamp)
            ORDER BY timestamp DESC LIMIT ?)""",
        [task_id, before, task_id, before, limit],
    )


def feed_place(cursor: str) -> int:
    """The number that a cursor stands for; 0 for the empty one. ``ValueError`` when it is none of ours."""
    if cursor == "":
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS):
        raise ValueError(f"`{cursor[:80]}` is no cursor of this database; take one from an earlier answer, as it is")
    return int(cursor)


def change(body: bytes, seq: int) -> tuple[Task, int]:
    """A task with its place in the change feed."""
    return TASK.decode(body), seq


def project_row(body: bytes, *counts: int) -> ProjectRow:
    """A row of :data:`PROJECTS`."""
    *tasks, completed_ms = counts
    tally = Tally(**dict(zip(STATUSES, tasks, strict=True)), completed_seconds=completed_ms / 1000)
    return ProjectRow(PROJECT.decode(body), tally)
