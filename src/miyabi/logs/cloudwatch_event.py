"""An event as FilterLogEvents gives it, with what tells it from all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from miyabi.logs import well_formed
from miyabi.logs.cloudwatch_stamp import Stamp, unstamped

Key = tuple[int, int]
"""The time an event is stored at and when it came in, both in ms: the service's order of events."""


class Event(NamedTuple):
    """``time``: stored at; ``ingested``: came in; ``printed``: the line's own time (all ms). ``size`` in bytes.

    ``id`` is the same for the copies of a stamped line; of anybody else's event it is made of the service's id.
    """

    time: int
    ingested: int
    id: bytes
    text: str
    printed: int
    size: int
    stamp: Stamp | None

    @property
    def key(self) -> Key:
        """Its place in the service's order."""
        return self.time, self.ingested


def parse(found: Mapping[str, Any]) -> Event:
    """An element of ``events``."""
    message, time = found.get("message", ""), found["timestamp"]
    if not message.isascii():
        message = well_formed(message)
    text, stamp = unstamped(message)
    printed = time if stamp is None or stamp.time is None else stamp.time
    size = len(message) if message.isascii() else len(message.encode())
    identity = id_of(*stamp[:3]) if stamp else _digest(f"#{found.get('eventId', '')}")
    return Event(time, found.get("ingestionTime", time), identity, text, printed, size, stamp)


def id_of(writer: str, sequence: int, piece: int) -> bytes:
    """The id of a stamped line, or of a piece of it."""
    return _digest(f"{writer}:{sequence}/{piece}")


def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


def ordered(events: Iterable[Event]) -> list[Event]:
    """In the service's order; lines that share time and coming in are in their writer's order."""
    return sorted(events, key=_order)


def _order(event: Event) -> tuple[int, int, str, int, int]:
    stamp = event.stamp
    if stamp is None:
        return event.time, event.ingested, "", 0, 0
    return event.time, event.ingested, stamp.writer, stamp.sequence, stamp.piece
