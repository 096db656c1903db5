"""One SQLite file as a room uses it: jobs to write, rows to read, changes to wait for."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from miyabi.sqlite.bell import Bell
from miyabi.sqlite.connection import connect, connect_writer
from miyabi.sqlite.errors import UNREADABLE, Errors, explained
from miyabi.sqlite.writer import Writer

T = TypeVar("T")
LOCK_SECONDS = 10.0
"""How long a write waits for another process that writes."""


class File:
    """Write-ahead logged, every acknowledged write on disk; other processes may use the same file at once.

    All methods raise the room's :class:`Errors` in place of SQLite's.
    """

    def __init__(self, path: Path, writer: sqlite3.Connection, errors: Errors, lock_seconds: float) -> None:
        self._path = path
        self._errors = errors
        self._bell = Bell()
        self._reader = connect(path)
        self._thread = ThreadPoolExecutor(1, "miyabi-reader")
        self._thread_reader: sqlite3.Connection | None = None
        self._writer = Writer(writer, lock_seconds, self._bell.ring, self._check_there)

    async def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """What ``job`` returns, once all it wrote is on disk; when it raises, nothing of it is."""
        try:
            return await self._writer.run(job)
        except sqlite3.Error as error:
            raise explained(error, self._path, self._errors) from None

    def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """What ``job`` reads, here and now: for what an index and a bounded page keep under a millisecond or so."""
        try:
            return job(self._reader)
        except UNREADABLE as error:
            raise explained(error, self._path, self._errors) from None

    def rows(self, make: Callable[..., T], sql: str, parameters: Sequence[object] = ()) -> list[T]:
        """``make`` of the columns of each row, read as by :meth:`read`."""
        return self.read(lambda connection: [make(*row) for row in connection.execute(sql, parameters)])

    async def read_aside(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """What ``job`` reads, in a thread: for pages that take longer."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._aside, job)
        except UNREADABLE as error:
            raise explained(error, self._path, self._errors) from None
        except RuntimeError:
            raise self._errors.unavailable(f"{self._path} has been closed.") from None

    async def until(self, check: Callable[[], bool], timeout: float) -> bool:
        """``True`` as soon as ``check`` holds after some process's commit, ``False`` after ``timeout`` seconds."""
        return await self._bell.until(check, timeout)

    def ping(self) -> None:
        """Return when the file is there and can be read."""
        self._check_there()
        self.read(lambda connection: connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone())

    async def close(self) -> None:
        """Finish what was called, then let go of the file."""
        await asyncio.to_thread(self._close)

    def _check_there(self) -> None:
        """SQLite writes on into a file that was removed; all of that would be gone at the next start."""
        if not os.path.exists(self._path):  # noqa: PTH110 - a fifth of Path.exists' time, at every commit
            raise self._errors.unavailable(f"{self._path} was removed while in use. Restart miyabi to have a new one.")

    def _aside(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._thread_reader is None:
            self._thread_reader = connect(self._path)
        return job(self._thread_reader)

    def _close(self) -> None:
        self._thread.shutdown()
        self._reader.close()
        if self._thread_reader is not None:
            self._thread_reader.close()
        self._writer.close()


async def open_file(path: Path, schema: Sequence[str], errors: Errors, lock_seconds: float = LOCK_SECONDS) -> File:
    """The file at ``path``, made with its folder when it is not there, and brought to ``schema``.

    ``schema``: one SQL statement after the other; later versions only append to it.
    """
    return await asyncio.to_thread(_open, path, schema, errors, lock_seconds)


def _open(path: Path, schema: Sequence[str], errors: Errors, lock_seconds: float) -> File:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return File(path, connect_writer(path, schema, lock_seconds), errors, lock_seconds)
    except (sqlite3.Error, OSError) as error:
        raise explained(error, path, errors) from None
