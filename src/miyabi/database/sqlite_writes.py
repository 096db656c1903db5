"""What is written to the SQLite database: tasks with their counts and history, and projects."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import json

from miyabi.database import RECOVERY_DAYS, Save
from miyabi.database.sqlite_schema import FEED_END
from miyabi.model import STATUSES, Project, Status, Task, iso, millis

RECOVERY_MILLIS = RECOVERY_DAYS * 24 * 3600 * 1000

_ENCODER = json.Encoder()
_INSERT = f"""INSERT INTO tasks (seq, timestamp, status, project_id, task_type, created_at, completed_ms, ttl,
    position, reader, body, task_id) VALUES ({FEED_END} + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE_ALL = f"""UPDATE tasks SET seq = {FEED_END} + 1, timestamp = ?, status = ?, project_id = ?, task_type = ?,
    created_at = ?, completed_ms = ?, ttl = ?, position = ?, reader = ?, body = ? WHERE task_id = ?"""
_UPDATE = f"""UPDATE tasks SET seq = {FEED_END} + 1, timestamp = ?, ttl = ?, position = ?, reader = ?, body = ?
    WHERE task_id = ?"""
_MARK = "UPDATE tasks SET position = ?, reader = ? WHERE task_id = ?"
_KEEP = "REPLACE INTO versions VALUES (?, ?, ?)"
_KEEP_MARK = "REPLACE INTO marks VALUES (?, ?, ?, ?)"
_REPLACE = """REPLACE INTO replaced SELECT task_id, ?, timestamp, body, position, reader
    FROM versions LEFT JOIN marks USING (task_id, timestamp) WHERE task_id = ?"""
_FORGET_PROJECT = """DELETE FROM project_versions WHERE project_id = ? AND n < (
    SELECT max(n) FROM project_versions WHERE project_id = ? AND updated_at < ?)"""

_COUNTS = (*STATUSES, "completed_ms")
_COUNT = f"UPDATE projects SET {', '.join(f'{name} = {name} + ?' for name in _COUNTS)} WHERE project_id = ?"


class _Keys(NamedTuple):
    """What of a task stands in indexes and counts."""

    status: Status
    project_id: str
    task_type: str
    created_at: str
    completed_ms: int


class _Stored(NamedTuple):
    keys: _Keys
    timestamp: int
    position: str | None
    reader: bytes | None
    body: bytes


_Deltas = defaultdict[str, list[int]]
"""Project → what to add to each status' count, and to the completed milliseconds."""


def save_tasks(connection: sqlite3.Connection, saves: Sequence[Save]) -> list[bool]:
    """Write each; whether each was kept."""
    deltas: _Deltas = defaultdict(lambda: [0] * len(_COUNTS))
    kept = []
    for save in saves:
        body = _ENCODER.encode(save.task)
        stored = _stored(connection, save.task.task_id)
        same = stored is not None and _is_same(stored, save, body)
        if not same and _fits(stored, save):
            _write(connection, save, stored, body, deltas)
            kept.append(True)
        else:
            kept.append(same)
    _count(connection, deltas)
    return kept


def save_project(connection: sqlite3.Connection, project: Project, new: bool) -> bool:
    """Write a project; ``False`` when it has to be ``new`` and is not."""
    conflict = "NOTHING" if new else "UPDATE SET body = excluded.body"
    sql = f"INSERT INTO projects (project_id, body) VALUES (?, ?) ON CONFLICT DO {conflict}"
    body = _ENCODER.encode(project)
    if connection.execute(sql, (project.project_id, body)).rowcount != 1:
        return False
    version = (project.project_id, project.updated_at, body)
    connection.execute("INSERT INTO project_versions (project_id, updated_at, body) VALUES (?, ?, ?)", version)
    connection.execute(_FORGET_PROJECT, (project.project_id, project.project_id, _recoverable_at(project.updated_at)))
    return True


def swap_memo(connection: sqlite3.Connection, name: str, was: str, value: str) -> bool:
    """Write a memo if it is ``was``; empty: if there is none."""
    changed = connection.execute("UPDATE memos SET value = ? WHERE name = ? AND value = ?", (value, name, was)).rowcount
    if not changed and not was:
        changed = connection.execute("INSERT INTO memos VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value)).rowcount
    return changed == 1


def _recoverable_at(updated_at: str) -> str:
    """What was replaced before this can't be asked for any more."""
    try:
        return iso(millis(updated_at) - RECOVERY_MILLIS)
    except ValueError:
        return ""


def _stored(connection: sqlite3.Connection, task_id: str) -> _Stored | None:
    found = connection.execute(
        """SELECT status, project_id, task_type, created_at, completed_ms, timestamp, position, reader, body
        FROM tasks WHERE task_id = ?""",
        (task_id,),
    ).fetchone()
    return _Stored(_Keys(*found[:5]), *found[5:]) if found else None


def _is_same(stored: _Stored, save: Save, body: bytes) -> bool:
    if stored.timestamp != save.task.timestamp or stored.body != body:
        return False
    mark = save.bookmark
    return mark is None or (mark.position == stored.position and mark.reader == stored.reader)


def _fits(stored: _Stored | None, save: Save) -> bool:
    """Whether what the writer had read is what is stored, and the write is no older."""
    if stored is None or save.base is None:
        return stored is None and save.base is None
    mark = save.base.bookmark
    return (
        save.base.task.timestamp == stored.timestamp
        and (mark.position if mark else None) == stored.position
        and save.task.timestamp >= stored.timestamp
    )


def _write(connection: sqlite3.Connection, save: Save, stored: _Stored | None, body: bytes, deltas: _Deltas) -> None:
    task, keys = save.task, _keys(save.task)
    mark = (save.bookmark.position, save.bookmark.reader) if save.bookmark else _marked(stored)
    if stored and (task.timestamp, body) == (stored.timestamp, stored.body):
        connection.execute(_MARK, (*mark, task.task_id))
    elif stored and keys == stored.keys:
        connection.execute(_UPDATE, (task.timestamp, task.ttl, *mark, body, task.task_id))
    else:
        statement = _UPDATE_ALL if stored else _INSERT
        connection.execute(statement, (task.timestamp, *keys, task.ttl, *mark, body, task.task_id))
        _recount(connection, task, keys, stored, deltas)
    if save.history is not None:
        _replace_history(connection, task, stored, save.history)
    if save.kept:
        connection.execute(_KEEP, (task.task_id, task.timestamp, body))
        if mark[0] is not None:
            connection.execute(_KEEP_MARK, (task.task_id, task.timestamp, *mark))


def _replace_history(
    connection: sqlite3.Connection, task: Task, stored: _Stored | None, history: Sequence[Task]
) -> None:
    """Put ``history`` in the place of what was kept; that can be asked for as long as a restore may need it."""
    until, execute = task.timestamp, connection.execute
    execute(_REPLACE, (until, task.task_id))
    if stored:
        state = (task.task_id, until, stored.timestamp, stored.body, stored.position, stored.reader)
        execute("REPLACE INTO replaced VALUES (?, ?, ?, ?, ?, ?)", state)
    execute("DELETE FROM replaced WHERE task_id = ? AND until < ?", (task.task_id, until - RECOVERY_MILLIS))
    execute("DELETE FROM versions WHERE task_id = ?", (task.task_id,))
    execute("DELETE FROM marks WHERE task_id = ?", (task.task_id,))
    versions = ((task.task_id, version.timestamp, _ENCODER.encode(version)) for version in history)
    connection.executemany(_KEEP, versions)


def _marked(stored: _Stored | None) -> tuple[str | None, bytes | None]:
    return (stored.position, stored.reader) if stored else (None, None)


def _keys(task: Task) -> _Keys:
    seconds = (task.duration_seconds or 0) if task.status == "completed" else 0
    return _Keys(task.status, task.project_id, task.task_type, task.created_at, round(seconds * 1000))


def _recount(connection: sqlite3.Connection, task: Task, keys: _Keys, stored: _Stored | None, deltas: _Deltas) -> None:
    _add(deltas, keys, 1)
    if stored:
        _add(deltas, stored.keys, -1)
    if stored is None or stored.keys.project_id != keys.project_id:
        project = Project(
            project_id=task.project_id,
            project_name=task.project_id,
            status="active",
            created_at=task.updated_at,
            updated_at=task.updated_at,
        )
        save_project(connection, project, new=True)


def _add(deltas: _Deltas, keys: _Keys, sign: int) -> None:
    delta = deltas[keys.project_id]
    delta[_COUNTS.index(keys.status)] += sign
    delta[-1] += sign * keys.completed_ms


def _count(connection: sqlite3.Connection, deltas: _Deltas) -> None:
    if deltas:
        connection.executemany(_COUNT, [(*delta, project_id) for project_id, delta in deltas.items() if any(delta)])
