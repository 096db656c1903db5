"""Several processes of each service on one data folder and one Redis, killed at random: nothing shows in the end."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from tests.support import ministack
from tests.support.board import Service, environment
from tests.support.jobs import BEGAN, GROUP, lines_of, telling, undisturbed
from tests.support.redis import RedisServer
from tests.support.until import until

KILLS = int(os.environ.get("MIYABI_TEST_KILLS", "20"))
"""200 take some minutes."""
SEED = int(os.environ.get("MIYABI_TEST_SEED", "1"))
STREAMS = 6


class House(NamedTuple):
    redis: RedisServer
    tasks: list[Service]
    collectors: list[Service]


@pytest.fixture(params=["sqlite", "dynamodb"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Three task APIs and two collectors."""
    with ExitStack() as stack:
        redis = stack.enter_context(closing(RedisServer()))
        env = environment(tmp_path / "data", MIYABI_CACHE=redis.url, MIYABI_SWEEP_SECONDS="0.5")
        if request.param == "dynamodb":
            env |= ministack.setting(request.getfixturevalue("dynamodb"), tmp_path.name)

        def start(name: str) -> Service:
            return stack.enter_context(closing(Service("serve", name, env=env)))

        collectors = [start("collector") for _ in range(2)]
        yield House(redis, [start("tasks") for _ in range(3)], collectors)


class Writers:
    """A client for each stream: it sends each line until somebody acknowledges it, no faster than the killing goes."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.kills = 0
        self._threads = [Thread(target=self._write, args=(stream,), daemon=True) for stream in range(STREAMS)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until all lines of all streams are acknowledged."""
        for thread in self._threads:
            thread.join(240)
            assert not thread.is_alive()

    def _write(self, stream: int) -> None:
        rng, lines = random.Random(stream), lines_of(stream)
        for number, line in enumerate(lines):
            until(lambda: number * KILLS <= (self.kills + 1) * len(lines), "the next kill", 240)  # noqa: B023
            event = {"timestamp": BEGAN + number * 1000, "message": line}
            body = {"events": [event], "writer": {"id": f"w{stream}", "sequence": number}}
            until(lambda: acknowledged(rng.choice(self._house.tasks), stream, body), "an answer", 60)  # noqa: B023


def acknowledged(service: Service, stream: int, body: dict[str, Any]) -> bool:
    try:
        answer = service.api.request("POST", f"/api/logs/{quote(GROUP, safe='')}/s{stream}", body)
    except (OSError, HTTPException):
        return False
    assert answer.status in (200, 503), answer
    return answer.status == 200


def test_processes_that_die_at_random_leave_what_one_alone_would(house: House) -> None:
    rng = random.Random(SEED)
    writers = Writers(house)
    for _ in range(KILLS):
        victim = rng.choice([*house.tasks, *house.collectors])
        victim.kill9()
        victim.restart()
        writers.kills += 1
    writers.wait()
    for service in house.tasks:
        for stream in range(STREAMS):
            expected = undisturbed(stream)
            until(lambda: telling(service.api.task(f"s{stream}")) == expected, f"s{stream} at {service.url}")  # noqa: B023
        until(lambda: service.api.tasks("&active=true") == [], "no task is active")  # noqa: B023
    assert house.redis.client.scard("active_tasks") == 0
