"""``GET /health``, which everybody may ask for as often as they like."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from miyabi.tasks.api import FRESH_SECONDS, Api, Probe

NOTHING: Any = None


def an_api(probe: Probe, now: list[float]) -> Api:
    return Api(NOTHING, NOTHING, NOTHING, NOTHING, {"database": probe}, lambda: now[0])


def test_many_who_ask_at_once_cost_the_stores_one_look_and_a_later_one_another() -> None:
    async def scenario() -> None:
        looks, now = 0, [100.0]

        async def probe() -> None:
            nonlocal looks
            looks += 1
            await asyncio.sleep(0)

        api = an_api(probe, now)
        assert {state.status for state in await asyncio.gather(*(api.health() for _ in range(50)))} == {"ok"}
        await api.health()
        assert looks == 1
        now[0] += FRESH_SECONDS
        await api.health()
        assert looks == 2

    asyncio.run(scenario())


def test_one_who_leaves_takes_the_look_from_nobody() -> None:
    async def scenario() -> None:
        may_end = asyncio.Event()

        async def probe() -> None:
            await may_end.wait()

        api = an_api(probe, [0.0])
        first, second = asyncio.create_task(api.health()), asyncio.create_task(api.health())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        may_end.set()
        assert (await second).status == "ok"

    asyncio.run(scenario())


def test_the_log_says_once_what_is_down_and_that_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        now, faults = [100.0], ["10.1.2.3:6379 refuses", "10.1.2.3:6379 refuses", "", ""]

        async def probe() -> None:
            if fault := faults.pop(0):
                raise OSError(fault)

        api = an_api(probe, now)
        while faults:
            await api.health()
            now[0] += FRESH_SECONDS

    asyncio.run(scenario())
    assert [record.getMessage() for record in caplog.records] == [
        "database is down: 10.1.2.3:6379 refuses",
        "database is up again",
    ]
