"""Collectors over CloudWatch Logs and each database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.support import ministack
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch
from tests.support.cloudwatch_logs import process
from tests.support.deliveries import message

from miyabi.cache.memory import MemoryCache
from miyabi.collector.collect import Collector
from miyabi.collector.loop import Loop
from miyabi.database import Database
from miyabi.database.sqlite import open_database
from miyabi.logs.cloudwatch import CloudWatchLogs
from miyabi.model import NewEvent, Task, Writer

GROUP = "/miyabi/jobs"
DATABASES = ("sqlite", "dynamodb")
OpenDatabase = Callable[[], Awaitable[Database]]


class Story:
    """A collector over CloudWatch Logs into which somebody else writes; ``open_database`` as another process does."""

    def __init__(self, database: Database, open_database: OpenDatabase) -> None:
        self.clock = Clock()
        self.cloud = FakeCloudWatch(self.clock)
        self.database, self.open_database = database, open_database
        self._writer = process(self.cloud, self.clock)
        self.logs, self.loop = self.collector(database)
        self._written = dict[str, int]()

    def collector(self, database: Database) -> tuple[CloudWatchLogs, Loop]:
        """One more collector, and its own way to the logs."""
        logs = process(self.cloud, self.clock)
        collector = Collector(logs, database, MemoryCache(), self.clock)
        return logs, Loop(collector, logs, database, 0.01, clock=self.clock.seconds, retry_seconds=0.0)

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


Tell = Callable[[Callable[[Story], Awaitable[None]]], None]


@pytest.fixture(params=DATABASES)
def tell(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tell]:
    """Runs a story on a fresh database."""
    opened: list[Database] = []

    async def open_one() -> Database:
        if request.param == "dynamodb":
            opened.append(await ministack.open_dynamodb(endpoint, tmp_path.name))
        else:
            opened.append(await open_database(tmp_path))
        return opened[-1]

    async def run(story: Callable[[Story], Awaitable[None]]) -> None:
        await story(Story(await open_one(), open_one))

    with asyncio.Runner() as runner:
        if request.param == "dynamodb":
            endpoint = request.getfixturevalue("dynamodb")
            for name, value in ministack.KEYS.items():
                monkeypatch.setenv(name, value)
            runner.run(ministack.make_tables(endpoint, tmp_path.name))
        yield lambda story: runner.run(run(story))
        for database in opened:
            runner.run(database.close())
