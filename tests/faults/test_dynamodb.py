"""DynamoDB goes away while all services are under load: what the cache holds is served, the rest is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from tests.support import ministack
from tests.support.board import Service, environment
from tests.support.jobs import BEGAN, GROUP, lines_of, telling, undisturbed
from tests.support.load import Load, load
from tests.support.ministack import Ministack
from tests.support.redis import RedisServer
from tests.support.until import until

STREAMS = 4
PATIENT = "?socket_timeout=5&timeout=5"
"""How long Redis may take: here it is well, however busy the machine is."""
Fault = Callable[[Ministack], None]
FAULTS: dict[str, tuple[Fault, Fault]] = {
    "stopped and started again": (Ministack.stop, Ministack.restart),
    "frozen": (Ministack.freeze, Ministack.thaw),
}


class House(NamedTuple):
    dynamodb: Ministack
    tasks: list[Service]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two task APIs and a collector, on a Redis and a DynamoDB of their own."""
    with ExitStack() as stack:
        redis = stack.enter_context(closing(RedisServer()))
        dynamodb = stack.enter_context(closing(Ministack(SERVICES="dynamodb", PERSIST_STATE="1")))
        env = environment(tmp_path / "data", MIYABI_CACHE=redis.url + PATIENT, MIYABI_SWEEP_SECONDS="0.5")
        env |= ministack.setting(dynamodb.url, "faults")
        services = [
            stack.enter_context(closing(Service("serve", name, env=env))) for name in ("collector", "tasks", "tasks")
        ]
        yield House(dynamodb, services[1:])


def print_lines(house: House, first: int, last: int) -> None:
    """Lines ``first`` to ``last`` of every job; appending needs no database."""
    for stream in range(STREAMS):
        events = [{"timestamp": BEGAN + n * 1000, "message": line} for n, line in enumerate(lines_of(stream))]
        body = {"events": events[first:last], "writer": {"id": f"w{stream}", "sequence": first}}
        answer = house.tasks[stream % 2].api.request("POST", f"/api/logs/{quote(GROUP, safe='')}/s{stream}", body)
        assert answer.status == 200, answer


def await_hits(house: House) -> None:
    """A task API reads the cache when it has made it right, for which it needs the database; so wait for each."""
    for service in house.tasks:
        for kind in ("task", "list"):
            hits = service.hits(kind)
            read = f"{kind}s are read from the cache at {service.url}"
            until(lambda: service.hits(kind) > hits + 50, read, seconds=60)  # noqa: B023


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_cached_is_served_the_rest_is_refused_at_once_and_nothing_is_lost(name: str, house: House) -> None:
    fails, recovers = FAULTS[name]

    async def scenario() -> Load:
        async with load(*(service.url for service in house.tasks), pause=0.002, beyond=0.05) as clients:
            await asyncio.to_thread(print_lines, house, 0, 15)
            await asyncio.to_thread(await_hits, house)
            clients.excused = True
            await asyncio.to_thread(fails, house.dynamodb)
            await clients.more(500)
            await asyncio.to_thread(print_lines, house, 15, 30)
            await clients.more(1000)
            await asyncio.to_thread(recovers, house.dynamodb)
            stored = clients.stored
            await asyncio.to_thread(until, lambda: clients.stored > stored + 50, "writes are taken again")
            clients.excused = False
            await asyncio.to_thread(print_lines, house, 30, 100)
            await clients.more(500)
        return clients

    clients = asyncio.run(scenario())
    assert clients.faults == []
    assert clients.refused["PATCH"]
    assert clients.refused["GET"]
    for service in house.tasks:
        for task_id, told in clients.told.items():
            assert service.api.get(f"/api/tasks/{task_id}")["description"] in told
        for stream in range(STREAMS):
            expected = undisturbed(stream)
            until(lambda: telling(service.api.task(f"s{stream}")) == expected, f"s{stream} at {service.url}")  # noqa: B023
