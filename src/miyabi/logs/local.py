"""Logs in an SQLite file in the data folder; the task board and command line processes may write it at once.

A line's position is its number within its stream. Lines are stored in runs (:mod:`miyabi.logs.chunks`) whose rowid is
``stream << 32 | number of the first line``: a stream's runs lie side by side, so that reading, and one day removing,
the lines of a stream is one range of the table and needs no other index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from miyabi.logs import (
    MAX_PAGE_BYTES,
    Group,
    LogPage,
    LogsFull,
    LogsUnavailable,
    Stream,
    default_retention,
    storable,
)
from miyabi.logs.chunks import pack, runs, unpack
from miyabi.model import LogEvent, NewEvent, Writer
from miyabi.sqlite import LOCK_SECONDS, Errors, File, open_file

FILE_NAME = "logs.db"
INLINE_LINES = 256
"""Pages up to here are read on the event's loop; longer ones in a thread."""
_SHIFT = 32
_DIGITS = 15
_SCHEMA = (
    """CREATE TABLE groups (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retention_days INTEGER NOT NULL,
        streams INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE streams (
        id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL REFERENCES groups, name TEXT NOT NULL,
        lines INTEGER NOT NULL DEFAULT 0, newest INTEGER NOT NULL DEFAULT 0, touched INTEGER NOT NULL DEFAULT 0,
        UNIQUE (group_id, name))""",
    "CREATE INDEX streams_by_change ON streams (touched)",
    "CREATE INDEX streams_by_age ON streams (group_id, newest)",
    "CREATE TABLE chunks (id INTEGER PRIMARY KEY, newest INTEGER NOT NULL, data BLOB NOT NULL)",
    """CREATE TABLE writers (
        stream_id INTEGER NOT NULL, writer TEXT NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (stream_id, writer)) WITHOUT ROWID""",
    "CREATE TABLE feed (end INTEGER NOT NULL)",
    "INSERT INTO feed VALUES (0)",
    """INSERT INTO groups (name, retention_days) VALUES
        ('/miyabi/agents', 30), ('/miyabi/cdk-deploy', 30), ('/miyabi/jobs', 30), ('/miyabi/system', 30)""",
)


async def open_logs(folder: Path, lock_seconds: float = LOCK_SECONDS) -> LocalLogs:
    """The logs of a data folder, made when they are not there. Raises ``LogsUnavailable``, saying what to do."""
    errors = Errors(LogsUnavailable, LogsFull)
    return LocalLogs(await open_file(folder / FILE_NAME, _SCHEMA, errors, lock_seconds))


class LocalLogs:
    """:class:`miyabi.logs.Logs` over one SQLite file."""

    def __init__(self, file: File) -> None:
        self._file = file

    async def append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None = None) -> int:
        if not events:
            return 0
        return await self._file.write(lambda connection: _append(connection, group, stream, events, writer))

    async def read(
        self, group: str, stream: str, *, after: str = "", before: str | None = None, limit: int = 1000
    ) -> LogPage:
        start, end = _number(after, 0), None if before is None else _number(before, 1 << _SHIFT)

        def page(connection: sqlite3.Connection) -> LogPage:
            return _read(connection, group, stream, start, end, limit)

        return self._file.read(page) if limit <= INLINE_LINES else await self._file.read_aside(page)

    async def changed(self, after: str = "", limit: int = 1000) -> Sequence[Stream]:
        return self._file.rows(
            Stream,
            """SELECT groups.name, streams.name, CAST(lines AS TEXT), CAST(touched AS TEXT)
            FROM streams JOIN groups ON groups.id = group_id WHERE touched > ? ORDER BY touched LIMIT ?""",
            (self._place(after)[0], limit),
        )

    async def wait(self, after: str, timeout: float) -> bool:
        def newer() -> bool:
            place, end = self._place(after)
            return place < end

        return await self._file.until(newer, timeout)

    async def groups(self) -> Sequence[Group]:
        return self._file.rows(Group, "SELECT name, retention_days, streams, events, bytes FROM groups ORDER BY name")

    async def ping(self) -> None:
        self._file.ping()

    async def close(self) -> None:
        await self._file.close()

    def _place(self, after: str) -> tuple[int, int]:
        """Where ``after`` stands in the feed, and the feed's end.

        A place that the feed has never come to is another file's: it counts as the beginning.
        """
        number, (end,) = _number(after, 0), self._file.rows(int, "SELECT end FROM feed")
        return (number if number <= end else 0), end


def _append(
    connection: sqlite3.Connection, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None
) -> int:
    stream_id, group_id, lines = _stream(connection, group, stream)
    fresh = events if writer is None else _unseen(connection, stream_id, events, writer)
    if not fresh:
        return 0
    size, newest, whole = 0, 0, storable(fresh)
    for run in runs(whole):
        data, youngest = pack(run), max(event.timestamp for event in run)
        connection.execute("INSERT INTO chunks VALUES (?, ?, ?)", (stream_id << _SHIFT | lines + 1, youngest, data))
        lines, size, newest = lines + len(run), size + len(data), max(newest, youngest)
    end = connection.execute("UPDATE feed SET end = end + 1 RETURNING end").fetchone()[0]
    connection.execute(
        "UPDATE streams SET lines = ?, newest = max(newest, ?), touched = ? WHERE id = ?",
        (lines, newest, end, stream_id),
    )
    connection.execute(
        "UPDATE groups SET events = events + ?, bytes = bytes + ? WHERE id = ?", (len(whole), size, group_id)
    )
    return len(fresh)


def _stream(connection: sqlite3.Connection, group: str, stream: str) -> tuple[int, int, int]:
    """The stream's id, its group's, and how many lines it has; made when it is not there."""
    found = connection.execute(
        """SELECT streams.id, group_id, lines FROM streams JOIN groups ON groups.id = group_id
        WHERE groups.name = ? AND streams.name = ?""",
        (group, stream),
    ).fetchone()
    if found:
        stream_id, group_id, lines = found
        return stream_id, group_id, lines
    group_id = connection.execute(
        """INSERT INTO groups (name, retention_days, streams) VALUES (?, ?, 1)
        ON CONFLICT DO UPDATE SET streams = streams + 1 RETURNING id""",
        (group, default_retention(group)),
    ).fetchone()[0]
    made = connection.execute(
        "INSERT INTO streams (group_id, name) VALUES (?, ?) RETURNING id", (group_id, stream)
    ).fetchone()
    return made[0], group_id, 0


def _unseen(
    connection: sqlite3.Connection, stream_id: int, events: Sequence[NewEvent], writer: Writer
) -> Sequence[NewEvent]:
    """What of ``events`` this writer has not stored in this stream yet; from here on it has."""
    found = connection.execute(
        "SELECT next FROM writers WHERE stream_id = ? AND writer = ?", (stream_id, writer.id)
    ).fetchone()
    known = found[0] if found else 0
    fresh = events[max(0, known - writer.sequence) :]
    if fresh:
        connection.execute(
            "INSERT INTO writers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
            (stream_id, writer.id, writer.sequence + len(events)),
        )
    return fresh


def _read(connection: sqlite3.Connection, group: str, stream: str, start: int, end: int | None, limit: int) -> LogPage:
    """A page after line ``start``, or before line ``end``."""
    found = connection.execute(
        "SELECT streams.id FROM streams JOIN groups ON groups.id = group_id WHERE groups.name = ? AND streams.name = ?",
        (group, stream),
    ).fetchone()
    events: list[LogEvent] = []
    if found:
        base = found[0] << _SHIFT
        events = _after(connection, base, start, limit) if end is None else _before(connection, base, end, limit)
    if events:
        return LogPage(events, events[-1].position, events[0].position)
    return LogPage(events, str(start), str(start + 1))


def _after(connection: sqlite3.Connection, base: int, start: int, limit: int) -> list[LogEvent]:
    rows = connection.execute(
        """SELECT id, data FROM chunks WHERE id < ? AND id >=
        coalesce((SELECT max(id) FROM chunks WHERE id > ? AND id <= ?), ?) ORDER BY id""",
        (base + (1 << _SHIFT), base, base + start + 1, base),
    )
    events: list[LogEvent] = []
    size = 0
    for place, data in rows:
        lines = unpack(data, place - base)
        events += lines[max(0, start + 1 - (place - base)) :]
        size += len(data)
        if len(events) >= limit or size >= MAX_PAGE_BYTES:
            break
    return events[:limit]


def _before(connection: sqlite3.Connection, base: int, end: int, limit: int) -> list[LogEvent]:
    rows = connection.execute(
        "SELECT id, data FROM chunks WHERE id > ? AND id < ? ORDER BY id DESC", (base, base + min(end, 1 << _SHIFT))
    )
    found: list[list[LogEvent]] = []
    count = size = 0
    for place, data in rows:
        found.append(unpack(data, place - base)[: end - (place - base)])
        count, size = count + len(found[-1]), size + len(data)
        if count >= limit or size >= MAX_PAGE_BYTES:
            break
    events = [event for lines in reversed(found) for event in lines]
    return events[max(0, len(events) - limit) :]


def _number(position: str, empty: int) -> int:
    if position == "":
        return empty
    if not (position.isascii() and position.isdigit() and len(position) <= _DIGITS):
        raise ValueError(f"`{position[:80]}` is no position of these logs; take one from an earlier answer, as it is")
    return int(position)
