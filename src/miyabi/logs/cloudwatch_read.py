"""Reading a stream of CloudWatch Logs forwards and back: each event once, late ones too.

FilterLogEvents gives events by their time, but they may come in late. So every read begins a little before its place
and leaves out what has been delivered. How far before is bounded by :data:`OVERLAP_EVENTS` and :data:`OVERLAP_BYTES`,
so that a read near the end stays one call: an event may come that many newer ones late.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from miyabi.logs import MAX_PAGE_BYTES, LogPage
from miyabi.logs.cloudwatch_event import Event, Key, ordered
from miyabi.logs.cloudwatch_pages import Pages, Stream
from miyabi.logs.cloudwatch_place import BEGINNING, Delivered, Place, parse_place
from miyabi.model import LogEvent

OVERLAP_EVENTS = 2_000
OVERLAP_BYTES = 256 * 1024
LOOK_BACK_EVENTS = 1_000
"""At least so many are fetched to look back, that copies are told and the place knows what is before it."""


class Numbered(NamedTuple):
    """An event and its number among others' events that share its time and its coming in."""

    event: Event
    number: int


async def read_after(pages: Pages, stream: Stream, position: str, limit: int) -> LogPage:
    """The first ``limit`` events that were not delivered before ``position``. Raises ``ValueError``."""
    place = parse_place(position)
    found: list[Event] = []
    fresh: list[Numbered] = []
    async for page in pages.since(stream, place.start, OVERLAP_EVENTS + limit):
        found += page
        fresh = _undelivered(found, place)
        past = bool(found) and found[-1].key > place.top
        if past and (len(fresh) >= limit or sum(new.event.size for new in fresh) >= MAX_PAGE_BYTES):
            break
    if not fresh:
        return LogPage([], position, str((place if position else BEGINNING).up_to_here()))
    return _forward(ordered(found), fresh, place, limit)


async def read_before(pages: Pages, stream: Stream, position: str, limit: int) -> LogPage:
    """The last ``limit`` events before ``position`` in the order of time. Raises ``ValueError``."""
    place = parse_place(position) if position else None
    if place is not None and place.at < 0:
        return LogPage([], "", position)
    found: list[Event] = []
    wanted: list[Event] = []
    whole = True
    end = place.at if place else None
    async for page, last in pages.until(stream, end, max(2 * limit, LOOK_BACK_EVENTS)):
        found = ordered(page + found)
        wanted, whole = _once(found[: _end(found, place)]), last
        if len(wanted) >= limit or sum(event.size for event in wanted) >= MAX_PAGE_BYTES:
            break
    wanted = _last(wanted, limit)
    if not wanted:
        return LogPage([], "", position)
    return _back(found, wanted, 0 if whole else found[0].time + 1)


def _undelivered(found: Iterable[Event], place: Place) -> list[Numbered]:
    """What ``place`` has not had: first what came late, by its coming in, then the rest by time."""
    delivered = Delivered(place)
    late: list[Numbered] = []
    fresh: list[Numbered] = []
    seen: set[bytes] = set()
    for new in numbered(ordered(found)):
        if new.event.id not in seen and not delivered.has(*new):
            (late if new.event.key <= place.top else fresh).append(new)
            seen.add(new.event.id)
    return sorted(late, key=lambda new: (new.event.ingested, new.event.time)) + fresh


def _forward(found: Sequence[Event], fresh: Sequence[Numbered], place: Place, limit: int) -> LogPage:
    delivered = Delivered(place)
    starts = Starts(found, place.start)
    events: list[LogEvent] = []
    size = 0
    following = place
    for index, new in enumerate(fresh[:limit]):
        delivered.add(*new)
        late = new.event.key <= place.top
        start = place.start if late else starts.behind(delivered.top)
        here = delivered.place(new.event, start, short=not late)
        events.append(_line(new.event, here))
        size += new.event.size
        if size >= MAX_PAGE_BYTES or index + 1 in (limit, len(fresh)):
            following = delivered.place(new.event, start, short=False)
            break
    return LogPage(events, str(following), events[0].position)


def _back(found: Sequence[Event], wanted: Sequence[Event], start: int) -> LogPage:
    """``found`` holds ``wanted`` and what was fetched before it, all of which a reader from here on has had."""
    delivered = Delivered(BEGINNING)
    starts = Starts(found, start)
    shown = {event.id for event in wanted}
    events: list[LogEvent] = []
    following = BEGINNING
    for new in numbered(found):
        delivered.add(*new)
        if new.event.id in shown:
            shown.discard(new.event.id)
            begin = starts.behind(delivered.top)
            events.append(_line(new.event, delivered.place(new.event, begin, short=True)))
            following = delivered.place(new.event, begin, short=False)
        if not shown:
            break
    return LogPage(events, str(following), events[0].position)


def numbered(events: Iterable[Event]) -> Iterable[Numbered]:
    """Each event with its number among others' events of its key."""
    counts: Counter[Key] = Counter()
    for event in events:
        yield Numbered(event, counts[event.key])
        counts[event.key] += event.stamp is None


class Starts:
    """From where a later read must look again: never before ``start``, which the reader knows nothing of."""

    def __init__(self, found: Sequence[Event], start: int) -> None:
        self._times = [event.time for event in found]
        self._sizes = list(accumulate((event.size for event in found), initial=0))
        self._start = start

    def behind(self, top: Key) -> int:
        """The start for a reader that has had everything up to ``top``."""
        end = bisect_right(self._times, top[0])
        first = max(end - OVERLAP_EVENTS, bisect_left(self._sizes, self._sizes[end] - OVERLAP_BYTES, hi=end), 0)
        return max(self._start, self._times[first]) if 0 < first < len(self._times) else self._start


def _end(found: Sequence[Event], place: Place | None) -> int:
    """How many of ``found`` are before the place."""
    if place is None:
        return len(found)
    for index in range(bisect_left(found, place.at, key=lambda event: event.time), len(found)):
        if found[index].id == place.id and found[index].time == place.at:
            return index + place.through
    by = bisect_right if place.through else bisect_left
    return by(found, place.at, key=lambda event: event.time)


def _once(events: Iterable[Event]) -> list[Event]:
    """Without the copies of lines that were sent again."""
    first: dict[bytes, Event] = {}
    for event in events:
        first.setdefault(event.id, event)
    return list(first.values())


def _last(events: list[Event], limit: int) -> list[Event]:
    """The last ``limit``, fewer where they reach :data:`MAX_PAGE_BYTES`."""
    size = 0
    for index in range(len(events) - 1, max(-1, len(events) - limit - 1), -1):
        size += events[index].size
        if size >= MAX_PAGE_BYTES:
            return events[index:]
    return events[max(0, len(events) - limit) :]


def _line(event: Event, place: Place) -> LogEvent:
    return LogEvent(str(place), event.printed, event.text)
