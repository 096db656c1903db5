"""How lines lie on disk: runs of a stream's lines, each run one MessagePack value of times and texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import msgpack

from miyabi.model import LogEvent, NewEvent

CHUNK_LINES = 512
CHUNK_CHARS = 128 * 1024
"""A run ends after so many lines or characters: what a page reads too much stays small."""

_Columns = tuple[list[int], list[str]]
_ENCODER = msgpack.Encoder()
_DECODER = msgpack.Decoder(_Columns)


def pack(events: Sequence[NewEvent]) -> bytes:
    """A run of lines as bytes."""
    return _ENCODER.encode(([event.timestamp for event in events], [event.message for event in events]))


def unpack(data: bytes, first: int) -> list[LogEvent]:
    """The lines of a run whose first has the number ``first``."""
    timestamps, messages = _DECODER.decode(data)
    return [
        LogEvent(str(line), timestamp, message, line)
        for line, (timestamp, message) in enumerate(zip(timestamps, messages, strict=True), first)
    ]


def runs(events: Sequence[NewEvent]) -> Iterator[Sequence[NewEvent]]:
    """``events`` cut into runs."""
    start = chars = 0
    for end, event in enumerate(events):
        length = len(event.message)
        if end > start and (end - start == CHUNK_LINES or chars + length > CHUNK_CHARS):
            yield events[start:end]
            start, chars = end, 0
        chars += length
    if start < len(events):
        yield events[start:]
