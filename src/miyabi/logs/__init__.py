"""Service 7, logging: log groups hold streams, streams hold lines in the order of their arrival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from miyabi.model import SYSTEM_GROUP, LogEvent, NewEvent, Writer

MAX_EVENT_BYTES = 1_000_000
"""A line is stored whole up to here; a longer one comes as several (CloudWatch Logs' own limit is 1 MB)."""
MAX_BATCH = 10_000
"""Events in one append, as in PutLogEvents."""
MAX_PAGE_BYTES = 4_000_000
"""A page ends early where its lines are longer than this together: ten thousand of them could be 10 GB."""
UNKNOWN_POSITION = "?"
"""A stream's position where the store can't tell it without reading the stream; no line has it."""
AUDIT_STREAM = "audit-"
"""Begins the names of the streams in ``/miyabi/system`` that hold the audit trail; a date is behind it."""
RETENTION_DAYS = 30
LAMBDA_GROUPS = "/aws/lambda/"
LAMBDA_RETENTION_DAYS = 7


class Stream(Struct, frozen=True):
    """A log stream: ``position`` is that of its newest line, ``touched`` where it stands in :meth:`Logs.changed`.

    The position is :data:`UNKNOWN_POSITION` where the store does not know it.
    """

    group: str
    name: str
    position: str
    touched: str


class LogPage(Struct, frozen=True):
    """Some lines of a stream, oldest first. ``next`` continues after them, ``previous`` before them."""

    events: list[LogEvent]
    next: str
    previous: str


class Group(Struct, frozen=True):
    """A log group with its retention (0 days: for ever); ``bytes`` and ``events`` count what it holds now.

    A store that does not count its streams or events says 0.
    """

    name: str
    retention_days: int
    streams: int
    events: int
    bytes: int


class Logs(Protocol):
    """Where lines are kept. Groups and streams come to be by the first append.

    Errors: :class:`LogsFull` when nothing can be stored any more, :class:`LogsUnavailable` when the service does
    not answer; after either, nothing of the call was stored and the same call may be made again.
    """

    async def append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None = None) -> int:
        """Store ``events`` at the end of the stream, in their order; once it returns they are on disk.

        With ``writer``, events whose number this writer has already stored in this stream are left out, so a
        batch can be sent again after an answer was lost. Returns how many were stored now. What no log can hold
        is changed as :func:`storable` says.
        """

    async def read(
        self, group: str, stream: str, *, after: str = "", before: str | None = None, limit: int = 1000
    ) -> LogPage:
        """The first ``limit`` lines after ``after`` (the beginning when empty), each exactly once.

        Fewer where they reach :data:`MAX_PAGE_BYTES`; only an empty page is the end. With ``before`` the last
        ``limit`` lines before it instead (the stream's end when empty). An unknown stream is an empty one.
        Raises ``ValueError`` for a position this backend did not make.
        """

    async def changed(self, after: str = "", limit: int = 1000) -> Sequence[Stream]:
        """Streams with lines newer than ``after`` (a :attr:`Stream.touched`; all when empty), oldest change first."""

    async def wait(self, after: str, timeout: float) -> bool:
        """Return ``True`` as soon as :meth:`changed` ``(after)`` has something, ``False`` after ``timeout`` seconds."""

    async def groups(self) -> Sequence[Group]:
        """All groups by name."""

    async def ping(self) -> None:
        """Return when the service answers; raise :class:`LogsUnavailable` when it does not."""

    async def close(self) -> None:
        """Finish what was acknowledged and let go of files and connections."""


class LogsUnavailable(Exception):
    """The log service does not answer."""


class LogsFull(LogsUnavailable):
    """There is no room for more lines."""


def is_audit(group: str, stream: str) -> bool:
    """Whether a stream is one of the audit trail's."""
    return group == SYSTEM_GROUP and stream.startswith(AUDIT_STREAM)


def default_retention(group: str) -> int:
    """Days that a new group keeps its lines."""
    return LAMBDA_RETENTION_DAYS if group.startswith(LAMBDA_GROUPS) else RETENTION_DAYS


def storable(events: Sequence[NewEvent]) -> Sequence[NewEvent]:
    """``events`` as every backend can store them: nearly always as they are.

    A line over :data:`MAX_EVENT_BYTES` becomes several of at most that; half a surrogate pair becomes U+FFFD.
    """
    if all(_is_plain(event.message) for event in events):
        return events
    return [NewEvent(event.timestamp, piece) for event in events for piece in _pieces(event.message)]


def well_formed(message: str) -> str:
    """``message`` with each half of a surrogate pair that stands alone replaced by U+FFFD."""
    return message.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_plain(message: str) -> bool:
    if message.isascii():
        return len(message) <= MAX_EVENT_BYTES
    try:
        return len(message.encode()) <= MAX_EVENT_BYTES
    except UnicodeEncodeError:
        return False


def _pieces(message: str) -> list[str]:
    data = well_formed(message).encode()
    pieces: list[str] = []
    start = 0
    while start < len(data) or not pieces:
        end = start + MAX_EVENT_BYTES
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[start:end].decode())
        start = end
    return pieces
