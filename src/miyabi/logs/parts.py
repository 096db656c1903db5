"""A batch as the bodies of requests: nearly always one, several where it is longer than one may be."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from miyabi.logs import MAX_BATCH, well_formed, wire
from miyabi.model import NewEvent, Writer


def parts(
    group: str,
    stream: str,
    events: Sequence[NewEvent],
    writer: Writer | None,
    limits: tuple[int, int] = (MAX_BATCH, wire.MAX_BODY),
) -> list[bytes]:
    """The bodies of :class:`miyabi.logs.wire.Append` that together are this batch; none when it is empty.

    ``limits``: events and bytes in one. Raises ``ValueError`` for a line that is too long for any.
    """
    if not events:
        return []
    most, longest = limits
    if len(events) <= most:
        body = _encoded(group, stream, events, writer)
        if len(body) <= longest:
            return [body]
        if len(events) == 1:
            raise ValueError(f"a line of {len(body):,} bytes is too long to send; cut it at {longest:,} at most")
    middle = (len(events) + 1) // 2
    second = writer and Writer(writer.id, writer.sequence + middle)
    return [
        *parts(group, stream, events[:middle], writer, limits),
        *parts(group, stream, events[middle:], second, limits),
    ]


def _encoded(group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None) -> bytes:
    try:
        return msgspec.json.encode(wire.Append(group, stream, list(events), writer))
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8
        clean = [NewEvent(event.timestamp, well_formed(event.message)) for event in events]
        return msgspec.json.encode(wire.Append(group, stream, clean, writer))
