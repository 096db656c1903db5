"""The collector's day: wait for new lines, read them; every few seconds look for what no signal told of."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice

from msgspec import Struct

from miyabi.collector.collect import AT_ONCE, Collector, PageOf, Reread
from miyabi.database import LINES_READ, Database, DatabaseUnavailable
from miyabi.logs import UNKNOWN_POSITION, Logs, LogsUnavailable, Stream
from miyabi.principal import EVERYTHING, Sight

log = logging.getLogger("miyabi.collector")

RETRY_SECONDS = 1.0
LOOK_SECONDS = 1.0
"""So often tasks that are silent are looked after."""
STALE_SECONDS = 30.0
PUSH_SECONDS = (0.5, 1.0, 2.0)
"""A push may come before its lines can be read: a stream that has none yet is read again after so long each."""
COLLECT_SECONDS = 25.0
"""A call to collect answers by then, even while lines come faster than they can be read."""


class Result(Struct, frozen=True):
    """What was read."""

    streams: int
    lines: int


class Loop:
    """Runs a collector until cancelled. It may be killed at any moment: the bookmarks say where to go on.

    ``clock`` gives seconds that only grow.
    """

    def __init__(
        self,
        collector: Collector,
        logs: Logs,
        database: Database,
        sweep_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        retry_seconds: float = RETRY_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._collector = collector
        self._logs = logs
        self._database = database
        self._sweep_seconds = sweep_seconds
        self._clock = clock
        self._retry_seconds = retry_seconds
        self._sleep = sleep
        self._touched = ""
        self._behind: dict[tuple[str, str], Stream] = {}
        self._stored = ""
        self._stored_at = self._seen = self._looked_at = clock()
        self._trouble = ""
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Collect for ever."""
        while True:
            try:
                await self._round()
                self._trouble = ""
                if not self._behind:
                    await self._rest()
            except (DatabaseUnavailable, LogsUnavailable) as error:
                self._trouble = str(error)
                log.warning("collecting again in %s s: %s", self._retry_seconds, error)
                await asyncio.sleep(self._retry_seconds)
            except Exception as error:
                self._trouble = str(error) or type(error).__name__
                log.exception("collecting again in %s s", self._retry_seconds)
                await asyncio.sleep(self._retry_seconds)
            self._seen = self._clock()

    async def collect(self) -> Result:
        """Read what is new, once: until nothing is, or for :data:`COLLECT_SECONDS`."""
        end = self._clock() + COLLECT_SECONDS
        streams: set[tuple[str, str]] = set()
        lines = 0
        while True:
            looked_at, read = await self._round()
            streams |= looked_at
            lines += read
            if not looked_at or self._clock() > end:
                return Result(len(streams), lines)

    async def sweep(self) -> Result:
        """What :meth:`run` does all day, once: collect, see to the silent, remember the place."""
        result = await self.collect()
        if not self._behind:
            await self._collector.watch.look()
        await self._remember()
        return result

    async def push(self, streams: Mapping[tuple[str, str], PageOf]) -> Result:
        """Collect streams (group, name) that are said to have new lines: by the page that each is known to have next,
        else by reading it to its end or for :data:`COLLECT_SECONDS`.

        When one can't be read, it stays among those that the next round reads.
        """
        told = {key: Stream(*key, UNKNOWN_POSITION, "") for key in streams}
        lines = 0
        async with self._turn:
            try:
                for key, page_of in streams.items():
                    taken = await self._collector.take(*key, page_of)
                    if taken is not None:
                        lines += taken
                        del told[key]
            except DatabaseUnavailable:
                self._behind |= told
                raise
        return Result(len(streams), lines + await self._read_out(told))

    async def _read_out(self, told: dict[tuple[str, str], Stream]) -> int:
        """Read streams to their ends; one that has no lines yet once more after each of :data:`PUSH_SECONDS`."""
        end = self._clock() + COLLECT_SECONDS
        waits = list(PUSH_SECONDS)
        silent, turn, lines = dict(told), told, 0
        while turn and self._clock() <= end:
            async with self._turn:
                self._behind |= turn
                lines += await self._read(turn)
            more = {key: stream for key, stream in told.items() if key in self._behind}
            silent = {key: stream for key, stream in silent.items() if key not in more}
            if not more and silent and waits:
                await self._sleep(waits.pop(0))
                more = silent
            turn = more
        return lines

    async def reread(self, task_id: str, sight: Sight = EVERYTHING) -> Reread | None:
        """See :meth:`Collector.reread`."""
        return await self._collector.reread(task_id, sight)

    async def ping(self) -> None:
        """Return when the loop is alive and well; raise ``RuntimeError`` when its last round failed or takes long."""
        if self._trouble:
            raise RuntimeError(self._trouble)
        stood = self._clock() - self._seen
        if stood > STALE_SECONDS:
            raise RuntimeError(f"the collector has stood still for {stood:.0f} s")

    async def stop(self) -> None:
        """Remember where it stands, so that the next start looks at little."""
        await self._remember()

    async def _round(self) -> tuple[set[tuple[str, str]], int]:
        """One page of each stream that has changed, and of some of those that are behind."""
        async with self._turn:
            self._touched = self._touched or await self._database.memo(LINES_READ)
            changed = await self._logs.changed(self._touched)
            turn = {(s.group, s.name): s for s in changed}
            turn |= {key: turn.get(key, stream) for key, stream in islice(self._behind.items(), AT_ONCE)}
            self._behind |= turn
            if changed:
                self._touched = changed[-1].touched
            if turn:
                return set(turn), await self._read(turn)
            return set(), 0

    async def _read(self, turn: dict[tuple[str, str], Stream]) -> int:
        """Read a page of each; those that have more go to the end of the line. What fails stays in it."""
        done = await self._collector.collect(list(turn.values()))
        for key in turn:
            del self._behind[key]
        self._behind |= {(s.group, s.name): s for s in done.behind}
        return done.lines

    async def _rest(self) -> None:
        """Wait for new lines; now and then see to the silent and remember the place that has been read up to."""
        await self._look()
        if self._clock() - self._stored_at >= self._sweep_seconds:
            await self._remember()
        await self._logs.wait(self._touched, self._sweep_seconds)

    async def _look(self) -> None:
        """What has not been read yet may be news of a task that seems silent: not while there is any."""
        if not self._behind and self._clock() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self._clock()
            await self._collector.watch.look()

    async def _remember(self) -> None:
        self._stored_at = self._clock()
        if self._touched != self._stored and not self._behind:
            await self._database.set_memo(LINES_READ, self._touched)
            self._stored = self._touched
