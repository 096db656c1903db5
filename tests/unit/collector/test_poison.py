"""A line that breaks the reader is set aside with its reason and the rest goes on, whatever made the collector read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.support import ministack
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch
from tests.support.cloudwatch_logs import process

from miyabi.cache.memory import MemoryCache
from miyabi.collector.collect import Collector
from miyabi.collector.loop import Loop
from miyabi.collector.push import Known, collect_pushed, unknown
from miyabi.database import Database
from miyabi.database.sqlite import open_database
from miyabi.logs import LogPage
from miyabi.model import LogEvent, NewEvent, Task, Writer
from miyabi.progress.reader import Reader, Reading

from .test_push import delivery, message

GROUP = "/miyabi/jobs"
DATABASES = ("sqlite", "dynamodb")


class Fragile(Reader):
    """A reader that some lines break."""

    def read(self, messages: Sequence[str]) -> list[tuple[int, Reading]]:
        if "poison" in messages:
            raise OverflowError("too much of it")
        return super().read(messages)


class Story:
    """A collector over CloudWatch Logs; somebody else has written a line of each stream before."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.cloud = FakeCloudWatch(self.clock)
        self.database = database
        self.logs, self._writer = process(self.cloud, self.clock), process(self.cloud, self.clock)
        collector = Collector(self.logs, database, MemoryCache(), self.clock)
        self.loop = Loop(collector, self.logs, database, 0.01, clock=self.clock.seconds, retry_seconds=0.0)
        self._written = dict[str, int]()

    async def write(self, stream: str, *lines: str) -> dict[str, object]:
        """Lines of a job, and the message by which a subscription tells of them."""
        first = self._written.get(stream, 0)
        self._written[stream] = first + len(lines)
        events = [NewEvent(self.clock.forward(10), line) for line in lines]
        await self._writer.append(GROUP, stream, events, Writer(f"w-{stream}", first))
        stored = self.cloud.groups[GROUP].streams[stream][-len(lines) :]
        told = [{"id": e.event_id, "timestamp": e.time, "message": e.message} for e in stored]
        return message(*told, logStream=stream)

    async def task(self, stream: str) -> Task | None:
        """The task that a stream is."""
        current = (await self.database.get([stream]))[0]
        return current.task if current else None


async def shown(story: Story) -> list[int | None]:
    """The progress of both jobs."""
    found = [await story.task(name) for name in "ab"]
    return [task.progress.current if task else None for task in found]


Trigger = Callable[[Story, list[dict[str, object]]], Awaitable[object]]


async def schedule(story: Story, messages: list[dict[str, object]]) -> None:
    """The loop by itself, until both jobs are where they should be."""
    story.clock.forward(60_000)
    running = asyncio.create_task(story.loop.run())
    try:
        async with asyncio.timeout(20):
            while await shown(story) != [2, 7]:
                story.clock.forward(1000)
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def call(story: Story, messages: list[dict[str, object]]) -> None:
    story.clock.forward(60_000)
    await story.loop.collect()


TRIGGERS: dict[str, Trigger] = {
    "schedule": schedule,
    "call": call,
    "push that is the page": lambda story, told: collect_pushed(story.loop, delivery(*told), story.logs.pushed),
    "push that tells of it": lambda story, told: collect_pushed(story.loop, delivery(*told)),
}


@pytest.fixture(params=DATABASES)
def tell(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Callable[[Story], Awaitable[None]]], None]]:
    """Runs a story on a fresh database."""
    with asyncio.Runner() as runner:
        if request.param == "dynamodb":
            endpoint = request.getfixturevalue("dynamodb")
            for name, value in ministack.KEYS.items():
                monkeypatch.setenv(name, value)
            runner.run(ministack.make_tables(endpoint, tmp_path.name))
            database: Database = runner.run(ministack.open_dynamodb(endpoint, tmp_path.name))
        else:
            database = runner.run(open_database(tmp_path))
        yield lambda story: runner.run(story(Story(database)))  # type: ignore[arg-type]
        runner.run(database.close())


Tell = Callable[[Callable[[Story], Awaitable[None]]], None]


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_poisoned_line_is_set_aside_and_the_rest_goes_on(
    trigger: str, tell: Tell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("miyabi.collector.memory.Reader", Fragile)

    async def story(s: Story) -> None:
        for name in "ab":
            await s.write(name, "[1/9] first")
        s.clock.forward(60_000)
        await s.loop.collect()
        told = [await s.write("a", "poison", "[2/9] second"), await s.write("b", "[7/9] other")]
        with caplog.at_level(logging.ERROR):
            await TRIGGERS[trigger](s, told)
        assert await shown(s) == [2, 7]
        (record,) = caplog.records
        assert record.exc_info
        assert "can't be read" in record.getMessage()
        assert "too much of it" in str(record.exc_info[1])
        assert (await s.loop.collect()).lines == 0

    tell(story)


@pytest.mark.parametrize("known", [True, False])
def test_a_stream_whose_page_can_not_be_made_does_not_hold_up_those_beside_it(known: bool, tell: Tell) -> None:
    """Not even the bookmark can be understood: another log service made it."""

    async def story(s: Story) -> None:
        told = [await s.write("a", "[1/9] first"), await s.write("b", "[7/9] other")]
        knows: Known = s.logs.pushed if known else unknown

        def page_of(group: str, stream: str, after: str, events: Sequence[LogEvent]) -> LogPage | None:
            if stream == "a":
                raise ValueError("no position of ours")
            return knows(group, stream, after, events)

        await collect_pushed(s.loop, delivery(*told), page_of)
        assert await shown(s) == [1, 7]

    tell(story)
