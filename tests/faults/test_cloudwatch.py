"""CloudWatch Logs throttled and cut off: no event lost, none doubled, waits as specified, on at the next trigger."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch, failure
from tests.support.cloudwatch_logs import Waits, process

from miyabi.cache.memory import MemoryCache
from miyabi.collector.collect import Collector
from miyabi.collector.loop import Loop
from miyabi.database.sqlite import open_database
from miyabi.logs import Logs, LogsUnavailable
from miyabi.logs.cloudwatch_retry import ATTEMPTS
from miyabi.model import NewEvent, Writer

GROUP, STREAM = "/miyabi/jobs", "job"
WARNING = "CloudWatch Logs unavailable, using DynamoDB fallback"
THROTTLED = failure("ThrottlingException", message="Rate exceeded")
T = TypeVar("T")


async def until_done(call: Callable[[], Awaitable[T]]) -> T:
    """The call's result, made again while the service does not answer: what a shipper or a trigger does."""
    while True:
        try:
            return await call()
        except LogsUnavailable:
            continue


async def texts(logs: Logs, limit: int = 100) -> list[str]:
    found: list[str] = []
    place = ""
    while True:
        page = await until_done(partial(logs.read, GROUP, STREAM, after=place, limit=limit))
        if not page.events:
            return found
        found += [event.message for event in page.events]
        place = page.next


def check_waits(waits: list[float]) -> None:
    """Each is one of 1, 2, 4, 8 s ±25 %, and they grow from 1 within a call."""
    step = 0
    for wait in waits:
        step = step if 0.75 * 2**step <= wait <= 1.25 * 2**step else 0
        assert 0.75 * 2**step <= wait <= 1.25 * 2**step
        step = (step + 1) % (ATTEMPTS - 1)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("named", [True, False])
def test_no_event_is_lost_or_doubled_while_calls_are_throttled_and_answers_get_lost(share: float, named: bool) -> None:
    async def scenario() -> None:
        chance, clock = random.Random(7), Clock()
        cloud, waits = FakeCloudWatch(clock, page_events=40), Waits(clock)
        logs = process(cloud, clock, waits=waits, chance=chance.random)
        cloud.fault = lambda operation: THROTTLED if chance.random() < share else None
        cloud.lost = lambda: ReadTimeoutError(endpoint_url="x") if chance.random() < share else None
        for start in range(0, 1000, 10):
            events = [NewEvent(clock.forward(1), f"line {number}") for number in range(start, start + 10)]
            writer = Writer("w", start) if named else None
            await until_done(partial(logs.append, GROUP, STREAM, events, writer))
        assert await texts(logs) == [f"line {number}" for number in range(1000)]
        assert len(cloud.texts(GROUP, STREAM)) > 1000, "no answer got lost"
        check_waits(waits.seconds)

    asyncio.run(scenario())


def test_after_five_attempts_it_says_so_and_the_same_call_may_be_made_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        clock, waits = Clock(), Waits()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock, waits=waits, chance=lambda: 0.5)
        events = [NewEvent(clock.ms, "once")]
        cloud.fault = lambda operation: THROTTLED
        append, read = partial(logs.append, GROUP, STREAM, events), partial(logs.read, GROUP, STREAM)
        calls: list[Callable[[], Awaitable[object]]] = [append, read, logs.ping]
        for call in calls:
            waits.seconds, cloud.calls = [], []
            with pytest.raises(LogsUnavailable), caplog.at_level(logging.WARNING):
                await call()
            assert waits.seconds == [1, 2, 4, 8]
            assert len(cloud.calls) == ATTEMPTS
        assert [record.getMessage() for record in caplog.records] == [WARNING] * 3
        cloud.fault = lambda operation: None
        assert await logs.append(GROUP, STREAM, events) == 1
        assert await texts(logs) == ["once"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "error",
    [
        failure("ThrottlingException"),
        failure("ServiceUnavailableException", 503),
        failure("RequestTimeout"),
        failure("SomethingNew", 500),
        failure("SomethingNew", 504),
        EndpointConnectionError(endpoint_url="x"),
        ConnectTimeoutError(endpoint_url="x"),
        ReadTimeoutError(endpoint_url="x"),
    ],
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    async def scenario() -> None:
        clock, waits = Clock(), Waits()
        cloud = FakeCloudWatch(clock)
        faults: list[Exception | None] = [error] * 4
        cloud.fault = lambda operation: faults.pop() if faults else None
        await process(cloud, clock, waits=waits).ping()
        assert len(waits.seconds) == 4

    asyncio.run(scenario())


@pytest.mark.parametrize("code", ["InvalidParameterException", "AccessDeniedException", "UnrecognizedClientException"])
def test_what_does_not_pass_is_told_at_once(code: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        clock, waits = Clock(), Waits()
        cloud = FakeCloudWatch(clock)
        cloud.fault = lambda operation: failure(code)
        with pytest.raises(LogsUnavailable, match=code):
            await process(cloud, clock, waits=waits).read(GROUP, STREAM)
        assert not waits.seconds
        assert not caplog.records

    asyncio.run(scenario())


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_collector_goes_on_at_the_next_trigger_and_the_last_progress_stays(share: float, tmp_path: Path) -> None:
    async def scenario() -> None:
        chance, clock = random.Random(3), Clock()
        cloud = FakeCloudWatch(clock, page_events=50, empty_pages=1)
        logs = process(cloud, clock, waits=Waits(clock), chance=chance.random)
        database = await open_database(tmp_path)
        loop = Loop(Collector(logs, database, MemoryCache(), clock), logs, database, clock=clock.seconds)

        async def trigger() -> bool:
            try:
                await loop.collect()
            except LogsUnavailable:
                return False
            return True

        async def shown() -> tuple[object, object] | None:
            current = (await database.get([STREAM]))[0]
            return (current.task.progress.current, current.task.progress.total) if current else None

        for done in (40, 80, 100):
            before = await shown()
            lines = [NewEvent(clock.forward(10), f"[{number}/100] Building") for number in range(done - 20, done + 1)]
            await logs.append(GROUP, STREAM, lines, Writer("w", 10 * done))
            cloud.fault = lambda operation: THROTTLED if chance.random() < share else None
            if share == 1.0:
                clock.forward(60_000)
                assert not await trigger()
                assert await shown() == before
                cloud.fault = lambda operation: None
            while not await trigger():
                pass
            cloud.fault = lambda operation: None
            assert await shown() == (done, 100)
        assert len(await texts(logs)) == 63
        await database.close()

    asyncio.run(scenario())
