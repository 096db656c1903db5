"""What is read from the SQLite database: each list as one bounded query over an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from msgspec import json

from miyabi.database import Bookmark, Current, ProjectRow, TaskQuery, cursor_place
from miyabi.model import FINAL, STATUSES, Project, Tally, Task

TASK = json.Decoder(Task)
PROJECT = json.Decoder(Project)
PROJECTS = f"SELECT body, {', '.join(STATUSES)}, completed_ms FROM projects"
_DIGITS = 18
_NO_STATUS = _NOBODYS = ""
"""Stands for what no task has."""
_NEWEST = "ORDER BY {0}.created_at DESC, {0}.task_id DESC"


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
    if query.project_id is None and query.projects is not None:
        return _among(query, query.projects, cursor, limit)
    walks = [_walk(query, status, cursor) for status in _statuses(query)]
    sql = " UNION ALL ".join(sql for sql, _ in walks)
    parameters = [value for _, values in walks for value in values]
    return (
        f"SELECT body FROM ({sql} ORDER BY created_at DESC, task_id DESC LIMIT ?)",
        [*parameters, limit],
    )


def _among(query: TaskQuery, projects: Sequence[str], cursor: str | None, limit: int) -> tuple[str, list[object]]:
    """Of each project (and of each status) the beginning of a walk along its index, and of these the first.

    There may be more walks than SQLite merges in one select, so each is made to its end, which is at ``limit``.
    """
    statuses = [status for status in _statuses(query) if status is not None]
    where, values = _where({"task_type": query.task_type}, cursor)
    where = ["project_id = project.value", *(["status = state.value"] if statuses else []), *where]
    walk = f"SELECT rowid FROM tasks WHERE {' AND '.join(where)} {_NEWEST.format('tasks')} LIMIT ?"
    states = " CROSS JOIN json_each(?) AS state" if statuses else ""
    first = (
        f"SELECT found.rowid AS place, created_at, task_id FROM json_each(?) AS project{states} "
        f"CROSS JOIN tasks AS found ON found.rowid IN ({walk}) {_NEWEST.format('found')} LIMIT ?"
    )
    lists = [json.encode(names).decode() for names in (projects, *([statuses] if statuses else []))]
    return (
        f"SELECT body FROM ({first}) AS first CROSS JOIN tasks ON tasks.rowid = place {_NEWEST.format('first')}",
        [*lists, *values, limit, limit],
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
    project = query.project_id if query.within != () else _NOBODYS
    terms, values = _where({"project_id": project, "task_type": query.task_type, "status": status}, cursor)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    return f"SELECT created_at, task_id, body FROM tasks{where}", values


def _where(equal: Mapping[str, str | None], cursor: str | None) -> tuple[list[str], list[object]]:
    """The terms of a walk and their values: columns that must be equal, and what comes behind the cursor."""
    terms = [f"{column} = ?" for column, value in equal.items() if value is not None]
    values: list[object] = [value for value in equal.values() if value is not None]
    if cursor is not None:
        terms.append("(created_at, task_id) < (?, ?)")
        values += cursor_place(cursor)
    return terms, values


def project_rows(after: str, limit: int, only: Sequence[str] | None) -> tuple[str, list[object]]:
    """SQL and parameters of the projects behind the id ``after``, of ``only`` these if any are named."""
    named = "" if only is None else " AND project_id IN (SELECT value FROM json_each(?))"
    values: list[object] = [after, *([] if only is None else [json.encode(only).decode()]), limit]
    return f"{PROJECTS} WHERE project_id > ?{named} ORDER BY project_id LIMIT ?", values


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
