"""SQLite's errors in words that say which file it is and what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from msgspec import MsgspecError

UNREADABLE = (sqlite3.Error, MsgspecError)
"""What reading raises: SQLite's own errors, and a stored value that can't be decoded."""

ROOM_LEFT = 1 << 20
"""With fewer bytes free than this, a failed write is put down to a full disk."""


class Errors(NamedTuple):
    """The exceptions a room raises: ``full`` when the disk is, ``unavailable`` for everything else."""

    unavailable: type[Exception]
    full: type[Exception]


class NewerSchemaError(sqlite3.DatabaseError):
    """The file was written by a later version of this program."""


def code(error: BaseException) -> int:
    """SQLite's primary result code, e.g. ``sqlite3.SQLITE_BUSY``; 0 when the error has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def explained(error: Exception, path: Path, errors: Errors) -> Exception:
    """The room's exception for ``error``."""
    if _is_full(error, path):
        return errors.full(f"There is no room left for {path}. Free some space on its disk, then try again.")
    return errors.unavailable(_advice(error, path))


def _is_full(error: Exception, path: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if code(error) == sqlite3.SQLITE_FULL:
        return True
    return code(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _free(path.parent) < ROOM_LEFT


def _free(folder: Path) -> int:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return ROOM_LEFT
    return disk.f_bavail * disk.f_frsize


def _advice(error: Exception, path: Path) -> str:
    if isinstance(error, NewerSchemaError):
        return f"{path} {error}. Upgrade miyabi, or choose another folder with --data or MIYABI_DATA."
    if isinstance(error, sqlite3.ProgrammingError):
        return f"{path} has been closed."
    match sqlite3.SQLITE_CORRUPT if isinstance(error, MsgspecError) else code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{path} is locked by another process. Wait until that has ended, or stop it, then try again."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return (
                f"{path} is damaged ({error}). Move it away, with its -wal and -shm: "
                "at the next start a new one is made."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | 0:
            return (
                f"{path} can't be written ({error}). Give your user the right to write there, "
                "or choose another folder with --data or MIYABI_DATA."
            )
    return f"{path} can't be used: {error}. Check the disk it is on."
