"""Several task APIs behind one gateway: one dies, freezes or comes back, and nobody who reads is told."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from tests.support.board import Service, environment
from tests.support.until import until

READERS = 8


class House(NamedTuple):
    gateway: Service
    tasks: list[Service]

    def answered(self) -> list[float]:
        """Reads that each task API has answered, from the database: services apart keep no cache of their own."""
        return [service.metric('miyabi_cache_misses_total{kind="list"}') for service in self.tasks]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    env = environment(tmp_path, MIYABI_RATE_LIMIT="0")
    with ExitStack() as stack:
        tasks = [stack.enter_context(closing(Service("serve", "tasks", env=env))) for _ in range(2)]
        urls = " ".join(service.url for service in tasks)
        gateway = stack.enter_context(closing(Service("serve", "gateway", env={**env, "MIYABI_TASKS": urls})))
        yield House(gateway, tasks)


class Readers:
    """Read the list through the gateway, all the time; a status that is not 200 is kept."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/tasks"
        self.statuses: Counter[int | str] = Counter()
        self._moved = asyncio.Condition()

    async def read(self, session: aiohttp.ClientSession) -> None:
        while True:
            try:
                async with session.get(self._url) as answer:
                    await answer.read()
                    self.statuses[answer.status] += 1
            except aiohttp.ClientError as error:
                self.statuses[repr(error)] += 1
            async with self._moved:
                self._moved.notify_all()

    async def more(self, count: int) -> None:
        """Return when so many more have been answered."""
        goal = self.statuses.total() + count
        async with self._moved, asyncio.timeout(60):
            await self._moved.wait_for(lambda: self.statuses.total() >= goal)


async def reading(house: House, name: str) -> Readers:
    readers = Readers(house.gateway.url)
    first = house.tasks[0]
    async with aiohttp.ClientSession() as session:
        work = [asyncio.create_task(readers.read(session)) for _ in range(READERS)]
        try:
            await readers.more(200)
            await asyncio.to_thread(FAULTS[name][0], first)
            await readers.more(500)
            await asyncio.to_thread(until, lambda: "is put aside" in house.gateway.errors(), "it is seen", 60)
            await asyncio.to_thread(FAULTS[name][1], first)
            await asyncio.to_thread(until, lambda: "is back" in house.gateway.errors(), "it is used again", 60)
            await readers.more(200)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
    return readers


FAULTS = {
    "killed and started again": (Service.kill9, Service.restart),
    "frozen": (
        lambda service: service.process.send_signal(signal.SIGSTOP),
        lambda service: service.process.send_signal(signal.SIGCONT),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_read_fails_when_one_of_two_does(name: str, house: House) -> None:
    readers = asyncio.run(reading(house, name))
    assert set(readers.statuses) == {200}
    assert re.findall(r"is (put aside|back)", house.gateway.errors()) == ["put aside", "back"]


def test_both_get_their_share(house: House) -> None:
    async def scenario() -> None:
        readers = Readers(house.gateway.url)
        async with aiohttp.ClientSession() as session:
            work = [asyncio.create_task(readers.read(session)) for _ in range(READERS)]
            await readers.more(400)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    asyncio.run(scenario())
    answered = house.answered()
    assert min(answered) > 0.3 * sum(answered)


def test_a_write_is_never_sent_twice(house: House) -> None:
    """One task API breaks off in the middle of a write: the gateway says so, and asks no other."""
    house.tasks[0].process.send_signal(signal.SIGSTOP)
    body = {"task_name": "a", "task_type": "build", "project_id": "p"}

    async def write(session: aiohttp.ClientSession) -> int:
        async with session.post(f"{house.gateway.url}/api/tasks", json=body) as answer:
            return answer.status

    async def scenario() -> list[int]:
        async with aiohttp.ClientSession() as session:
            writes = [asyncio.create_task(write(session)) for _ in range(2)]
            await asyncio.wait(writes, return_when=asyncio.FIRST_COMPLETED, timeout=20)
            house.tasks[0].kill9()
            return sorted(await asyncio.gather(*writes))

    assert asyncio.run(scenario()) == [201, 502]
    assert len(house.tasks[1].api.get("/api/tasks")["tasks"]) == 1


def test_when_none_is_there_the_answer_says_what_to_do(house: House) -> None:
    for service in house.tasks:
        service.kill9()
    answer = house.gateway.api.request("GET", "/api/tasks")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert b"can't be reached" in answer.body
