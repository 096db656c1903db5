"""Which streams of CloudWatch Logs have changed, though the service tells it late."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch, failure
from tests.support.cloudwatch_logs import process

from miyabi.logs import Logs, LogsUnavailable
from miyabi.logs.cloudwatch import Options
from miyabi.model import NewEvent, Writer

GROUP = "/miyabi/jobs"
HOUR = 3_600_000
QUIET = Options(fresh=0, poll=1, probe=False)


async def names(logs: Logs, after: str = "") -> tuple[list[str], str]:
    changed = await logs.changed(after)
    return [stream.name for stream in changed], changed[-1].touched if changed else after


def test_what_another_process_writes_is_seen_at_the_next_look_though_the_service_tells_it_late() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        cloud.lag = HOUR
        here, there = process(cloud, clock), process(cloud, clock)
        await here.make_groups()
        assert await names(here) == ([], "")
        place = ""
        for number in range(3):
            await there.append(GROUP, f"job-{number}", [NewEvent(clock.forward(1500), "x")], Writer("w", 0))
            clock.forward(1500)
            found, place = await names(here, place)
            assert found == [f"job-{number}"]
            clock.forward(1500)
            assert (await names(here, place))[0] == []

    asyncio.run(scenario())


def test_without_a_probe_a_stream_is_seen_when_the_service_tells() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        cloud.lag = 60_000
        here, there = process(cloud, clock, options=QUIET), process(cloud, clock)
        await there.append(GROUP, "job", [NewEvent(clock.ms, "x")])
        assert (await names(here))[0] == []
        clock.forward(61_000)
        found, place = await names(here)
        assert found == ["job"]
        clock.forward(5000)
        assert await names(here, place) == ([], place)
        assert cloud.count("filter_log_events") == 0

    asyncio.run(scenario())


def test_after_a_restart_what_may_have_changed_since_is_named_and_what_is_older_is_not() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        writer, first = process(cloud, clock), process(cloud, clock, options=QUIET)
        await writer.append(GROUP, "old", [NewEvent(clock.ms, "x")])
        clock.forward(5 * HOUR)
        await writer.append(GROUP, "young", [NewEvent(clock.ms, "x")])
        clock.forward(1000)
        found, place = await names(first)
        assert found == ["old", "young"]
        clock.forward(1000)
        await writer.append(GROUP, "new", [NewEvent(clock.ms, "x")])
        clock.forward(1000)
        found, _ = await names(process(cloud, clock, options=QUIET), place)
        assert "new" in found
        assert "old" not in found

    asyncio.run(scenario())


def test_a_late_event_with_an_old_time_is_news() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock, options=QUIET)
        cloud.arrive(GROUP, "job", clock.ms, "x")
        _, place = await names(logs)
        cloud.arrive(GROUP, "job", clock.ms - 50_000, "late", clock.forward(5000))
        assert (await names(logs, place))[0] == ["job"]

    asyncio.run(scenario())


def test_many_streams_are_found_over_pages_and_a_quiet_group_costs_one_call() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock, options=QUIET)
        await logs.make_groups()
        for number in range(230):
            cloud.arrive(GROUP, f"job-{number:03}", clock.forward(1), "x")
        found, place = await names(logs)
        assert found == [f"job-{number:03}" for number in range(230)]
        cloud.calls.clear()
        clock.forward(5000)
        await names(logs, place)
        assert cloud.count("describe_log_streams") == 4

    asyncio.run(scenario())


def test_a_look_that_fails_is_made_again_and_nothing_is_missed() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock)
        cloud.arrive(GROUP, "job", clock.ms, "x")
        down = failure("ServiceUnavailableException", 503)
        cloud.fault = lambda operation: down if operation == "filter_log_events" else None
        with pytest.raises(LogsUnavailable):
            await logs.changed()
        cloud.fault = lambda operation: None
        assert (await names(logs))[0] == ["job"]

    asyncio.run(scenario())


def test_a_push_wakes_who_waits_and_names_the_stream() -> None:
    async def scenario() -> None:
        clock = Clock()
        logs = process(FakeCloudWatch(clock), clock)
        waiting = asyncio.create_task(logs.wait("", 5.0))
        await asyncio.sleep(0.01)
        logs.pushed(GROUP, "job", "", [])
        assert await waiting
        assert (await names(logs))[0] == ["job"]

    asyncio.run(scenario())


def test_a_clock_that_is_ahead_hides_nobody_elses_lines() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        cloud.lag = 2 * HOUR
        logs = process(cloud, clock)
        cloud.arrive(GROUP, "ahead", clock.ms + HOUR, "x")
        _, place = await names(logs)
        for number in range(3):
            clock.forward(5000)
            cloud.arrive(GROUP, f"job-{number}", clock.ms, "x")
            found, place = await names(logs, place)
            assert found == [f"job-{number}"]

    asyncio.run(scenario())


@pytest.mark.parametrize("step", [0, 1])
def test_more_lines_a_minute_than_a_look_can_take_are_all_seen_in_the_end(step: int) -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock, page_events=100, empty_pages=2)
        cloud.lag = 2 * HOUR
        logs = process(cloud, clock)
        for _ in range(900):
            cloud.arrive(GROUP, "loud", clock.forward(step), "x")
        cloud.arrive(GROUP, "quiet", clock.forward(1), "x")
        place, seen = "", set[str]()
        for _ in range(20):
            found, place = await names(logs, place)
            seen |= set(found)
            clock.forward(1000)
        assert seen == {"loud", "quiet"}

    asyncio.run(scenario())


@pytest.mark.parametrize("place", ["x", "-1", "1.5", "9" * 30])
def test_a_place_nobody_gave_is_refused(place: str) -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="place"):
        asyncio.run(_changed(process(FakeCloudWatch(clock), clock), place))


async def _changed(logs: Logs, place: str) -> None:
    await logs.changed(place)
