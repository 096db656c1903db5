"""The log service as a process that dies under its writers, or runs out of room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from tests.support.board import Service, environment
from tests.support.disk import fill, small_disk

from miyabi.logs import LogsFull, LogsUnavailable
from miyabi.logs.http import HttpLogs
from miyabi.model import NewEvent, Writer

GROUP, STREAM = "/miyabi/jobs", "job"
BATCH, LAST = 40, 4000
KILLED = range(400, LAST, 800)
"""While one of the batches from there on is under way, the service is killed."""
PATIENCE = 600
"""Times that a batch is sent before the service counts as gone for good."""


@asynccontextmanager
async def client(service: Service) -> AsyncIterator[HttpLogs]:
    logs = HttpLogs(service.url)
    try:
        yield logs
    finally:
        await logs.close()


async def send(logs: HttpLogs, number: int) -> None:
    """One batch, again and again until it is acknowledged."""
    events = [NewEvent(number, f"line {line}") for line in range(number, number + BATCH)]
    for _ in range(PATIENCE):
        try:
            await logs.append(GROUP, STREAM, events, Writer("w", number))
            return
        except LogsUnavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("the log service did not come back")


async def fill_up(logs: HttpLogs, heavy: list[NewEvent]) -> None:
    """Append until it fails: there may be some room left within the files."""
    for _ in range(1000):
        await logs.append(GROUP, STREAM, heavy)


async def lines(logs: HttpLogs) -> list[str]:
    """All lines of the stream."""
    found, place = list[str](), ""
    while (page := await logs.read(GROUP, STREAM, after=place)).events:
        found += [event.message for event in page.events]
        place = page.next
    return found


def test_a_service_that_is_killed_under_a_writer_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    with closing(Service("serve", "logs", env=environment(tmp_path))) as service:

        def die() -> None:
            service.kill9()
            service.restart()

        async def scenario() -> None:
            async with client(service) as logs:
                for number in range(0, LAST, BATCH):
                    dying = number in KILLED and asyncio.create_task(asyncio.to_thread(die))
                    for each in range(number, min(number + 5 * BATCH, LAST), BATCH) if dying else (number,):
                        await send(logs, each)
                    if dying:
                        await dying
                assert await lines(logs) == [f"line {number}" for number in range(LAST)]

        asyncio.run(scenario())


def test_a_full_disk_is_told_across_the_wire_and_reading_goes_on(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "12m") as disk,
        closing(Service("serve", "logs", env=environment(disk / "data"))) as service,
    ):

        async def scenario() -> None:
            heavy = [NewEvent(number, f"line {number} ".ljust(400, "x")) for number in range(100)]
            async with client(service) as logs:
                await logs.append(GROUP, STREAM, heavy)
                ballast = fill(disk)
                with pytest.raises(LogsFull, match=r"no room left for .*logs\.db.*Free some space"):
                    await fill_up(logs, heavy)
                assert (await lines(logs))[:100] == [event.message for event in heavy]
                await logs.ping()
                ballast.unlink()
                assert await logs.append(GROUP, STREAM, heavy) == 100

        asyncio.run(scenario())


def test_a_service_that_is_asked_to_stop_ends_those_who_wait_and_leaves_in_order(tmp_path: Path) -> None:
    with closing(Service("serve", "logs", env=environment(tmp_path))) as service:

        async def scenario() -> None:
            async with client(service) as logs:
                await logs.append(GROUP, STREAM, [NewEvent(1, "x")])
                touched = (await logs.changed())[-1].touched
                waiting = [asyncio.create_task(logs.wait(touched, 1000)) for _ in range(3)]
                await logs.ping()
                assert await asyncio.to_thread(service.stop) == 0
                for error in await asyncio.gather(*waiting, return_exceptions=True):
                    assert isinstance(error, LogsUnavailable)

        asyncio.run(scenario())
        assert service.errors() == ""


def test_a_log_service_whose_settings_name_itself_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"MIYABI_LOGS: .*does not fetch them elsewhere"):
        Service("serve", "logs", env=environment(tmp_path, MIYABI_LOGS="http://127.0.0.1:8423"))
