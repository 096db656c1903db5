"""``GET /health``, which everybody may ask for as often as they like."""

from __future__ import annotations

import asyncio
from typing import Any

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
