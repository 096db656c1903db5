"""Collectors on the same streams, by pushes, calls and the schedule at once: the end is what one alone makes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from tests.support.deliveries import delivery
from tests.support.jobs import lines_of, telling

from miyabi.collector.collect import CONFLICTS
from miyabi.collector.loop import Loop
from miyabi.collector.push import collect_pushed, unknown
from miyabi.database import Database, Save
from miyabi.database.sqlite import open_database
from miyabi.logs.cloudwatch import CloudWatchLogs
from miyabi.logs.cloudwatch_place import parse_place

from .conftest import GROUP, Story, Tell

SEEDS = range(3)
STREAMS = 3
WAIT_SECONDS = 0.01


class Meeting:
    """Makes a collector wait, as often as chance will have it, until another has saved something."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._saved = asyncio.Event()

    def saved(self) -> None:
        """Let those go on that wait."""
        self._saved.set()
        self._saved = asyncio.Event()

    async def wait(self) -> None:
        """Wait, but not for long: nobody may be saving."""
        if self._chance.random() < 0.5:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._saved.wait(), WAIT_SECONDS)


class Slow:
    """A database at which others come in between."""

    def __init__(self, database: Database, meeting: Meeting) -> None:
        self._database, self._meeting = database, meeting

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        await self._meeting.wait()
        kept = await self._database.save(saves)
        self._meeting.saved()
        return kept


async def writing(s: Story, name: str, chance: random.Random, told: list[dict[str, object]]) -> None:
    """All lines of all jobs, in bits; what a subscription would tell of each goes to ``told``."""
    left = {number: lines_of(number) for number in range(STREAMS)}
    while left:
        number, count = chance.choice(list(left)), chance.randint(1, 9)
        told.append(await s.write(f"{name}-{number}", *left[number][:count]))
        left[number] = left[number][count:]
        left = {number: lines for number, lines in left.items() if lines}
        s.clock.forward(chance.choice([0, 100, 3000]))
        await asyncio.sleep(chance.choice([0, WAIT_SECONDS]))


async def delivering(
    loop: Loop, logs: CloudWatchLogs, chance: random.Random, told: list[dict[str, object]], wrote: asyncio.Task[None]
) -> None:
    """Deliver what there is to tell of in any order, some twice and some never, and call the collector in between."""
    while not wrote.done():
        await asyncio.sleep(0)
        if told and chance.random() < 0.7:
            some = chance.choices(told[-5:], k=chance.randint(1, 3))
            await collect_pushed(loop, delivery(*some), chance.choice([unknown, logs.pushed]))
        elif chance.random() < 0.3:
            await loop.collect()


async def overlap(s: Story, seed: int) -> None:
    """Two collectors on some streams of their own, from the first lines to the last."""
    chance, told = random.Random(seed), list[dict[str, object]]()
    meeting = Meeting(chance)
    both = [s.collector(Slow(await s.open_database(), meeting)) for _ in range(2)]  # type: ignore[arg-type]
    scheduled = [asyncio.create_task(loop.run()) for _, loop in both]
    wrote = asyncio.create_task(writing(s, f"seed-{seed}", chance, told))
    async with asyncio.timeout(60):
        await asyncio.gather(wrote, *(delivering(loop, logs, chance, told, wrote) for logs, loop in both))
        for job in scheduled:
            job.cancel()
        await asyncio.gather(*scheduled, return_exceptions=True)
        s.clock.forward(60_000)
        await asyncio.gather(*(loop.collect() for _, loop in both))


async def end_state(database: Database, logs: CloudWatchLogs) -> dict[str, Any]:
    """Of each stream the task, and what its bookmark stands for: lines had, reader, and that nothing is left."""
    names = [f"seed-{seed}-{number}" for seed in SEEDS for number in range(STREAMS)]
    found: dict[str, Any] = {}
    for name, current in zip(names, await database.get(names), strict=True):
        assert current
        assert current.bookmark
        place = parse_place(current.bookmark.position)
        assert not (await logs.read(GROUP, name, after=current.bookmark.position)).events
        had = {writer: ranges[2:] for writer, ranges in place.writers.items()}
        reader, pace = msgspec.msgpack.decode(current.bookmark.reader)
        found[name] = telling(msgspec.to_builtins(current.task)), place.top, had, msgspec.msgpack.decode(reader), pace
    return found


def test_any_overlap_of_two_collectors_ends_where_one_alone_does(tell: Tell, tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        conflicts = CONFLICTS.value
        for seed in SEEDS:
            await overlap(s, seed)
        assert CONFLICTS.value > conflicts, "they never met"
        alone = await open_database(tmp_path / "alone")
        logs, loop = s.collector(alone)
        await loop.collect()
        assert await end_state(s.database, logs) == await end_state(alone, logs)
        await alone.close()

    tell(story)
