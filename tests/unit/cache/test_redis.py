"""Of the cache in Redis what no other cache has: its keys, its copies of lists, damage, and what others hear."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.support.redis import RedisServer
from tests.support.tasks import START, a_task, ids, later

from miyabi.cache import TTL_SECONDS, CacheUnavailable
from miyabi.cache.redis import MOST_CHANGES, RedisCache, connect
from miyabi.model import Project, Task, iso
from miyabi.settings import Settings, SettingsError
from miyabi.wiring import open_cache

Story = Callable[[RedisCache, RedisCache], Awaitable[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with closing(RedisServer()) as server:
        yield server


@pytest.fixture
def tell(server: RedisServer) -> Callable[[Story], None]:
    """Runs a story with the caches of two processes on one emptied Redis."""

    async def run(story: Story) -> None:
        with closing(server.client) as client:
            client.flushall()
        one, other = connect(server.url, 10), connect(server.url, 10)
        try:
            await story(one, other)
        finally:
            await one.close()
            await other.close()

    return lambda story: asyncio.run(run(story))


async def filled(cache: RedisCache, *tasks: Task) -> None:
    mark = await cache.mark()
    await cache.fill("active", [task for task in tasks if not task.final], mark)
    await cache.fill("newest", tasks, mark)


def test_the_keys_are_those_of_the_specification_and_live_for_an_hour(
    server: RedisServer, tell: Callable[[Story], None]
) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        time = iso(START)
        project = Project(project_id="p", project_name="p", status="active", created_at=time, updated_at=time)
        await one.put([a_task("a"), a_task("b", status="completed")])
        await one.put_project(project)
        with closing(server.client) as client:
            assert client.get("task:a") == msgspec.json.encode(a_task("a"))
            assert client.get("project:p") == msgspec.json.encode(project)
            assert client.smembers("active_tasks") == {b"a"}
            keys = [key.decode() for key in client.scan_iter()]
            others = {key for key in keys if not key.startswith("{active_tasks}:")}
            assert others == {"task:a", "task:b", "project:p", "active_tasks"}
            for key in keys:
                assert TTL_SECONDS - 10 <= client.ttl(key) <= TTL_SECONDS, key

    tell(story)


def test_a_list_is_sent_whole_once_and_then_only_what_has_changed(
    server: RedisServer, tell: Callable[[Story], None]
) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        await filled(one, *(a_task(f"t{n}", age=n) for n in range(100)))
        assert len(await other.listing("active") or ()) == 100
        await one.put([later(a_task("t7", age=7)), later(a_task("t8", age=8), status="failed")])
        with closing(server.client) as client:
            client.config_resetstat()
            found = await other.listing("active")
            sent = client.info("stats")["total_net_output_bytes"]
        assert found is not None
        assert "t8" not in ids(found)
        assert sent < 10_000, "two tasks, not a hundred"

    tell(story)


def test_who_is_too_far_behind_gets_the_whole_list(tell: Callable[[Story], None]) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        tasks = [a_task(f"t{n}", age=n) for n in range(20)]
        await filled(one, *tasks)
        assert await other.listing("newest") is not None
        gone = [a_task(f"old{n}", age=-n, status="completed") for n in range(MOST_CHANGES + 10)]
        await one.put([later(tasks[3]), *gone])
        found = await other.listing("newest")
        assert found == await one.listing("newest")
        assert found is not None
        assert later(tasks[3]) in found

    tell(story)


@pytest.mark.parametrize("key", ["active_tasks", "{active_tasks}:newest", "{active_tasks}:changes"])
@pytest.mark.parametrize("known", [True, False])
def test_a_list_of_which_a_part_was_evicted_is_unknown(
    key: str, known: bool, server: RedisServer, tell: Callable[[Story], None]
) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        await filled(one, a_task("a"), a_task("b"))
        await one.put([later(a_task("a"))])
        if known:
            await other.listing("active")
        with closing(server.client) as client:
            client.delete(key)
        assert await other.listing("active") is None
        await filled(one, later(a_task("a")), a_task("b"))
        assert len(await other.listing("active") or ()) == 2

    tell(story)


@pytest.mark.parametrize("key", ["{active_tasks}:state", "{active_tasks}:records"])
def test_an_evicted_state_or_record_makes_lists_unknown(
    key: str, server: RedisServer, tell: Callable[[Story], None]
) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        await filled(one, a_task("a"), a_task("b"))
        with closing(server.client) as client:
            client.delete(key)
        assert await other.listing("active") is None
        await one.put([a_task("c")])
        assert await other.listing("active") is None

    tell(story)


def test_what_a_restarted_redis_never_heard_of_is_not_in_a_list(
    server: RedisServer, tell: Callable[[Story], None]
) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        await filled(one, a_task("a"), a_task("b"))
        before = await one.mark()
        assert await other.listing("active") is not None
        with closing(server.client) as client:
            client.flushall()
        assert await other.listing("active") is None
        await one.fill("active", [a_task("a")], before)
        assert await one.listing("active") is None, "the mark is of a life before"
        await filled(one, a_task("b"))
        assert await other.listing("active") == (a_task("b"),)

    tell(story)


@pytest.mark.parametrize("value", ["rubbish", "", '{"task_id":"a","timestamp":"x"}', '{"task_id":"a","timestamp":1}'])
def test_what_somebody_else_put_is_nothing_and_gives_way(
    value: str, server: RedisServer, tell: Callable[[Story], None]
) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        with closing(server.client) as client:
            client.set("task:a", value)
        assert await one.task("a") is None
        await one.put([a_task("a")])
        assert await other.task("a") == a_task("a")

    tell(story)


def test_another_kind_of_value_is_no_answer(server: RedisServer, tell: Callable[[Story], None]) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        with closing(server.client) as client:
            client.lpush("task:a", "x")
        with pytest.raises(CacheUnavailable, match="WRONGTYPE"):
            await one.task("a")

    tell(story)


def test_what_one_puts_the_other_hears_but_nothing_old(tell: Callable[[Story], None]) -> None:
    async def story(one: RedisCache, other: RedisCache) -> None:
        heard: list[Task] = []

        async def listen() -> None:
            async for task in other.heard():
                heard.append(task)  # noqa: PERF401 - as they come

        listening = asyncio.create_task(listen())
        newer = later(a_task("a"))
        async with asyncio.timeout(10):
            while not heard:  # until it has subscribed
                newer = later(newer)
                await one.put([newer])
                await asyncio.sleep(0.01)
            count = len(heard)
            await one.put([a_task("a")])
            await one.put([a_task("last")])
            while heard[-1] != a_task("last"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert all(task.timestamp > a_task("a").timestamp for task in heard[:count])
        assert a_task("a") not in heard
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    tell(story)


def test_a_redis_that_is_not_there_says_so_at_once() -> None:
    async def story() -> None:
        cache = connect("redis://127.0.0.1:1")
        with pytest.raises(CacheUnavailable, match=r"127\.0\.0\.1:1"):
            await cache.ping()
        await cache.close()

    asyncio.run(story())


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port", "redis://h/?colour=red", "redis://[::1"])
def test_an_address_that_is_none_is_refused_saying_what_to_write(url: str) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_CACHE.*redis://"):
        asyncio.run(open_cache(Settings(data=Path(), cache=url)))
