"""A reader's place in a stream: bounded, and enough for another process to deliver each event once, also late ones.

FilterLogEvents orders by the events' time, so a late event turns up behind the place. A place therefore names
``start``, from which the next read looks again, and what of the events since then has been delivered: of stamped lines
the ranges of their writers' numbers, which are exact and short; of others' events a few ids, and a border in the order
of coming in, below which all have been. What came in above the border is new, however old it calls itself.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from miyabi.logs.cloudwatch_event import Event, Key, id_of
from miyabi.logs.cloudwatch_stamp import Stamp

PREFIX = "c"
LONGEST = 8192
MAX_WRITERS = 8
MAX_RANGES = 8
MAX_IDS = 48
"""Others' events near the border that are told apart one by one: beyond it, whoever came in first is taken as read."""
_PINNED = 2**60
Rank = tuple[int, int, int]
"""Where another's event stands in the order of coming in: when it came, its time, its number among those of both."""


class Place(Struct, frozen=True, array_like=True):
    """``top`` is the highest key delivered, ``at`` and ``id`` the event that the place stands behind.

    ``through``: a look back begins with that event and not before it. ``writers``: of each, when its last line came in
    and the time of that, then ``low, high`` of every range; ``forgotten`` is the same of those that are too many.
    ``since`` pushed events have come since the time ``mark``.
    """

    start: int = 0
    top: Key = (-1, -1)
    at: int = -1
    id: bytes = b""
    through: bool = False
    border: Rank = (-1, -1, -1)
    ids: dict[bytes, Rank] = {}
    forgotten: Key = (-1, -1)
    writers: dict[str, list[int]] = {}
    mark: int = -1
    since: int = 0

    def __str__(self) -> str:
        data = urlsafe_b64encode(_ENCODER.encode(self)).decode().rstrip("=")
        return PREFIX + data

    def up_to_here(self) -> Place:
        """The same, looking back from behind the event."""
        return replace(self, through=True)


BEGINNING = Place()
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Place)


def parse_place(position: str) -> Place:
    """The place that a position is. Raises ``ValueError`` when it is none of ours."""
    if position == "":
        return BEGINNING
    try:
        if not position.startswith(PREFIX) or len(position) > LONGEST or not position.isascii():
            raise ValueError
        data = position.removeprefix(PREFIX)
        place = _DECODER.decode(urlsafe_b64decode(data + "=" * (-len(data) % 4)))
        if str(place) != position:
            raise ValueError
    except (ValueError, msgspec.MsgspecError):
        hint = "take one from an earlier answer, as it is"
        raise ValueError(f"`{position[:80]}` is no position of these logs; {hint}") from None
    return place


class Delivered:
    """What a reader has had, beginning with what its place says."""

    def __init__(self, place: Place) -> None:
        self._top = place.top
        self._border = place.border
        self._ids = dict(place.ids)
        self._forgotten = place.forgotten
        self._writers = {writer: list(ranges) for writer, ranges in place.writers.items()}

    @property
    def top(self) -> Key:
        """The highest key of a delivered event."""
        return self._top

    def has(self, event: Event, number: int) -> bool:
        """Whether the event was delivered; ``number`` is its place among others' events of its key."""
        if event.id in self._ids:
            return True
        if event.stamp is not None:
            ranges = self._writers.get(event.stamp.writer, [])
            sequence = event.stamp.sequence
            if any(low <= sequence < high for low, high in zip(ranges[2::2], ranges[3::2], strict=True)):
                return True
            return event.key <= self._top and (event.ingested, event.time) <= self._forgotten
        return event.key <= self._top and _rank(event, number) <= self._border

    def expected(self, writer: str) -> int:
        """The number of the writer's next line; -1 when none of its lines is known."""
        return self._writers[writer][-1] if writer in self._writers else -1

    def add(self, event: Event, number: int) -> None:
        """The event has been delivered."""
        self._top = max(self._top, event.key)
        stamp = event.stamp
        if stamp is None:
            self._remember(event.id, _rank(event, number))
        elif stamp.pieces == 1:
            self._take_down(event, stamp)
        else:
            self._take_down_piece(event, stamp)

    def place(self, event: Event, start: int, *, short: bool) -> Place:
        """The place behind ``event``. ``short`` leaves the ids out: all below the border, which is at the highest."""
        ids, border = self._ids, self._border
        if short and ids:
            ids = {id_: rank for id_, rank in ids.items() if rank[0] == _PINNED}
            border = max([border, *(rank for rank in self._ids.values() if rank[0] != _PINNED)])
        writers = {writer: list(ranges) for writer, ranges in self._writers.items()}
        return Place(start, self._top, event.time, event.id, False, border, dict(ids), self._forgotten, writers)

    def _remember(self, id_: bytes, rank: Rank) -> None:
        self._ids[id_] = rank
        if len(self._ids) > MAX_IDS:
            first = min(self._ids, key=self._ids.__getitem__)
            self._border = max(self._border, self._ids.pop(first))

    def _take_down(self, event: Event, stamp: Stamp) -> None:
        came, at, *ranges = self._writers.pop(stamp.writer, [-1, -1])
        if ranges and ranges[-1] == stamp.sequence:
            ranges[-1] += 1
        else:
            ranges = _with(ranges, stamp.sequence)
        self._writers[stamp.writer] = [*max((came, at), (event.ingested, event.time)), *ranges]
        if len(self._writers) > MAX_WRITERS:
            came, at, *_ = self._writers.pop(next(iter(self._writers)))
            self._forgotten = max(self._forgotten, (came, at))

    def _take_down_piece(self, event: Event, stamp: Stamp) -> None:
        """Pieces are remembered one by one until the last of them has come."""
        self._ids[event.id] = (_PINNED, stamp.sequence, stamp.piece)
        if stamp.piece + 1 == stamp.pieces:
            for piece in range(stamp.pieces):
                self._ids.pop(id_of(stamp.writer, stamp.sequence, piece), None)
            self._take_down(event, stamp)


def _rank(event: Event, number: int) -> Rank:
    return event.ingested, event.time, number


def _with(ranges: list[int], number: int) -> list[int]:
    """``ranges`` (``low, high, low, high …``, without the highs) with one number more; the oldest gap may close."""
    pairs = sorted([*zip(ranges[::2], ranges[1::2], strict=True), (number, number + 1)])
    joined = [list(pairs[0])]
    for low, high in pairs[1:]:
        if low <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    if len(joined) > MAX_RANGES:
        joined[:2] = [[joined[0][0], joined[1][1]]]
    return [number for pair in joined for number in pair]
