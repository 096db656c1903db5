"""A cache that no process keeps: what changed is put into it now and then, from a place that is remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from miyabi.cache import CacheUnavailable
from miyabi.cache.memory import MemoryCache
from miyabi.model import Task
from miyabi.tasks.keeper import PLACE_KEPT, Kept

from .conftest import Bench, Story

Tell = Callable[[Story], None]


class Away(MemoryCache):
    """A cache that can be told not to answer."""

    away = False

    async def put(self, tasks: Sequence[Task]) -> None:
        if self.away:
            raise CacheUnavailable("away")
        await super().put(tasks)


async def cached(cache: MemoryCache, task_id: str) -> bool:
    return await cache.task(task_id) is not None


def test_what_changed_since_the_last_time_is_put_whoever_wrote_it(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        cache = Away()
        await bench.made("before")
        await Kept(bench.stores.database, cache).again()
        await bench.made("a")
        await Kept(bench.stores.database, cache).again()
        assert (await cached(cache, "before"), await cached(cache, "a")) == (False, True)

    tell(story)


def test_while_the_cache_is_away_the_place_stays(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        cache = Away()
        kept = Kept(bench.stores.database, cache)
        await kept.again()
        await bench.made("a")
        cache.away = True
        await kept.again()
        assert not await cached(cache, "a")
        cache.away = False
        await kept.again()
        assert await cached(cache, "a")

    tell(story)


def test_a_place_of_another_database_is_begun_anew(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.stores.database.set_memo(PLACE_KEPT, "another's")
        cache = Away()
        await bench.made("a")
        await Kept(bench.stores.database, cache).again()
        assert not await cached(cache, "a")
        await bench.made("b")
        await Kept(bench.stores.database, cache).again()
        assert await cached(cache, "b")

    tell(story)
