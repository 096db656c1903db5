"""Service 4, the collector, and how the task API asks one in its own process."""

from __future__ import annotations

from miyabi.collector.collect import Collector
from miyabi.collector.loop import Loop
from miyabi.collector.push import Known, unknown
from miyabi.settings import Settings
from miyabi.tasks.shapes import Collected, Reread
from miyabi.wiring.stores import Stores, now


def make_loop(settings: Settings, stores: Stores) -> Loop:
    """The collector over ``stores``."""
    collector = Collector(stores.logs, stores.database, stores.cache, now)
    return Loop(collector, stores.logs, stores.database, settings.sweep_seconds)


def known_of(stores: Stores) -> Known:
    """What the log service knows of a push, if it can tell."""
    known: Known = getattr(stores.logs, "pushed", unknown)
    return known


class LocalCollector:
    """The collector of this process, as the task API sees it."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    async def collect(self) -> Collected:
        """Run it once."""
        result = await self._loop.collect()
        return Collected(result.streams, result.lines)

    async def reread(self, task_id: str) -> Reread | None:
        """Read a task's lines again from the first; ``None`` when there is no such task."""
        result = await self._loop.reread(task_id)
        return Reread(result.task, result.lines, result.changed) if result else None
