"""Where spools stand in a data folder, and who may work on one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from miyabi.cli.run.spool import part
from miyabi.model import RunStart


class Header(Struct, frozen=True):
    """What a spool belongs to: where it goes, and the first line of its stream, printed at ``started`` (ms).

    ``url`` ``None``: the board of the data folder, or the folder itself.
    """

    url: str | None
    group: str
    stream: str
    started: int
    start: RunStart

    @property
    def writer(self) -> str:
        """The id under which its lines are stored."""
        return self.start.run


def folder(data: Path) -> Path:
    """Where the spools of a data folder are."""
    return data / "spool"


def head(base: Path) -> Path:
    """The file that holds a spool's :class:`Header`; who works on the spool holds a lock on it."""
    return base.with_name(f"{base.name}.json")


def state(base: Path) -> Path:
    """The file that says how far a spool is acknowledged."""
    return base.with_name(f"{base.name}.sent")


def spools(data: Path) -> list[Path]:
    """The spools in a data folder: those left behind, and those of runs that are going on."""
    return sorted(path.with_suffix("") for path in folder(data).glob("*.json"))


def left_behind(data: Path) -> list[Path]:
    """The spools that nobody works on."""
    found = []
    for base in spools(data):
        with locked(base) as text:
            if text:
                found.append(base)
    return found


def remove(base: Path) -> None:
    """Delete a spool, the head last."""
    numbers = [int(path.suffix[1:]) for path in base.parent.glob(f"{base.name}.*") if path.suffix[1:].isdigit()]
    for number in numbers:
        part(base, number).unlink(missing_ok=True)
    state(base).unlink(missing_ok=True)
    head(base).unlink(missing_ok=True)


@contextmanager
def locked(base: Path) -> Iterator[bytes | None]:
    """The head of a spool, held for us alone; ``None`` when somebody else has it, or had it to the end, and empty
    when its run is just beginning."""
    try:
        fd = os.open(head(base), os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        yield os.pread(fd, 1 << 20, 0) if _lock(fd) and os.fstat(fd).st_nlink else None
    finally:
        os.close(fd)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
