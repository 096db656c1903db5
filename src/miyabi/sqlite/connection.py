"""Connections to one SQLite file: how they are set, and how a new file gets its schema."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from miyabi.sqlite.errors import NewerSchemaError, code

CACHE_KIB = 2048
"""Page cache of one connection."""
RETRY_SECONDS = 0.001
READ_LOCK_SECONDS = 2.0
CHECKPOINT_PAGES = 2000
"""Pages (of 4 KiB) in the write-ahead log before they move into the file."""

_NEW_FILE_SETTINGS = ("auto_vacuum = INCREMENTAL", "journal_mode = WAL")
_SETTINGS = (
    "synchronous = FULL",
    f"cache_size = -{CACHE_KIB}",
    "mmap_size = 0",
    f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    f"journal_size_limit = {4 * CHECKPOINT_PAGES * 4096}",
)


def connect(path: Path, *, lock_seconds: float = READ_LOCK_SECONDS) -> sqlite3.Connection:
    """A connection that commits when told to, durably, and waits ``lock_seconds`` for a lock."""
    connection = sqlite3.connect(path, timeout=lock_seconds, isolation_level=None, check_same_thread=False)
    _set(connection, *_SETTINGS)
    return connection


def connect_writer(path: Path, schema: Sequence[str], lock_seconds: float) -> sqlite3.Connection:
    """The writer's connection, with the file made and brought to ``schema``.

    ``schema``: one statement after the other; the file's ``user_version`` is how many of them it has, so new
    statements go to the end. It never waits for a lock by itself: use :func:`begin`.
    """
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        patiently(lambda: _set(connection, *_NEW_FILE_SETTINGS, *_SETTINGS), lock_seconds)
        _migrate(connection, schema, lock_seconds)
    except BaseException:
        connection.close()
        raise
    return connection


def begin(connection: sqlite3.Connection, lock_seconds: float) -> None:
    """Start to write, when need be after waiting for whoever writes now.

    SQLite's own waiting grows to 100 ms a try, at which a busy neighbour starves it; so it is done here.
    """
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"), lock_seconds)


def patiently(action: Callable[[], Any], lock_seconds: float) -> None:
    """Do ``action``, again and again while another process holds the lock, for ``lock_seconds``."""
    deadline = time.monotonic() + lock_seconds
    while True:
        try:
            action()
            return
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(RETRY_SECONDS)


def _set(connection: sqlite3.Connection, *settings: str) -> None:
    for setting in settings:
        connection.execute(f"PRAGMA {setting}")


def _migrate(connection: sqlite3.Connection, schema: Sequence[str], lock_seconds: float) -> None:
    if version_of(connection) == len(schema):
        return
    begin(connection, lock_seconds)
    try:
        found = version_of(connection)
        if found > len(schema):
            raise NewerSchemaError(f"was written by a newer miyabi (schema {found}, this one knows {len(schema)})")
        for statement in schema[found:]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(schema)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def version_of(connection: sqlite3.Connection) -> int:
    """How many statements of the schema the file has."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
