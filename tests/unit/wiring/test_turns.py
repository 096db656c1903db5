"""CloudWatch Logs may be called five times a second by an account: processes that share a Redis share that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.support.clock import Clock
from tests.support.redis import RedisServer, RedisServers

from miyabi.logs.cloudwatch_limits import Limiter, SharedLimiter
from miyabi.wiring.turns import REST_SECONDS, Turns


@pytest.fixture(params=[RedisServer, RedisServers])
def redis(request: pytest.FixtureRequest) -> Iterator[RedisServer | RedisServers]:
    with closing(request.param()) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_turns_are_given_out_in_order_to_all_who_share_them(redis: RedisServer | RedisServers) -> None:
    async def scenario() -> list[float]:
        processes = [Turns(redis.url, "logs", 5, period=3600.0) for _ in range(3)]
        given = [await processes[number % 3].ask() for number in range(12)]
        for process in processes:
            await process.close()
        return [wait for wait in given if wait is not None]

    waits = asyncio.run(scenario())
    assert waits[:5] == [0.0] * 5
    assert [round(wait / 3600) for wait in waits[5:]] == [1] * 5 + [2] * 2


def test_another_name_has_turns_of_its_own(redis: RedisServer | RedisServers) -> None:
    async def scenario() -> list[float | None]:
        here, there = (Turns(redis.url, name, 1, period=3600.0) for name in ("eu-west-1", "us-east-1"))
        waits = [await here.ask(), await there.ask()]
        await here.close()
        await there.close()
        return waits

    assert asyncio.run(scenario()) == [0.0, 0.0]


def test_while_redis_is_away_each_process_counts_for_itself_and_asks_again_later(clock: Clock) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def scenario(server: RedisServer) -> None:
        turns = Turns(server.url, "logs", 1, now=clock.seconds, period=3600.0)
        limiter = SharedLimiter(turns.ask, Limiter(1, 1.0, clock.seconds, sleep), sleep)
        await limiter.turn()
        server.kill()
        await limiter.turn()
        await limiter.turn()
        assert slept == [1.0]
        server.restart()
        clock.forward(int(REST_SECONDS * 1000))
        await limiter.turn()
        assert slept == [1.0]
        await limiter.turn()
        assert slept[-1] == pytest.approx(3600, abs=60)
        await turns.close()

    with closing(RedisServer()) as server:
        asyncio.run(scenario(server))
