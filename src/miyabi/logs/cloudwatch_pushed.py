"""Pushed events as the next page of a stream, where that is as good as reading it.

A subscription tells neither what came between a place and its first event nor when its events came in. Our own lines
say the first themselves: where every new one has the number that follows its writer's last, nothing is missing between,
and what of other writers comes later is found as late. So the page costs no FilterLogEvents call. All else is read.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from miyabi.logs import LogPage
from miyabi.logs.cloudwatch_event import Event, parse
from miyabi.logs.cloudwatch_place import Delivered, Place, parse_place
from miyabi.logs.cloudwatch_read import OVERLAP_EVENTS
from miyabi.model import LogEvent


def pushed_page(after: str, events: Sequence[LogEvent]) -> LogPage | None:
    """The page that ``events`` are behind ``after``; ``None`` when the stream must be read.

    ``events`` are a delivery's: their position is the service's id, their message as it is stored. Raises
    ``ValueError`` for a position that is none.
    """
    place = parse_place(after)
    delivered = Delivered(place)
    fresh: list[Event] = []
    for event in map(_event, sorted(events, key=lambda event: event.timestamp)):
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


def _event(pushed: LogEvent) -> Event:
    """When it came in is not told; for a stamped line nothing hangs on it."""
    return parse({"eventId": pushed.position, "timestamp": pushed.timestamp, "message": pushed.message})
