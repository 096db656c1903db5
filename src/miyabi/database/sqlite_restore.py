"""``miyabi restore`` of the embedded database: a new file as the old one was, made while the board runs.

The old file is only read, in one transaction that holds nobody up. The new one is made in a folder beside its place,
which becomes that place when the file is whole and has been checked.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from msgspec import MsgspecError

from miyabi.database import Bookmark, DatabaseFull, DatabaseUnavailable, Save
from miyabi.database import sqlite_reads as reads
from miyabi.database.restore import NotRestored, Restored, Told, outside
from miyabi.database.sqlite import FILE_NAME
from miyabi.database.sqlite_check import faults_of
from miyabi.database.sqlite_past import Past, State
from miyabi.database.sqlite_schema import SCHEMA
from miyabi.database.sqlite_writes import RECOVERY_MILLIS, save_tasks
from miyabi.model import iso
from miyabi.sqlite import LOCK_SECONDS, Errors
from miyabi.sqlite.connection import connect, connect_writer, version_of
from miyabi.sqlite.errors import explained

HALF = ".half"
"""What the folder's name ends with while it is made."""
BATCH = 1000
"""Tasks that are written at once."""
_ERRORS = Errors(DatabaseUnavailable, DatabaseFull)


def restore(source: Path, folder: Path, at: int, now: int, told: Told) -> Restored:
    """Make ``folder`` with the database of the folder ``source`` as it was ``at`` that time (both times in ms).

    Raises :class:`NotRestored`, and ``DatabaseUnavailable`` for a file that can't be read or written; then there is no
    ``folder``. A database that did not pass the check is there, for who wants to look at it.
    """
    half = _place(folder)
    with _past(source / FILE_NAME, at, now) as past:
        _make(half)
        try:
            counts = _write(past, half / FILE_NAME, told)
            told("checking the tasks", 0, past.count())
            wrong = _checked(past, half / FILE_NAME, told)
            _finish(half, folder)
        except BaseException:
            _remove(half)
            raise
    tasks, versions, projects = counts
    return Restored(
        at=iso(at), where=str(folder), tasks=tasks, versions=versions, projects=projects, checked=tasks, wrong=wrong,
        notes=[],
    )  # fmt: skip


def _place(folder: Path) -> Path:
    """Where the folder is made; refused when something is in the way."""
    half = folder.with_name(folder.name + HALF)
    if folder.exists() or folder.is_symlink():
        raise NotRestored(f"{folder} is there already, and nothing is ever overwritten. Choose another with --into.")
    if half.exists():
        raise NotRestored(
            f"{half} was left by a restore that was cut short (or one is at work there). Remove it, then try again."
        )
    return half


def _make(half: Path) -> None:
    try:
        half.mkdir(parents=True)
    except OSError as error:
        raise NotRestored(f"{half} can't be made: {error.strerror}. Choose another place with --into.") from None


@contextmanager
def _past(path: Path, at: int, now: int) -> Iterator[Past]:
    """The past of the file, which stays as it is. Faults of the old file are told as such."""
    if not path.exists():
        raise NotRestored(f"There is no database at {path}. Name its folder with --data or MIYABI_DATA.")
    try:
        with closing(connect(path)) as connection:
            _check_schema(path, version_of(connection))
            past = Past(connection, at)
            earliest = max(past.since(), now - RECOVERY_MILLIS)
            if not earliest <= at <= now:
                raise outside(at, earliest, now)
            if not past.count() and not any(past.projects()):
                raise NotRestored(f"{path} held nothing at {iso(at)}: no task and no project had been made by then.")
            yield past
    except (sqlite3.Error, MsgspecError) as error:
        raise explained(error, path, _ERRORS) from None


def _check_schema(path: Path, found: int) -> None:
    if found < len(SCHEMA):
        raise NotRestored(
            f"{path} was written by an older miyabi, which did not keep what a restore needs. Start the board once: "
            "from then on every moment can be restored."
        )
    if found > len(SCHEMA):
        raise NotRestored(f"{path} was written by a newer miyabi. Upgrade miyabi, then try again.")


def _write(past: Past, path: Path, told: Told) -> tuple[int, int, int]:
    """The new file; how many tasks, kept versions and projects are in it."""
    try:
        with closing(connect_writer(path, SCHEMA, LOCK_SECONDS)) as target:
            _unguarded(target)
            target.execute("BEGIN")
            told("copying the history")
            _copy(past, target)
            _put_tasks(past, target, told)
            counts = tuple(
                target.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("tasks", "versions", "projects")
            )
            target.execute("COMMIT")
            target.execute("PRAGMA journal_mode = WAL")
            return counts[0], counts[1], counts[2]
    except (OSError, sqlite3.Error) as error:
        raise explained(error, path, _ERRORS) from None


def _unguarded(target: sqlite3.Connection) -> None:
    """Write everything once, without a journal: what does not come to its end is thrown away as a whole."""
    target.execute("PRAGMA journal_mode = OFF")
    target.execute("PRAGMA synchronous = OFF")


def _copy(past: Past, target: sqlite3.Connection) -> None:
    """What is taken as it is."""
    target.executemany("INSERT INTO versions VALUES (?, ?, ?)", past.versions())
    target.executemany("INSERT INTO marks VALUES (?, ?, ?, ?)", past.marks())
    target.executemany("INSERT INTO replaced VALUES (?, ?, ?, ?, ?, ?)", past.replaced())
    target.executemany("INSERT INTO project_versions VALUES (?, ?, ?, ?)", past.project_versions())
    target.executemany("INSERT INTO projects (project_id, body) VALUES (?, ?)", past.projects())
    target.executemany("INSERT INTO memos VALUES (?, ?)", past.memos())
    target.execute("UPDATE feed SET end = ?", (past.feed_end(),))
    target.execute("UPDATE recovery SET since = ?", (past.since(),))


def _put_tasks(past: Past, target: sqlite3.Connection, told: Told) -> None:
    """The current states, as they are saved every day: with their counts and their place in the feed."""
    states, done, total = past.states(), 0, past.count()
    while batch := [_save(state) for state in islice(states, BATCH)]:
        save_tasks(target, batch)
        done += len(batch)
        told("restoring the tasks", done, total)


def _save(state: State) -> Save:
    mark = None if state.position is None else Bookmark(state.position, state.reader or b"")
    return Save(reads.TASK.decode(state.body), None, mark, kept=False)


def _checked(past: Past, path: Path, told: Told) -> list[str]:
    with closing(connect(path)) as target:
        return faults_of(past, target, told)


def _finish(half: Path, folder: Path) -> None:
    """Give the folder its name, durably."""
    try:
        _sync(half / FILE_NAME)
        _sync(half)
        half.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        raise NotRestored(f"{folder} can't be made: {error.strerror}. Choose another place with --into.") from None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(half: Path) -> None:
    if not half.exists():
        return
    for file in half.iterdir():
        file.unlink()
    half.rmdir()
