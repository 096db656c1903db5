"""Cache-aside: the database is spared, and nobody is told what is no longer true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.clock import Clock
from tests.support.tasks import a_task, later

from miyabi.cache import CacheResting, CacheSlow, CacheUnavailable, Listing
from miyabi.cache.breaker import LONGEST_REST, Breaker
from miyabi.cache.memory import MemoryCache
from miyabi.cache.none import NoCache
from miyabi.database import Current, Database, DatabaseUnavailable, Save, TaskQuery
from miyabi.model import Task
from miyabi.settings import Settings
from miyabi.tasks.flights import UNKNOWN_SECONDS
from miyabi.tasks.keeper import LAG_SECONDS, Keeper
from miyabi.tasks.records import CACHE_TRIES, Records
from miyabi.wiring import open_database


class Counted:
    """A database whose reads are counted and answered when :attr:`answers` is set."""

    def __init__(self, database: Database) -> None:
        self.real = database
        self.reads = 0
        self.answers = asyncio.Event()
        self.answers.set()

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def get(self, task_ids: list[str]) -> list[Current | None]:
        self.reads += 1
        found = await self.real.get(task_ids)
        await self.answers.wait()
        return found

    async def tasks(self, query: TaskQuery, *, cursor: str | None = None, limit: int = 50) -> object:
        self.reads += 1
        found = await self.real.tasks(query, cursor=cursor, limit=limit)
        await self.answers.wait()
        return found


Story = Callable[[Counted], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story on a fresh database."""

    async def run(story: Story) -> None:
        database = await open_database(Settings(data=tmp_path))
        try:
            await story(Counted(database))
        finally:
            await database.close()

    return lambda story: asyncio.run(run(story))


async def begun(*calls: Awaitable[object]) -> list[asyncio.Task[object]]:
    """The calls, each as far as it gets."""
    jobs = [asyncio.ensure_future(call) for call in calls]
    for _ in range(5):
        await asyncio.sleep(0)
    return jobs


def of(database: Counted, cache: MemoryCache | NoCache | Breaker, clock: Clock | None = None) -> Records:
    return Records(database, cache, now=(clock or Clock()).seconds)  # type: ignore[arg-type]


def test_of_many_who_miss_a_task_at_once_one_asks_the_database(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        await database.real.save([Save(a_task("a"))])
        records = of(database, MemoryCache())
        database.answers.clear()
        readers = await begun(*(records.task("a") for _ in range(50)))
        database.answers.set()
        assert await asyncio.gather(*readers) == [a_task("a")] * 50
        assert database.reads == 1
        assert await records.task("a") == a_task("a")
        assert database.reads == 1

    tell(story)


def test_of_many_who_miss_a_list_at_once_one_asks_the_database(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        await database.real.save([Save(a_task("a"))])
        records = of(database, MemoryCache())
        database.answers.clear()
        readers = await begun(*(records.tasks(TaskQuery(active=True), None, 50) for _ in range(50)))
        database.answers.set()
        assert all(page.tasks == [a_task("a")] for page in await asyncio.gather(*readers))  # type: ignore[attr-defined]
        assert database.reads == 1

    tell(story)


def test_who_asks_after_a_write_is_not_given_an_answer_from_before_it(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        await database.real.save([Save(a_task("a"))])
        records = of(database, NoCache())
        database.answers.clear()
        (old,) = await begun(records.task("a"))
        newer = later(a_task("a"), task_name="newer")
        assert await records.save(Save(newer, Current(a_task("a"))))
        (new,) = await begun(records.task("a"))
        database.answers.set()
        assert await new == newer
        assert await old == a_task("a"), "asked before"

    tell(story)


def test_one_who_gives_up_leaves_the_others_their_answer(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        await database.real.save([Save(a_task("a"))])
        records = of(database, MemoryCache())
        database.answers.clear()
        first, second = await begun(records.task("a"), records.task("a"))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        database.answers.set()
        assert await second == a_task("a")

    tell(story)


def test_that_there_is_no_task_is_remembered_for_a_moment(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        clock = Clock()
        records = of(database, MemoryCache(), clock)
        assert [await records.task("a") for _ in range(10)] == [None] * 10
        assert database.reads == 1
        clock.forward(round(UNKNOWN_SECONDS * 1000))
        assert await records.task("a") is None
        assert database.reads == 2

    tell(story)


def test_a_task_that_comes_to_be_is_known_at_once(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        records = of(database, MemoryCache())
        assert await records.task("a") is None
        assert await records.save(Save(a_task("a")))
        assert await records.task("a") == a_task("a")
        assert await records.task("b") is None
        await database.real.save([Save(a_task("b"))])
        records.seen([a_task("b")])
        assert await records.task("b") == a_task("b")

    tell(story)


def test_an_answer_from_before_a_task_came_to_be_is_not_remembered(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        records = of(database, NoCache())
        database.answers.clear()
        (before,) = await begun(records.task("a"))
        assert await records.save(Save(a_task("a")))
        database.answers.set()
        assert await before is None
        assert await records.task("a") == a_task("a")

    tell(story)


class Flaky(MemoryCache):
    """A cache that fails some more times."""

    failures = 0

    async def task(self, task_id: str) -> Task | None:
        self._fail()
        return await super().task(task_id)

    async def listing(self, name: Listing) -> tuple[Task, ...] | None:
        self._fail()
        return await super().listing(name)

    def _fail(self) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise CacheUnavailable


class Away:
    """A database that does not answer."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def call(*_: object, **__: object) -> object:
            raise DatabaseUnavailable

        return call


def test_while_the_database_is_away_a_cache_that_failed_a_moment_ago_is_asked_again() -> None:
    async def story() -> None:
        cache, waits = Flaky(), list[float]()

        async def wait(seconds: float) -> None:
            waits.append(seconds)

        records = Records(Away(), cache, wait=wait)  # type: ignore[arg-type]
        await cache.fill("newest", [a_task("a")], await cache.mark())
        await cache.put([a_task("a")])
        for ask in (lambda: records.task("a"), lambda: records.tasks(TaskQuery(), None, 10)):
            cache.failures = 1 + CACHE_TRIES // 2
            assert await ask()
            cache.failures = 100
            with pytest.raises(DatabaseUnavailable):
                await ask()
        waits.clear()
        cache.failures = 0
        with pytest.raises(DatabaseUnavailable):
            await records.task("b")
        assert waits == [], "who is not in the cache need not wait"

    asyncio.run(story())


class Lossy(MemoryCache):
    """A cache that can't be reached as long as :attr:`away` is set."""

    away = False
    error: type[CacheUnavailable] = CacheUnavailable

    async def put(self, tasks: object) -> None:
        await self.ping()
        await super().put(tasks)  # type: ignore[arg-type]

    async def ping(self) -> None:
        if self.away:
            raise self.error("away")


class Kept:
    """A cache with its breaker and keeper on a clock of their own; ``changes`` is what the hub does with a feed."""

    def __init__(self, database: Counted) -> None:
        self.clock = Clock()
        self.cache = Lossy()
        self.breaker = Breaker(self.cache, self.clock.seconds, lambda: 0.0, kept=True)
        self.keeper = Keeper(database.real, self.breaker, self.clock.seconds, self._sleep)
        self.database = database.real
        self.place = ""

    async def _sleep(self, seconds: float) -> None:
        self.clock.forward(round(1000 * max(seconds, LONGEST_REST)))
        self.cache.away = False
        await asyncio.sleep(0)

    async def saved(self, task: Task, base: Task | None = None) -> None:
        assert await self.database.save([Save(task, Current(base) if base else None)]) == [True]

    async def follows(self) -> None:
        changes = await self.database.changed(self.place)
        await self.keeper.took(changes.tasks, self.place)
        self.place = changes.next


def test_a_cache_is_looked_through_before_it_is_first_read(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        kept = Kept(database)
        await kept.saved(a_task("a"))
        ended = later(a_task("a"), status="completed")
        mark = await kept.cache.mark()
        await kept.cache.fill("active", [a_task("a")], mark)
        await kept.cache.put([a_task("a")])
        await kept.saved(ended, a_task("a"))
        records = of(database, kept.breaker)
        assert await records.task("a") == ended, "from the database"
        await kept.keeper.mend()
        assert await kept.breaker.task("a") == ended
        assert await kept.breaker.listing("active") == ()

    tell(story)


def test_what_a_writer_could_not_put_is_put_by_who_keeps_the_cache(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        kept = Kept(database)
        await kept.keeper.mend()
        await kept.saved(a_task("a"))
        assert await kept.breaker.task("a") is None
        await kept.follows()
        assert await kept.breaker.task("a") == a_task("a")

    tell(story)


def test_after_an_outage_all_that_has_changed_since_a_while_before_is_put_again(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        kept = Kept(database)
        await kept.keeper.mend()
        for name in ("long ago", "before", "just before"):
            await kept.saved(a_task(name.replace(" ", "-")))
            await kept.follows()
            kept.clock.forward(round(LAG_SECONDS * 600))
        kept.cache.away = True
        await kept.saved(a_task("meanwhile"))
        await kept.follows()
        assert kept.breaker.broken.is_set()
        await kept.saved(a_task("later"))
        await kept.follows()
        kept.cache._tasks._entries.clear()
        await kept.keeper.mend()
        assert not kept.breaker.broken.is_set()
        for name in ("before", "just-before", "meanwhile", "later"):
            assert await kept.breaker.task(name) == a_task(name), name

    tell(story)


def test_what_was_not_put_in_a_slow_moment_is_put_though_the_database_is_away(tell: Callable[[Story], None]) -> None:
    async def story(database: Counted) -> None:
        kept = Kept(database)
        await kept.keeper.mend()
        await kept.breaker.put([a_task("a")])
        kept.cache.away, kept.cache.error = True, CacheSlow
        newer = later(a_task("a"))
        with pytest.raises(CacheSlow):
            await kept.breaker.put([newer])
        with pytest.raises(CacheResting):
            await kept.breaker.task("a")
        keeper = Keeper(Away(), kept.breaker, kept.clock.seconds, kept._sleep)  # type: ignore[arg-type]
        await keeper.mend()
        assert await kept.breaker.task("a") == newer

    tell(story)
