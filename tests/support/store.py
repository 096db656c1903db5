"""What is in a data folder's log store, read without a board."""

from __future__ import annotations

import asyncio
from pathlib import Path

from miyabi.logs import local
from miyabi.model import LogEvent, Marker, read_marker


def stored(data: Path) -> dict[str, list[LogEvent]]:
    """All events of all streams, by stream."""
    return asyncio.run(_stored(data))


def texts(events: list[LogEvent]) -> list[str]:
    """The finished lines among them, without the marks of a run."""
    return [e.message for e in events if not e.message.endswith("\r") and read_marker(e.message) is None]


def marks(events: list[LogEvent]) -> list[Marker]:
    """The marks of runs among them."""
    return [marker for event in events if (marker := read_marker(event.message))]


async def _stored(data: Path) -> dict[str, list[LogEvent]]:
    logs = await local.open_logs(data)
    try:
        found: dict[str, list[LogEvent]] = {}
        for stream in await logs.changed():
            events, after = found.setdefault(stream.name, []), ""
            while (page := await logs.read(stream.group, stream.name, after=after, limit=10_000)).events:
                events += page.events
                after = page.next
        return found
    finally:
        await logs.close()
