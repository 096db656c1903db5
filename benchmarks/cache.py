"""What does a read cost by the way it goes, and what do requests notice when Redis fails under load?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from tests.support.board import Board
from tests.support.load import load
from tests.support.redis import RedisServer
from tests.support.tasks import a_task

from benchmarks.boards import folder
from benchmarks.table import Row, best
from benchmarks.ways import p99 as p99_of
from benchmarks.ways import ways
from miyabi.cache.redis import ANSWER_SECONDS, CONNECTIONS, connect
from miyabi.settings import Settings
from miyabi.wiring import open_database

TASKS = [a_task(f"t{number}", age=number) for number in range(200)]
READERS = 32
READS = 20_000
ROUNDS = 3
HITS_GOAL, P99_GOAL = 0.6, 50.0
FAULTS: dict[str, tuple[Callable[[RedisServer], object], Callable[[RedisServer], object]]] = {
    "killed, started again empty": (RedisServer.kill, RedisServer.restart),
    "frozen, thawed": (RedisServer.freeze, RedisServer.thaw),
    "full, with room again": (
        lambda server: server.admin.config_set("maxmemory", 1),
        lambda server: server.admin.config_set("maxmemory", 0),
    ),
}


def measure() -> list[Row]:
    """Hits a second beside the bare client; each way's time alone; requests while Redis fails."""
    with closing(RedisServer()) as server:
        server.admin.ping()
        return [asyncio.run(_hits(server)), *asyncio.run(_ways(server)), *_faults()]


async def _hits(server: RedisServer) -> Row:
    """Tasks out of Redis by many readers, beside as many bare GETs of the same records over a pool as large."""
    cache = connect(server.url, answer_seconds=5)
    pool = BlockingConnectionPool.from_url(server.url, max_connections=CONNECTIONS)
    bare = Redis.from_pool(pool)
    await cache.put(TASKS)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(await _rate(lambda number: bare.get(f"task:t{number % len(TASKS)}")))
        ours.append(await _rate(lambda number: cache.task(f"t{number % len(TASKS)}")))
    await cache.close()
    await bare.aclose()
    rate, limit = best(ours), best(theirs)
    beside = f"bare redis-py GETs {limit:,.0f}/s"
    ratio = rate / limit
    return Row("hits through Redis", f"{rate:,.0f}/s", f"≥ {HITS_GOAL} of bare", ratio >= HITS_GOAL, beside, ratio)


async def _rate(read: Callable[[int], Awaitable[Any]]) -> float:
    async def reader(first: int) -> None:
        for number in range(first, READS, READERS):
            assert await read(number) is not None

    began = time.perf_counter()
    await asyncio.gather(*map(reader, range(READERS)))
    return READS / (time.perf_counter() - began)


async def _ways(server: RedisServer) -> list[Row]:
    """The embedded database behind each way."""
    with folder() as data:
        database = await open_database(Settings(data=data))
        rows = await ways(server, database, "SQLite", TASKS)
        await database.close()
    return rows


def _faults() -> Iterator[Row]:
    for name, (fails, recovers) in FAULTS.items():
        seconds, faults = asyncio.run(_under_load(fails, recovers))
        p99 = p99_of([1000 * one for one in seconds])
        measured = f"{faults} failed of {len(seconds):,}, p99 {p99:.1f} ms, max {1000 * max(seconds):.0f} ms"
        met = faults == 0 and p99 < P99_GOAL
        beside = f"Redis is given {1000 * ANSWER_SECONDS:.0f} ms to answer"
        yield Row(f"mixed load, Redis {name}", measured, f"0, p99 < {P99_GOAL:.0f} ms", met, beside)


async def _under_load(
    fails: Callable[[RedisServer], object], recovers: Callable[[RedisServer], object]
) -> tuple[list[float], int]:
    """How long each of some thousand requests took, before, during and after the failure; how many failed."""
    async with _board() as (server, url), load(url) as clients:
        await clients.more(1000)
        await asyncio.to_thread(fails, server)
        await clients.more(3000)
        await asyncio.to_thread(recovers, server)
        await clients.more(2000)
    return clients.seconds, len(clients.faults)


@asynccontextmanager
async def _board() -> Any:
    with (
        closing(RedisServer("--maxmemory-policy", "noeviction")) as server,
        folder() as data,
        closing(Board(data, MIYABI_CACHE=server.url, MIYABI_RATE_LIMIT="0")) as board,
    ):
        server.admin.ping()
        yield server, board.url
