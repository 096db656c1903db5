"""A database file as it was: read out of the versions that the file keeps.

At each save that is kept, the task's version is written together with its bookmark, so that any of them is a state
from which a collector goes on as it did then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from miyabi.database import LINES_READ
from miyabi.model import LATEST, iso

ALWAYS = LATEST + 1
"""Stands for the history that nothing has replaced."""
Row = tuple[object, ...]

_HISTORIES = f"""CREATE TEMP TABLE histories AS SELECT task_id, min(until) AS until FROM (
    SELECT task_id, {ALWAYS} AS until FROM main.tasks UNION ALL
    SELECT task_id, until FROM main.replaced WHERE until > :at) GROUP BY task_id"""
"""Which history each task had: the one that was replaced next, else the one that is there now."""

_NEWEST = f"""CREATE TEMP TABLE newest AS SELECT task_id, until, max(
    ifnull((SELECT timestamp FROM main.tasks AS t
        WHERE t.task_id = h.task_id AND h.until = {ALWAYS} AND timestamp <= :at), -1),
    ifnull((SELECT max(timestamp) FROM main.versions AS v
        WHERE v.task_id = h.task_id AND h.until = {ALWAYS} AND timestamp <= :at), -1),
    ifnull((SELECT max(timestamp) FROM main.replaced AS r
        WHERE r.task_id = h.task_id AND r.until = h.until AND timestamp <= :at), -1)) AS timestamp
    FROM temp.histories AS h"""

_STATES = f"""SELECT n.task_id, n.timestamp, coalesce(t.body, v.body, r.body),
    CASE WHEN t.body IS NULL THEN ifnull(m.position, r.position) ELSE t.position END,
    CASE WHEN t.body IS NULL THEN ifnull(m.reader, r.reader) ELSE t.reader END
    FROM temp.newest AS n
    LEFT JOIN main.tasks AS t ON t.task_id = n.task_id AND t.timestamp = n.timestamp AND n.until = {ALWAYS}
    LEFT JOIN main.versions AS v ON v.task_id = n.task_id AND v.timestamp = n.timestamp AND n.until = {ALWAYS}
    LEFT JOIN main.marks AS m ON m.task_id = n.task_id AND m.timestamp = n.timestamp AND n.until = {ALWAYS}
    LEFT JOIN main.replaced AS r ON r.task_id = n.task_id AND r.until = n.until AND r.timestamp = n.timestamp
    WHERE n.timestamp >= 0 ORDER BY n.timestamp, n.task_id"""

_VERSIONS = f"""SELECT task_id, timestamp, body
    FROM temp.histories JOIN main.versions USING (task_id) WHERE until = {ALWAYS} AND timestamp <= :at
    UNION ALL SELECT task_id, timestamp, body
    FROM temp.histories JOIN main.replaced USING (task_id, until) WHERE timestamp <= :at"""

_MARKS = f"""SELECT task_id, timestamp, position, reader
    FROM temp.histories JOIN main.marks USING (task_id) WHERE until = {ALWAYS} AND timestamp <= :at
    UNION ALL SELECT task_id, timestamp, position, reader
    FROM temp.histories JOIN main.replaced USING (task_id, until) WHERE timestamp <= :at AND position IS NOT NULL"""


class State(NamedTuple):
    """A task's state with its bookmark: a row."""

    task_id: str
    timestamp: int
    body: bytes
    position: str | None
    reader: bytes | None


class Past:
    """What was there at a moment (``at``, ms), read from one unchanging view of the file.

    ``connection`` is the past's own: it stays in a transaction, which only reads.
    """

    def __init__(self, connection: sqlite3.Connection, at: int) -> None:
        self._connection = connection
        self.at = at
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("BEGIN")
        connection.execute(_HISTORIES, {"at": at})
        connection.execute(_NEWEST, {"at": at})
        connection.execute("CREATE INDEX temp.newest_in_order ON newest (timestamp, task_id)")

    def since(self) -> int:
        """Since when (ms) the file keeps what this needs."""
        return self._number("SELECT since FROM recovery")

    def feed_end(self) -> int:
        """Where the change feed ends now: what is restored comes behind it, so that every viewer sees it."""
        return self._number("SELECT max((SELECT end FROM feed), ifnull((SELECT max(seq) FROM tasks), 0))")

    def count(self) -> int:
        """How many tasks there were."""
        return self._number("SELECT count(*) FROM temp.newest WHERE timestamp >= 0")

    def states(self) -> Iterator[State]:
        """Each task in its newest state of that time, the one that had changed last at the end."""
        return (State(*row) for row in self._rows(_STATES))  # type: ignore[arg-type]

    def versions(self) -> Iterator[Row]:
        """The kept versions of that time: a row of ``versions`` each."""
        return self._rows(_VERSIONS)

    def marks(self) -> Iterator[Row]:
        """The bookmarks that were saved with them: a row of ``marks`` each."""
        return self._rows(_MARKS)

    def replaced(self) -> Iterator[Row]:
        """Histories that had been replaced by then: a row of ``replaced`` each."""
        return self._rows(
            "SELECT task_id, until, timestamp, body, position, reader FROM main.replaced WHERE until <= :at"
        )

    def projects(self) -> Iterator[tuple[str, bytes]]:
        """Each project's id and record of that time."""
        rows = self._connection.execute(
            """SELECT project_id, body FROM project_versions WHERE n IN (
            SELECT max(n) FROM project_versions WHERE updated_at <= ? GROUP BY project_id)""",
            (iso(self.at),),
        )
        return iter(rows)

    def project_versions(self) -> Iterator[Row]:
        """A row of ``project_versions`` each."""
        sql = "SELECT n, project_id, updated_at, body FROM project_versions WHERE updated_at <= ? ORDER BY n"
        return iter(self._connection.execute(sql, (iso(self.at),)))

    def memos(self) -> Iterator[Row]:
        """What is remembered now (it only helps to guess), but for the place up to which the logs have been read."""
        return iter(self._connection.execute("SELECT name, value FROM memos WHERE name <> ?", (LINES_READ,)))

    def of_task(self, task_id: str) -> tuple[tuple[int, bytes] | None, dict[int, bytes]]:
        """One task's state of that time (timestamp and record) and its kept versions, looked up by its id alone."""
        ask = self._connection.execute
        (until,) = ask("SELECT min(until) FROM replaced WHERE task_id = ? AND until > ?", (task_id, self.at)).fetchone()
        if until is not None:
            sql = "SELECT timestamp, body FROM replaced WHERE task_id = ? AND until = ? AND timestamp <= ?"
            versions = dict(ask(sql, (task_id, until, self.at)))
            return max(versions.items(), default=None), versions
        sql = "SELECT timestamp, body FROM {} WHERE task_id = ? AND timestamp <= ?"
        versions = dict(ask(sql.format("versions"), (task_id, self.at)))
        current = dict(ask(sql.format("tasks"), (task_id, self.at)))
        return max((versions | current).items(), default=None), versions

    def _rows(self, sql: str) -> Iterator[Row]:
        return iter(self._connection.execute(sql, {"at": self.at}))

    def _number(self, sql: str) -> int:
        number: int = self._connection.execute(sql).fetchone()[0]
        return number
