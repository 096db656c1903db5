"""A circuit breaker before a cache: nobody waits for one that fails, and it is doubted until it is mended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import pytest
from tests.support.tasks import a_task, later

from miyabi.cache import CacheResting, CacheSlow, CacheUnavailable, Listing
from miyabi.cache.breaker import DOUBT_SECONDS, FIRST_REST, LONGEST_REST, Breaker
from miyabi.cache.memory import MemoryCache
from miyabi.model import Task


class Fragile(MemoryCache):
    """A cache that fails as long as it is told to."""

    error: type[CacheUnavailable] | None = None
    asked = 0

    async def _asked(self) -> None:
        self.asked += 1
        if self.error:
            raise self.error("told to")

    async def task(self, task_id: str) -> Task | None:
        await self._asked()
        return await super().task(task_id)

    async def put(self, tasks: Sequence[Task]) -> None:
        await self._asked()
        await super().put(tasks)

    async def ping(self) -> None:
        await self._asked()


class Bench:
    """A breaker on a clock moved by hand."""

    def __init__(self, *, kept: bool) -> None:
        self.now = 100.0
        self.cache = Fragile()
        self.breaker = Breaker(self.cache, lambda: self.now, lambda: 0.0, kept=kept)

    async def fails(self, call: Callable[[], Awaitable[object]] | None = None) -> type[CacheUnavailable]:
        with pytest.raises(CacheUnavailable) as caught:
            await (call or self.breaker.ping)()
        return type(caught.value)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_a_cache_that_failed_is_not_asked_until_it_has_rested() -> None:
    async def story() -> None:
        bench = Bench(kept=False)
        bench.cache.error = CacheUnavailable
        assert await bench.fails() is CacheUnavailable
        for _ in range(100):
            assert await bench.fails() is CacheResting
        assert bench.cache.asked == 1
        bench.now += FIRST_REST
        bench.cache.error = None
        await bench.breaker.ping()
        await bench.breaker.ping()

    run(story())


def test_it_rests_twice_as_long_after_each_failure_up_to_a_bound() -> None:
    async def story() -> None:
        bench = Bench(kept=False)
        bench.cache.error = CacheUnavailable
        rests = []
        for _ in range(8):
            assert await bench.fails() is CacheUnavailable
            began = bench.now
            while await bench.fails() is CacheResting:
                bench.now += 0.01
            rests.append(round(bench.now - began, 1))
            bench.cache.asked = 0
            bench.now += 2 * LONGEST_REST
        assert rests[0] == pytest.approx(FIRST_REST, abs=0.11)
        assert rests == sorted(rests)
        assert rests[-1] == pytest.approx(LONGEST_REST, abs=0.02)

    run(story())


def test_one_at_a_time_tries_a_cache_that_failed() -> None:
    async def story() -> None:
        bench = Bench(kept=False)
        bench.cache.error = CacheUnavailable
        await bench.fails()
        bench.now += LONGEST_REST
        slow = asyncio.Event()

        async def answers() -> None:
            await slow.wait()

        bench.cache.ping = answers  # type: ignore[method-assign]
        first = asyncio.create_task(bench.breaker.ping())
        await asyncio.sleep(0)
        assert await bench.fails(bench.breaker.mark) is CacheResting
        slow.set()
        await first
        assert await bench.breaker.mark() == "0"

    run(story())


def test_what_a_kept_cache_holds_is_not_told_until_it_was_mended() -> None:
    async def story() -> None:
        bench = Bench(kept=True)
        await bench.breaker.put([a_task("a")])
        assert await bench.fails(lambda: bench.breaker.task("a")) is CacheResting, "nobody has looked at it yet"
        bench.breaker.mended(bench.breaker.failures)
        assert await bench.breaker.task("a") == a_task("a")
        bench.cache.error = CacheUnavailable
        await bench.fails()
        bench.cache.error = None
        bench.now += LONGEST_REST
        await bench.breaker.put([a_task("b")])
        names: list[Listing] = ["active", "newest"]
        for name in names:
            assert await bench.fails(lambda name=name: bench.breaker.listing(name)) is CacheResting  # type: ignore[misc]
        assert await bench.fails(lambda: bench.breaker.project("p")) is CacheResting

    run(story())


def test_a_failure_while_it_is_mended_leaves_it_broken() -> None:
    async def story() -> None:
        bench = Bench(kept=True)
        before = bench.breaker.failures
        bench.cache.error = CacheUnavailable
        await bench.fails()
        bench.breaker.mended(before)
        assert bench.breaker.broken.is_set()
        bench.breaker.mended(bench.breaker.failures)
        assert not bench.breaker.broken.is_set()

    run(story())


def test_a_cache_that_nobody_keeps_is_read_as_soon_as_it_answers() -> None:
    async def story() -> None:
        bench = Bench(kept=False)
        await bench.breaker.put([a_task("a")])
        bench.cache.error = CacheUnavailable
        await bench.fails()
        bench.cache.error = None
        bench.now += LONGEST_REST
        assert await bench.breaker.task("a") == a_task("a")

    run(story())


def test_a_caller_that_gives_up_does_not_keep_others_from_trying() -> None:
    async def story() -> None:
        bench = Bench(kept=False)
        bench.cache.error = CacheUnavailable
        await bench.fails()
        bench.cache.error = None
        bench.now += LONGEST_REST

        async def never() -> None:
            await asyncio.Event().wait()

        ping, bench.cache.ping = bench.cache.ping, never  # type: ignore[method-assign]
        first = asyncio.create_task(bench.breaker.ping())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        bench.cache.ping = ping  # type: ignore[method-assign]
        await bench.breaker.ping()

    run(story())


def test_one_slow_answer_is_no_outage() -> None:
    async def story() -> None:
        bench = Bench(kept=True)
        await bench.breaker.put([a_task("a")])
        bench.breaker.mended(0)
        bench.cache.error = CacheSlow
        bench.now += DOUBT_SECONDS / 2
        assert await bench.fails(lambda: bench.breaker.task("a")) is CacheSlow
        bench.cache.error = None
        bench.now += FIRST_REST
        assert await bench.breaker.task("a") == a_task("a")

    run(story())


def test_a_cache_that_stays_slow_is_doubted() -> None:
    async def story() -> None:
        bench = Bench(kept=True)
        bench.breaker.mended(0)
        await bench.breaker.ping()
        bench.cache.error = CacheSlow
        bench.now += DOUBT_SECONDS
        await bench.fails(lambda: bench.breaker.task("a"))
        assert bench.breaker.broken.is_set()

    run(story())


def test_what_was_not_put_while_it_was_slow_for_a_moment_is_known() -> None:
    async def story() -> None:
        bench = Bench(kept=True)
        await bench.breaker.ping()
        bench.breaker.mended(0)
        bench.cache.error = CacheSlow
        old, new = a_task("a"), later(a_task("a"))
        assert await bench.fails(lambda: bench.breaker.put([new])) is CacheSlow
        assert await bench.fails(lambda: bench.breaker.put([old, a_task("b")])) is CacheResting
        assert bench.breaker.missing == {"a": new, "b": a_task("b")}
        assert bench.breaker.broken.is_set()
        bench.breaker.mended(0)
        assert bench.breaker.broken.is_set()
        bench.breaker.mended(bench.breaker.failures)
        assert bench.breaker.missing == {}

    run(story())


@pytest.mark.parametrize("error", [CacheSlow, CacheUnavailable])
def test_what_it_lacks_after_an_outage_is_not_known(error: type[CacheUnavailable]) -> None:
    async def story() -> None:
        bench = Bench(kept=True)
        await bench.breaker.ping()
        bench.breaker.mended(0)
        bench.cache.error = error
        bench.now += DOUBT_SECONDS if error is CacheSlow else 0.0
        await bench.fails(lambda: bench.breaker.put([a_task("a")]))
        assert bench.breaker.missing is None

    run(story())
