"""Appending to CloudWatch Logs: what it refuses, rejects and forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from tests.support.clock import Clock
from tests.support.cloudwatch import DAY, FakeCloudWatch, failure
from tests.support.cloudwatch_logs import process

from miyabi.logs import Logs, LogsUnavailable
from miyabi.model import LogEvent, NewEvent, Writer

GROUP, STREAM = "/miyabi/jobs", "job"


async def lines(logs: Logs) -> Sequence[LogEvent]:
    return (await logs.read(GROUP, STREAM, limit=10_000)).events


def test_groups_and_streams_are_made_when_missing_also_when_two_do_it_at_once() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = [process(cloud, clock) for _ in range(4)]
        event = [NewEvent(clock.ms, "x")]
        await asyncio.gather(*(one.append(GROUP, STREAM, event) for one in logs))
        assert cloud.groups[GROUP].retention == 30
        assert len(await lines(logs[0])) == 4

    asyncio.run(scenario())


def test_the_products_groups_are_made_once_and_keep_what_somebody_set() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        cloud.create_log_group(logGroupName="/miyabi/agents")
        cloud.put_retention_policy(logGroupName="/miyabi/agents", retentionInDays=365)
        cloud.create_log_group(logGroupName="/miyabi/system")
        for _ in range(2):
            await process(cloud, clock).make_groups()
        kept = {name: group.retention for name, group in cloud.groups.items()}
        assert kept == {
            "/miyabi/agents": 365, "/miyabi/cdk-deploy": 30, "/miyabi/jobs": 30, "/miyabi/system": 30,
        }  # fmt: skip
        assert cloud.count("create_log_group") == 4

    asyncio.run(scenario())


def test_groups_are_listed_over_pages_with_their_bytes() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock)
        for number in range(120):
            cloud.create_log_group(logGroupName=f"/mine/{number:03}")
        await logs.append("/mine/007", "a", [NewEvent(clock.ms, "x" * 100)])
        groups = {group.name: group for group in await logs.groups()}
        assert len(groups) == 120
        assert (groups["/mine/007"].bytes > 100, groups["/mine/008"].bytes, groups["/mine/008"].retention_days) == (
            True, 0, 0,
        )  # fmt: skip

    asyncio.run(scenario())


def test_what_is_rejected_for_its_time_is_stored_now_with_its_own_time() -> None:
    """The service's clock is three days ahead of ours, then two hours and more behind."""

    async def scenario() -> None:
        clock, theirs = Clock(), Clock()
        cloud = FakeCloudWatch(theirs)
        logs = process(cloud, clock)
        theirs.forward(3 * DAY)
        printed = [clock.ms - 13 * DAY, clock.ms - 12 * DAY, clock.ms]
        events = [NewEvent(at, str(number)) for number, at in enumerate(printed)]
        assert await logs.append(GROUP, STREAM, events, Writer("w", 0)) == 3
        theirs.forward(-3 * DAY - 3_600_000)
        ahead = [NewEvent(clock.ms, "3"), NewEvent(clock.ms + 7_000_000, "4")]
        assert await logs.append(GROUP, STREAM, ahead, Writer("w", 3)) == 2
        found = await lines(logs)
        assert {event.message: event.timestamp for event in found} == {
            str(number): at for number, at in enumerate([*printed, clock.ms, clock.ms + 7_000_000])
        }
        assert len(found) == 5

    asyncio.run(scenario())


def test_what_can_not_be_stored_at_any_time_is_told() -> None:
    async def scenario() -> None:
        clock, theirs = Clock(), Clock()
        cloud = FakeCloudWatch(theirs)
        theirs.forward(30 * DAY)
        with pytest.raises(LogsUnavailable, match="clock"):
            await process(cloud, clock).append(GROUP, STREAM, [NewEvent(clock.ms, "x")])

    asyncio.run(scenario())


def test_a_copy_that_another_process_sends_is_read_once() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        batch = [NewEvent(clock.forward(1), str(number)) for number in range(10)]
        await process(cloud, clock).append(GROUP, STREAM, batch, Writer("w", 0))
        clock.forward(60_000)
        restarted = process(cloud, clock)
        await restarted.append(GROUP, STREAM, batch[5:], Writer("w", 5))
        assert len(cloud.texts(GROUP, STREAM)) == 15
        assert [event.message for event in await lines(restarted)] == [str(number) for number in range(10)]
        back = await restarted.read(GROUP, STREAM, before="", limit=100)
        assert [event.message for event in back.events] == [str(number) for number in range(10)]

    asyncio.run(scenario())


def test_of_a_call_that_fails_halfway_the_rest_is_stored_when_it_comes_again() -> None:
    async def scenario(writer: Writer | None) -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock)
        await logs.make_groups()
        await logs.append(GROUP, STREAM, [NewEvent(clock.ms, "first")])
        events = [NewEvent(clock.ms, str(number) * 400_000) for number in range(8)]
        puts = cloud.count("put_log_events")
        cloud.fault = lambda _: failure("ThrottlingException") if cloud.count("put_log_events") > puts + 2 else None
        with pytest.raises(LogsUnavailable):
            await logs.append(GROUP, STREAM, events, writer)
        cloud.fault = lambda operation: None
        await logs.append(GROUP, STREAM, [NewEvent(clock.ms, "between")])
        assert await logs.append(GROUP, STREAM, events, writer) == 4
        assert len(cloud.texts(GROUP, STREAM)) == 10
        assert await logs.append(GROUP, "other", events, writer) == 8

    asyncio.run(scenario(Writer("w", 0)))
    asyncio.run(scenario(None))


def test_a_batch_whose_answer_was_lost_is_read_once() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock)
        lost: list[Any] = [ReadTimeoutError(endpoint_url="x")] * 3
        cloud.lost = lambda: lost.pop() if lost else None
        await logs.append(GROUP, STREAM, [NewEvent(clock.ms, str(number)) for number in range(3)])
        assert len(cloud.texts(GROUP, STREAM)) == 12
        assert [event.message for event in await lines(logs)] == list("012")

    asyncio.run(scenario())


def test_lines_of_a_clock_that_goes_back_stay_in_order() -> None:
    async def scenario() -> None:
        clock = Clock()
        logs = process(FakeCloudWatch(clock), clock)
        for number, back in enumerate((0, 5000, -100, 100_000)):
            await logs.append(GROUP, STREAM, [NewEvent(clock.ms - back, str(number))])
        found = await lines(logs)
        assert [event.message for event in found] == list("0123")
        assert [clock.ms - event.timestamp for event in found] == [0, 5000, -100, 100_000]

    asyncio.run(scenario())
