"""The collector's day: wait for new lines, read them; every few seconds look for what no signal told of."""

from __future__ import annotations

import asyncio
import logging
import time

from miyabi.collector.collect import Collector, Result
from miyabi.database import LINES_READ, Database, DatabaseUnavailable
from miyabi.logs import Logs, LogsUnavailable

log = logging.getLogger("miyabi.collector")

RETRY_SECONDS = 1.0
STALE_SECONDS = 30.0


class Loop:
    """Runs a collector until cancelled. It may be killed at any moment: the bookmarks say where to go on."""

    def __init__(self, collector: Collector, logs: Logs, database: Database, sweep_seconds: float = 5.0) -> None:
        self._collector = collector
        self._logs = logs
        self._database = database
        self._sweep_seconds = sweep_seconds
        self._touched = ""
        self._stored = ""
        self._turn = asyncio.Lock()
        self._seen = time.monotonic()

    async def run(self) -> None:
        """Collect for ever."""
        while True:
            try:
                await self.collect()
                if not await self._logs.wait(self._touched, self._sweep_seconds):
                    await self._remember()
            except (DatabaseUnavailable, LogsUnavailable) as error:
                log.warning("collecting again in %s s: %s", RETRY_SECONDS, error)
                await asyncio.sleep(RETRY_SECONDS)
            self._seen = time.monotonic()

    async def collect(self) -> Result:
        """Read everything that is new, once."""
        async with self._turn:
            self._touched = self._touched or await self._database.cursor(LINES_READ)
            streams = lines = 0
            while changed := await self._logs.changed(self._touched):
                result = await self._collector.collect(changed)
                self._touched = changed[-1].touched
                streams += result.streams
                lines += result.lines
            return Result(streams, lines)

    async def ping(self) -> None:
        """Return when the loop is alive; raise when it has stood still."""
        stood = time.monotonic() - self._seen
        if stood > STALE_SECONDS:
            raise RuntimeError(f"the collector has stood still for {stood:.0f} s")

    async def stop(self) -> None:
        """Remember where it stands, so that the next start looks at little."""
        await self._remember()

    async def _remember(self) -> None:
        if self._touched != self._stored:
            await self._database.set_cursor(LINES_READ, self._touched)
            self._stored = self._touched
