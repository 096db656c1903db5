"""The spool: what a command put out, on disk, until it has been sent.

A spool is a row of files ``NAME.0``, ``NAME.1`` … of frames. A frame is :data:`FRAME` (time in ms, :class:`Kind`,
length) and its bytes. Each file begins with a ``START`` frame and all but the last end with a ``NEXT`` frame, so
that what is sent can be deleted while the rest is still being written.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

FRAME = struct.Struct("<QBI")
OFFSETS = struct.Struct("<QQ")
"""What a ``START`` frame holds: how many bytes of output and of errors came in the files before."""
EXIT = struct.Struct("<?ibd")
"""What an ``EXIT`` frame holds: whether the end was seen, exit code, signal (0: none) and duration in seconds."""
FILE_BYTES = 8_000_000
RETRY_MS = 1000


class Kind(IntEnum):
    """What a frame holds."""

    OUT = 0
    ERR = 1
    START = 2
    NEXT = 3
    EXIT = 4
    LOST = 5
    """8 bytes: how much output was not recorded here, since the disk was full."""


class Exit(NamedTuple):
    """How a command ended: ``code`` as a shell gives it, ``None`` when nobody saw the end."""

    code: int | None
    signal: int = 0
    seconds: float = 0.0

    def pack(self) -> bytes:
        """The bytes of an ``EXIT`` frame."""
        return EXIT.pack(self.code is not None, self.code or 0, self.signal, self.seconds)

    @classmethod
    def unpack(cls, data: bytes) -> Exit:
        """The inverse of :meth:`pack`."""
        seen, code, signal, seconds = EXIT.unpack(data)
        return cls(code if seen else None, signal, seconds)


class Frame(NamedTuple):
    """A piece of a spool: its kind, when it came (ms), its bytes, and where it ends: file number and offset."""

    kind: int
    ms: int
    data: bytes
    file: int
    end: int


def now_ms() -> int:
    """The time of day in ms."""
    return time.time_ns() // 1_000_000


def part(base: Path, number: int) -> Path:
    """The spool's file of that number."""
    return base.with_name(f"{base.name}.{number}")


class SpoolWriter:
    """Appends frames. A full disk never raises: what could not be written is counted, and trying goes on.

    ``now`` gives the time in ms.
    """

    def __init__(self, base: Path, now: Callable[[], int], file_bytes: int = FILE_BYTES) -> None:
        self.lost = 0
        """Bytes that were not recorded in all."""
        self.written = 0
        """Bytes of output recorded."""
        self.trouble = ""
        """Why something was not recorded."""
        self._base = base
        self._now = now
        self._file_bytes = file_bytes
        self._number = 0
        self._offsets = [0, 0]
        self._gap = 0
        self._retry_at = 0
        self._size = 0
        self._fd = -1
        self._open(0)

    def output(self, kind: Kind, data: bytes) -> None:
        """Record a piece of the command's output."""
        now = self._now()
        if self._gap and not self._recover(now):
            self._lose(len(data))
            return
        if self._frame(kind, now, data):
            self._offsets[kind] += len(data)
            self.written += len(data)
            if self._size > self._file_bytes:
                self._turn(now)
        else:
            self._retry_at = now + RETRY_MS
            self._lose(len(data))

    def close(self, ended: Exit | None) -> None:
        """Record how the command ended, and let go of the file."""
        now = self._now()
        if self._gap:
            self._recover(now, force=True)
        if ended is not None:
            self._frame(Kind.EXIT, now, ended.pack())
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _lose(self, count: int) -> None:
        self._gap += count
        self.lost += count

    def _recover(self, now: int, force: bool = False) -> bool:
        if now < self._retry_at and not force:
            return False
        self._retry_at = now + RETRY_MS
        if not self._frame(Kind.LOST, now, self._gap.to_bytes(8, "little")):
            return False
        self._gap = 0
        return True

    def _frame(self, kind: int, ms: int, data: bytes) -> bool:
        if self._fd < 0:
            return False
        head = FRAME.pack(ms, kind, len(data))
        whole = FRAME.size + len(data)
        try:
            written = os.writev(self._fd, (head, data))
        except OSError as error:
            written, self.trouble = 0, _why(error)
        if written < whole:
            self.trouble = self.trouble or os.strerror(errno.ENOSPC)
            if written:
                os.ftruncate(self._fd, self._size)
            return False
        self._size += whole
        return True

    def _turn(self, now: int) -> None:
        """Go on in a new file; when there can't be one, stay in this."""
        old, size = self._fd, self._size
        if self._open(self._number + 1):
            new, self._fd, new_size = self._fd, old, self._size
            self._size = size
            done = self._frame(Kind.NEXT, now, b"")
            if done:
                os.close(old)
                self._fd, self._size, self._number = new, new_size, self._number + 1
            else:
                os.close(new)
                part(self._base, self._number + 1).unlink(missing_ok=True)
        else:
            self._fd, self._size = old, size

    def _open(self, number: int) -> bool:
        self._size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        try:
            self._fd = os.open(part(self._base, number), flags, 0o600)
        except OSError as error:
            self.trouble, self._fd = _why(error), -1
            return False
        if self._frame(Kind.START, self._now(), OFFSETS.pack(*self._offsets)):
            return True
        os.close(self._fd)
        self._fd = -1
        return False


class SpoolReader:
    """Reads frames from ``(file, offset)`` on, following the writer as far as it has got."""

    def __init__(self, base: Path, file: int = 0, offset: int = 0) -> None:
        self._base = base
        self._number = file
        self._offset = offset
        self._fd = os.open(part(base, file), os.O_RDONLY)
        self._buffer = b""
        self._at = 0

    def next(self) -> Frame | None:
        """The next whole frame, or ``None`` when there is none yet."""
        while True:
            frame = self._parse()
            if frame is None:
                more = os.pread(self._fd, 1 << 18, self._offset + len(self._buffer))
                if not more:
                    return None
                self._buffer, self._offset, self._at = self._buffer[self._at :] + more, self._offset + self._at, 0
            elif frame.kind == Kind.NEXT:
                self._turn()
            else:
                return frame

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _parse(self) -> Frame | None:
        start = self._at + FRAME.size
        if len(self._buffer) < start:
            return None
        ms, kind, length = FRAME.unpack_from(self._buffer, self._at)
        if len(self._buffer) < start + length:
            return None
        self._at = start + length
        return Frame(kind, ms, self._buffer[start : self._at], self._number, self._offset + self._at)

    def _turn(self) -> None:
        os.close(self._fd)
        self._number += 1
        self._fd = os.open(part(self._base, self._number), os.O_RDONLY)
        self._buffer, self._offset, self._at = b"", 0, 0


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
