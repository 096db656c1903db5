"""Events that came otherwise, pushed by a subscription or seen by a look at a group, as a stream's next page.

Neither way tells what came between a place and its first event. Our own lines say that themselves: where every new one
has the number that follows its writer's last, nothing is missing between, and what of other writers comes later is
found as late. So the page costs no FilterLogEvents call. All else is read, also the first line of a writer: what others
wrote before it should come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from miyabi.logs import LogPage
from miyabi.logs.cloudwatch_event import Event, ordered, parse
from miyabi.logs.cloudwatch_place import Delivered, Place, parse_place
from miyabi.logs.cloudwatch_read import OVERLAP_EVENTS
from miyabi.model import LogEvent


def pushed_page(after: str, events: Sequence[LogEvent]) -> LogPage | None:
    """:func:`known_page` of a delivery's events: their position is the service's id, their message as it is stored.

    When they came in is not told; for a stamped line nothing hangs on it.
    """
    return known_page(
        after,
        [parse({"eventId": new.position, "timestamp": new.timestamp, "message": new.message}) for new in events],
        len(events),
    )


def known_page(after: str, events: Iterable[Event], limit: int) -> LogPage | None:
    """The page of at most ``limit`` that ``events`` are behind ``after``; ``None`` when the stream must be read.

    Raises ``ValueError`` for a position that is none.
    """
    place = parse_place(after)
    delivered = Delivered(place)
    fresh: list[Event] = []
    for event in ordered(events):
        if event.stamp is None or event.stamp.pieces > 1:
            return None
        if delivered.has(event, 0):
            continue
        if event.stamp.sequence != delivered.expected(event.stamp.writer):
            return None
        delivered.add(event, 0)
        fresh.append(event)
    if not fresh:
        return LogPage([], after, str(place.up_to_here()))
    fresh = fresh[:limit]
    return _page(_moved(place, fresh), fresh)


def _page(place: Place, fresh: Sequence[Event]) -> LogPage:
    delivered = Delivered(place)
    lines: list[LogEvent] = []
    for event in fresh:
        delivered.add(event, 0)
        here = delivered.place(event, place.start, short=True)
        lines.append(LogEvent(str(here), event.printed, event.text))
    following = replace(delivered.place(fresh[-1], place.start, short=False), mark=place.mark, since=place.since)
    return LogPage(lines, str(following), lines[0].position)


def _moved(place: Place, fresh: Sequence[Event]) -> Place:
    """The place with its start moved on: it stays one to two overlaps of events behind, though nobody looks there."""
    since = place.since + len(fresh)
    if place.mark >= 0 and since < OVERLAP_EVENTS:
        return replace(place, since=since)
    return replace(place, start=max(place.start, place.mark), mark=fresh[0].time, since=0)
