"""What does a read cost by the way it goes, and what do requests notice when Redis fails under load?"""

from __future__ import annotations

import asyncio
import statistics
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
from miyabi.cache import Cache
from miyabi.cache.breaker import Breaker
from miyabi.cache.memory import MemoryCache
from miyabi.cache.none import NoCache
from miyabi.cache.redis import ANSWER_SECONDS, CONNECTIONS, connect
from miyabi.database import Save, TaskQuery
from miyabi.settings import Settings
from miyabi.tasks.records import Records
from miyabi.wiring import open_database

TASKS = [a_task(f"t{number}", age=number) for number in range(200)]
READERS = 32
READS = 20_000
ALONE = 1000
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
    """A task and the first page of a list, one after the other, by each way a read can go."""
    rows = []
    with folder() as data:
        database = await open_database(Settings(data=data))
        await database.save([Save(task) for task in TASKS])
        caches: dict[str, Cache] = {
            "hit in memory": MemoryCache(),
            "hit in Redis": connect(server.url, answer_seconds=5),
            "miss, SQLite": NoCache(),
            "Redis resting, SQLite": await _resting(),
        }
        for name, cache in caches.items():
            records = Records(database, cache)
            await records.task("t0")
            await records.tasks(TaskQuery(), None, 50)
            rows.append(await _alone(f"a task, {name}", lambda number: records.task(f"t{number % len(TASKS)}")))  # noqa: B023
            rows.append(await _alone(f"the first page, {name}", lambda _: records.tasks(TaskQuery(), None, 50)))  # noqa: B023
            await cache.close()
        await database.close()
    return rows


async def _resting() -> Breaker:
    """A breaker that has just seen its Redis fail, for as long as is measured."""
    breaker = Breaker(connect("redis://127.0.0.1:1"), lambda: 0.0, lambda: 0.0, kept=True)
    try:
        await breaker.ping()
    except Exception:
        return breaker
    raise AssertionError("somebody listens on port 1")


async def _alone(what: str, read: Callable[[int], Awaitable[object]]) -> Row:
    times = []
    for number in range(ALONE):
        began = time.perf_counter()
        await read(number)
        times.append(1000 * (time.perf_counter() - began))
    return Row(what, f"p50 {statistics.median(times):.3f}  p99 {_p99(times):.3f} ms")


def _faults() -> Iterator[Row]:
    for name, (fails, recovers) in FAULTS.items():
        seconds, faults = asyncio.run(_under_load(fails, recovers))
        p99 = _p99([1000 * one for one in seconds])
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


def _p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]
