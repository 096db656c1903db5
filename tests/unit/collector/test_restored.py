"""A collector on a restored database comes to the present by itself."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from tests.unit.collector.test_stopped import Job, story

from miyabi.collector.collect import Collector
from miyabi.database import Current, Save
from miyabi.database.sqlite_restore import restore
from miyabi.model import Task, iso
from miyabi.settings import Settings
from miyabi.wiring.stores import Stores, open_stores


def told(what: str, done: int = 0, total: int | None = None) -> None:
    """Take no notice of how far it is."""


def says(task: Task) -> Task:
    """A task but for when it was saved, and for guesses."""
    details = replace(task.details, estimate=None, stopped=None)
    return replace(task, timestamp=0, updated_at="", ttl=None, details=details)


async def renamed(job: Job) -> None:
    """Somebody gives the task a name of its own."""
    current = (await job.stores.database.get([job.name]))[0]
    assert current is not None
    job.now += 500
    task = replace(current.task, task_name="by hand", timestamp=job.now, updated_at=iso(job.now))
    assert await job.stores.database.save([Save(task, current)]) == [True]


async def caught_up(data: Path, at: int, now: int) -> tuple[Task | None, Task]:
    """The task of a database restored to ``at``, and what it is when the collector has read on."""
    folder = data / f"then-{at}"
    assert restore(data, folder, at, now, told).right
    async with open_stores(Settings(data=data, database=f"sqlite:{folder}")) as stores:
        before: Current | None = (await stores.database.get(["a"]))[0]
        collector = Collector(stores.logs, stores.database, stores.cache, lambda: now)
        assert (await collector.collect(await stores.logs.changed(""))).behind == []
        after = (await stores.database.get(["a"]))[0]
        assert after is not None
        return before.task if before else None, after.task


def test_from_any_moment_it_comes_to_the_same_task(tmp_path: Path) -> None:
    async def scenario(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        begun = job.now
        await job.runs_evenly(5)
        await renamed(job)
        by_hand = job.now
        for step in range(20):
            await job.prints(f"[{step}/20] linking", after=0.2)
        await job.prints("a word that says nothing", after=3)
        present = await job.ends(after=60)
        steps = range(begun, job.now + 1, 433)
        for at in [*steps, by_hand - 1, by_hand, job.now]:
            before, after = await caught_up(tmp_path, at, job.now)
            assert before is not None
            assert before.timestamp <= at
            named = present if at >= by_hand else replace(present, task_name="make")
            assert says(after) == says(named), iso(at)

    story(tmp_path, scenario)


def test_what_was_read_again_is_what_it_was_before(tmp_path: Path) -> None:
    async def scenario(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        half = await job.runs_evenly(100, upto=5)
        at = job.now
        present = await job.ends(after=60)
        job.now += 1000
        assert await job.collector.reread("a") is not None
        before, after = await caught_up(tmp_path, at, job.now)
        assert before == half
        assert says(after) == says(present)

    story(tmp_path, scenario)
