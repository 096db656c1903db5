"""``GET /api/events`` where no process lives between requests: what there is to say now, and when to come again.

The same events with the same ids as :mod:`miyabi.tasks.stream`, but the answer ends: with an event ``again``, whose
data is ``{"milliseconds": …, "place": …}``. Who comes again says that place as ``last_event_id`` and gets what changed
since. A connection held open would be paid for by the millisecond.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from miyabi.database import Database
from miyabi.logs import LogPage, Logs
from miyabi.tasks.stream import (
    LINES_PAGE,
    PAGES_AT_ONCE,
    Place,
    Watch,
    event,
    lines_event,
    missed,
    task_events,
)

AGAIN_MILLIS = 3000


async def visit(database: Database, logs: Logs, watch: Watch, last: Place | None) -> AsyncGenerator[bytes]:
    """Events since ``last``; without it (or with another board's) only where to go on from.

    Raises ``DatabaseUnavailable`` or ``LogsUnavailable``.
    """
    changes = missed(database, last.feed, watch) if last else None
    try:
        page = await anext(changes, None) if changes else None
    except ValueError:
        changes = last = None
    feed = last.feed if last else (await database.changed(limit=0)).next
    place = Place(feed, (last.position if last else "") or watch.position)
    yield event("hello", msgspec.json.encode({"resumed": last is not None}), place)
    while changes and page:
        tasks, feed = page
        place = Place(feed, place.position)
        if tasks:
            yield task_events(tasks, place)
        page = await anext(changes, None)
    async for lines in _lines(logs, watch, place.position):
        place = Place(place.feed, lines.next)
        yield lines_event(lines, place)
    yield event("again", msgspec.json.encode({"milliseconds": AGAIN_MILLIS, "place": str(place)}), place)


async def _lines(logs: Logs, watch: Watch, position: str) -> AsyncGenerator[LogPage]:
    """New lines of the stream that is watched; of very many the first pages, the rest at the next visit."""
    if watch.stream is None:
        return
    for _ in range(PAGES_AT_ONCE):
        page = await logs.read(*watch.stream, after=position, limit=LINES_PAGE)
        if not page.events:
            return
        position = page.next
        yield page
