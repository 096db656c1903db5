"""Lines as legal PutLogEvents batches, pure.

Limits from the API reference of PutLogEvents: 1,048,576 bytes counting 26 for each event, 10,000 events, 24 h from the
first to the last, in the order of time, none older than 14 days (or than the group keeps) nor more than 2 h ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from miyabi.logs import storable
from miyabi.logs.cloudwatch_stamp import Stamp, stamped, unstamped
from miyabi.model import NewEvent, Writer

BATCH_BYTES = 1_048_576
EVENT_OVERHEAD = 26
BATCH_EVENTS = 10_000
BATCH_SPAN = 24 * 3_600_000
OLDEST = 14 * 24 * 3_600_000
NEWEST = 2 * 3_600_000
MARGIN = 5 * 60_000
"""Kept from both ends (ms): our clock is not the service's. AWS refuses requests whose clock is further off."""
_DAY = 24 * 3_600_000


class Legal(NamedTuple):
    """Times (ms) at which an event may be stored now."""

    oldest: int
    newest: int

    @classmethod
    def at(cls, now: int, retention_days: int) -> Legal:
        """What is legal at ``now`` in a group that keeps its events for so many days (0: for ever)."""
        kept = min(OLDEST, retention_days * _DAY) if retention_days else OLDEST
        return cls(max(0, now - kept + MARGIN), now + NEWEST - MARGIN)


class Entry(NamedTuple):
    """An event of a batch. ``done`` is how many of the call's events are whole once it is stored."""

    timestamp: int
    message: str
    size: int
    done: int

    def at(self, time: int) -> Entry:
        """The same event stored at another time, its own in its stamp."""
        text, stamp = unstamped(self.message)
        assert stamp is not None
        own = self.timestamp if stamp.time is None else stamp.time
        return _entry(time, text, stamp._replace(time=own), self.done)


def entries(events: Sequence[NewEvent], writer: Writer, floor: int, legal: Legal) -> Iterator[Entry]:
    """``events`` as they are stored: stamped, in the order they came, at times that never go back.

    An event is stored at the time it was printed where that is legal and not before ``floor`` nor before its
    predecessor, else at the nearest time that is; then its stamp keeps its own time. So the order of time, which is
    the only one that CloudWatch Logs knows, is the order of the lines.
    """
    for index, event in enumerate(events):
        floor = min(max(event.timestamp, floor, legal.oldest), legal.newest)
        own = None if floor == event.timestamp else event.timestamp
        pieces = storable([event])
        for piece, part in enumerate(pieces):
            stamp = Stamp(writer.id, writer.sequence + index, piece, len(pieces), own)
            yield _entry(floor, part.message, stamp, index + 1 if piece + 1 == len(pieces) else index)


def _entry(time: int, text: str, stamp: Stamp, done: int) -> Entry:
    message = stamped(text, stamp)
    return Entry(time, message, len(message.encode()) + EVENT_OVERHEAD, done)


def batches(stored: Iterable[Entry]) -> Iterator[list[Entry]]:
    """``stored`` cut into legal batches."""
    batch: list[Entry] = []
    size = 0
    for entry in stored:
        full = len(batch) == BATCH_EVENTS or size + entry.size > BATCH_BYTES
        if batch and (full or entry.timestamp - batch[0].timestamp >= BATCH_SPAN):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch
