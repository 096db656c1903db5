"""What a collector keeps of a stream between two pages: the reader's state and the run's pace."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from miyabi.database import Bookmark
from miyabi.progress.pace import Pace
from miyabi.progress.reader import Reader


class _Kept(Struct, array_like=True):
    reader: bytes
    pace: Pace


class Memory:
    """A stream's reader and pace, gone on with from a bookmark or begun anew."""

    def __init__(self, bookmark: Bookmark | None = None) -> None:
        kept = _decode(bookmark.reader) if bookmark and bookmark.reader else None
        self.reader = Reader(kept.reader if kept else None)
        self.pace = kept.pace if kept else Pace()

    def mark(self, position: str) -> Bookmark:
        """The bookmark at ``position`` that gives this memory again."""
        return Bookmark(position, msgspec.msgpack.encode(_Kept(self.reader.save(), self.pace)))


def _decode(data: bytes) -> _Kept | None:
    """``None`` for what another version of miyabi kept: the stream is read on from there as if it began."""
    try:
        return msgspec.msgpack.decode(data, type=_Kept)
    except msgspec.MsgspecError:
        return None
