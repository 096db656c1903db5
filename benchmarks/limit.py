"""How exact is the rate limit, alone and shared, and what does it cost a request?"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection

from tests.support.redis import RedisServer

from benchmarks.table import Row, best
from miyabi.gateway.limit import Limit, LocalLimit, Rates
from miyabi.gateway.shared_limit import ALONE, SharedLimit
from miyabi.wiring.limit import RedisLimit
from miyabi.wiring.shared import redis_at

RATES = Rates(1000, 2000)
OFFERED = (1, 100, 5000)
SECONDS = {1: 5.0, 100: 5.0, 5000: 10.0}
GATEWAYS = 2
TICK = 0.005
EXACT_GOAL = 2.0
"""Percent."""
COSTLY = Rates(1e9, 10**9)
"""A limit that nobody meets, for what a decision costs."""
DECISIONS, ROUNDS = 50_000, 3


def measure() -> list[Row]:
    """Requests let through by one gateway and by two on one Redis, beside what should be; decisions a second."""
    with closing(RedisServer()) as server:
        server.admin.ping()
        return [*_exactness(None), *_exactness(server), *_costs(server)]


def _exactness(server: RedisServer | None) -> Iterator[Row]:
    for offered in OFFERED:
        count = GATEWAYS if server else 1
        passed, sent, seconds, alone = _gateways(server, offered, count)
        due = min(sent, RATES.burst + RATES.rate * seconds)
        off = 100 * (passed - due) / due
        where = f"{count} processes, one Redis" if server else "one process"
        measured = f"{passed:,} of {sent:,} passed, {off:+.2f} %"
        beside = f"due {due:,.0f}" + (f"; {alone} decided without Redis" if server else "")
        goal = f"± {EXACT_GOAL:.0f} %"
        yield Row(f"{offered:,} offered/s, {where}", measured, goal, abs(off) <= EXACT_GOAL, beside, passed / due)


def _gateways(server: RedisServer | None, offered: int, count: int) -> tuple[int, int, float, int]:
    """Requests passed and sent, seconds that took, requests that were decided without Redis."""
    if server:
        server.admin.flushall()
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(count)
    ends = [context.Pipe() for _ in range(count)]
    url = server.url if server else ""
    processes = [context.Process(target=_gateway, args=(url, offered / count, start, end)) for _, end in ends]
    for process in processes:
        process.start()
    told = [here.recv() for here, _ in ends]
    for process in processes:
        process.join()
    passed, sent, seconds, alone = zip(*told, strict=True)
    return sum(passed), sum(sent), max(seconds), int(sum(alone))


def _gateway(url: str, offered: float, start: object, end: Connection) -> None:
    """One process that offers so many requests a second, evenly."""
    end.send(asyncio.run(_offer(url, offered, SECONDS[OFFERED[-1]] if offered > 100 else SECONDS[1], start)))


async def _offer(url: str, offered: float, seconds: float, start: object) -> tuple[int, int, float, float]:
    limit = _limit(url, RATES)
    if url:  # connected
        await limit.take("warm")
    await asyncio.to_thread(start.wait)  # type: ignore[attr-defined]
    before, sent, began = ALONE.value, 0, time.monotonic()
    passed: list[float] = []
    waiting: set[asyncio.Task[None]] = set()
    while (now := time.monotonic() - began) < seconds:
        for _ in range(int(now * offered) + 1 - sent):
            task = asyncio.create_task(_ask(limit, f"client {sent % 3}", passed))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            sent += 1
        await asyncio.sleep(TICK)
    await asyncio.gather(*waiting)
    await limit.close()
    return len(passed), sent, max(passed) - began, ALONE.value - before


async def _ask(limit: Limit, client: str, passed: list[float]) -> None:
    """One request; when it passes, the moment is noted."""
    if not (await limit.take(client)).wait:
        passed.append(time.monotonic())


def _limit(url: str, rates: Rates) -> Limit:
    local = LocalLimit(rates, time.monotonic)
    return SharedLimit(RedisLimit(redis_at(url, answer_seconds=0.25), rates), local) if url else local


def _costs(server: RedisServer) -> Iterator[Row]:
    rate = best(asyncio.run(_decisions("", 1)) for _ in range(ROUNDS))
    yield Row("a decision, one process", f"{1e6 / rate:.1f} µs", "≤ 20 µs", rate >= 50_000)
    for waiting in (1, 16, 256):
        shared = best(asyncio.run(_decisions(server.url, waiting)) for _ in range(ROUNDS))
        yield Row(
            f"a decision by Redis, {waiting} at once",
            f"{1e6 / shared:.0f} µs",
            beside="one process",
            ratio=rate / shared,
        )


async def _decisions(url: str, waiting: int) -> float:
    """Decisions a second by so many that each ask again when they were answered."""
    limit, each = _limit(url, COSTLY), (DECISIONS if not url or waiting > 1 else 5_000) // waiting
    await limit.take("warm")

    async def client(name: str) -> None:
        for _ in range(each):
            await limit.take(name)

    began = time.perf_counter()
    await asyncio.gather(*(client(f"client {number}") for number in range(waiting)))
    rate = each * waiting / (time.perf_counter() - began)
    await limit.close()
    return rate
