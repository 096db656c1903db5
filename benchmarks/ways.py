"""A task and the first page of a list, one after the other, by each way that a read can go."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

from tests.support.redis import RedisServer

from benchmarks.table import Row
from miyabi.cache import Cache
from miyabi.cache.breaker import Breaker
from miyabi.cache.memory import MemoryCache
from miyabi.cache.none import NoCache
from miyabi.cache.redis import connect
from miyabi.database import Database, Save, TaskQuery
from miyabi.model import Task
from miyabi.tasks.records import Records

ALONE = 1000
PAGE = 50


async def ways(
    server: RedisServer, database: Database, name: str, tasks: Sequence[Task], count: int = ALONE
) -> list[Row]:
    """Stores ``tasks`` and reads each way ``count`` times; ``name`` is the database's."""
    await database.save([Save(task) for task in tasks])
    caches: dict[str, Cache] = {
        "hit in memory": MemoryCache(),
        "hit in Redis": connect(server.url, answer_seconds=5),
        f"miss, {name}": NoCache(),
        f"Redis resting, {name}": await _resting(),
    }
    rows = []
    for way, cache in caches.items():
        records = Records(database, cache)
        await records.tasks(TaskQuery(), None, PAGE)
        if way.startswith("hit"):
            await cache.put(tasks)
        rows += [
            await alone(f"a task, {way}", lambda n: records.task(tasks[n % len(tasks)].task_id), count),  # noqa: B023
            await alone(f"the first page, {way}", lambda _: records.tasks(TaskQuery(), None, PAGE), count),  # noqa: B023
        ]
        await cache.close()
    return rows


async def alone(what: str, read: Callable[[int], Awaitable[object]], count: int = ALONE) -> Row:
    """How long each of ``count`` reads takes, told its number."""
    times = []
    for number in range(count):
        began = time.perf_counter()
        await read(number)
        times.append(1000 * (time.perf_counter() - began))
    return Row(what, f"p50 {statistics.median(times):.3f}  p99 {p99(times):.3f} ms")


def p99(values: list[float]) -> float:
    """The value below which 99 of 100 are."""
    return sorted(values)[int(0.99 * len(values))]


async def _resting() -> Breaker:
    """A breaker that has just seen its Redis fail, for as long as is measured."""
    breaker = Breaker(connect("redis://127.0.0.1:1"), lambda: 0.0, lambda: 0.0, kept=True)
    try:
        await breaker.ping()
    except Exception:
        return breaker
    raise AssertionError("somebody listens on port 1")
