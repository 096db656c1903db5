"""The cache in memory stays small, and no cache holds nothing."""

from __future__ import annotations

import asyncio

from tests.support.tasks import a_task

from miyabi.cache.memory import MAX_TASKS, MemoryCache
from miyabi.cache.none import NoCache


def test_what_was_not_used_for_longest_goes_first() -> None:
    async def scenario() -> None:
        cache = MemoryCache()
        tasks = [a_task(f"t{n}") for n in range(MAX_TASKS)]
        await cache.put(tasks)
        assert await cache.task("t0") is not None
        await cache.put([a_task("one more")])
        assert await cache.task("t0") is not None
        assert await cache.task("t1") is None

    asyncio.run(scenario())


def test_a_list_read_so_long_ago_that_puts_since_are_forgotten_is_not_taken() -> None:
    async def scenario() -> None:
        cache = MemoryCache()
        mark = await cache.mark()
        await cache.put([a_task(f"t{n}") for n in range(MAX_TASKS + 1)])
        await cache.fill("active", [], mark)
        assert await cache.listing("active") is None

    asyncio.run(scenario())


def test_a_list_that_grows_past_all_bounds_is_dropped() -> None:
    async def scenario() -> None:
        cache = MemoryCache()
        await cache.fill("active", [], await cache.mark())
        await cache.put([a_task(f"t{n}") for n in range(MAX_TASKS + 1)])
        assert await cache.listing("active") is None

    asyncio.run(scenario())


def test_no_cache_holds_nothing() -> None:
    async def scenario() -> None:
        cache = NoCache()
        await cache.put([a_task("a")])
        await cache.fill("active", [a_task("a")], await cache.mark())
        assert await cache.task("a") is None
        assert await cache.listing("active") is None
        assert await cache.project("house") is None
        await cache.ping()
        await cache.close()

    asyncio.run(scenario())
