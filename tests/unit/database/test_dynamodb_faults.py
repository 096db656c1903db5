"""When DynamoDB is throttled, away, or answers into the void: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiodynamo.http.types import Request, Response
from tests.support.tasks import a_task, known, later

from miyabi.database import (
    Bookmark,
    Current,
    DatabaseUnavailable,
    ProjectRow,
    RecordTooLarge,
    Save,
    TaskQuery,
)
from miyabi.database.dynamodb_calls import GIVE_UP_SECONDS, LONGEST_SECONDS, RETRIES
from miyabi.database.dynamodb_items import MOST_BYTES
from miyabi.model import STATUSES, Project, Tally, Task

from .conftest import Bench, Place


async def a_life(bench: Bench, name: str) -> list[Task]:
    """Make a task, let it go on and end; all its versions."""
    versions = [a_task(name)]
    assert await bench.database.save([Save(versions[0], bookmark=Bookmark("0", b"r"))]) == [True]
    for n in range(1, 6):
        base = Current(versions[-1], Bookmark(str(n - 1), b"r"))
        status = "completed" if n == 5 else "running"
        versions.append(later(versions[-1], status=status, duration_seconds=float(n)))
        assert await bench.database.save([Save(versions[-1], base, Bookmark(str(n), b"r"))]) == [True]
    return versions


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_every_write_is_done_once_however_many_answers_fail(place: Place, rate: float) -> None:
    bench, before = place.open(seconds=120, seed=7), RETRIES.value

    async def scenario() -> None:
        bench.http.rate = rate
        lives = await asyncio.gather(*(a_life(bench, f"t{n}") for n in range(6)))
        found = await bench.database.get([f"t{n}" for n in range(6)])
        assert [known(current).task for current in found] == [life[-1] for life in lives]
        for n, life in enumerate(lives):
            assert (await bench.database.history(f"t{n}")).tasks == life[::-1]
        row = await bench.database.project("house")
        assert row
        assert row.tally == Tally(completed=6, completed_seconds=30)
        page = await bench.database.tasks(TaskQuery(status="completed"), limit=10)
        assert len(page.tasks) == 6
        assert len((await bench.database.changed()).tasks) == 6

    place.runner.run(scenario())
    assert bench.waits.pauses
    assert RETRIES.value == before + len(bench.waits.pauses)


def test_batches_are_asked_again_for_what_was_left_out(place: Place) -> None:
    bench = place.open(seconds=600, seed=1)

    async def scenario() -> None:
        tasks = [a_task(f"t{n}") for n in range(130)]
        await bench.database.save([Save(task, kept=False) for task in tasks])
        bench.http.rate = 0.3
        for _ in range(10):
            found = await bench.database.get([task.task_id for task in tasks])
            assert [known(current).task for current in found] == tasks

    place.runner.run(scenario())
    assert bench.http.seen.count("BatchGetItem") > 20


def test_when_nothing_answers_an_error_says_so_in_bounded_time(place: Place) -> None:
    bench = place.open()
    database, task = bench.database, a_task("a")

    async def scenario() -> None:
        assert await database.save([Save(task)]) == [True]
        bench.http.rate = 1.0
        for call in (
            lambda: database.get(["a"]),
            lambda: database.save([Save(later(task), Current(task))]),
            lambda: database.tasks(TaskQuery()),
            lambda: database.history("a"),
            lambda: database.changed(),
            lambda: database.wait("", 1),
            lambda: database.projects(),
            lambda: database.set_memo("m", "x"),
            database.ping,
        ):
            began = bench.waits.time
            with pytest.raises(DatabaseUnavailable, match="DynamoDB"):
                await call()
            assert bench.waits.time - began <= GIVE_UP_SECONDS * len(STATUSES)

    place.runner.run(scenario())
    assert max(bench.waits.pauses) <= LONGEST_SECONDS


def test_a_large_call_gives_up_when_its_first_tasks_do(place: Place) -> None:
    bench = place.open()
    bench.http.rate = 1.0

    async def scenario() -> None:
        with pytest.raises(DatabaseUnavailable):
            await bench.database.save([Save(a_task(f"t{n}")) for n in range(200)])

    place.runner.run(scenario())
    assert bench.waits.time <= 2 * GIVE_UP_SECONDS


def test_waits_grow_and_are_spread_out(place: Place) -> None:
    bench = place.open(seed=3)
    bench.http.rate, bench.http.only = 1.0, "GetItem"

    async def scenario() -> None:
        with pytest.raises(DatabaseUnavailable):
            await bench.database.ping()

    place.runner.run(scenario())
    pauses = bench.waits.pauses
    assert all(pause <= 0.05 * 2**n for n, pause in enumerate(pauses))
    assert len(set(pauses)) == len(pauses) > 5
    assert sum(pauses) <= 10


def test_a_record_that_is_too_large_is_refused_before_anything_is_sent(place: Place) -> None:
    bench = place.open()
    large = a_task("large", metadata={"text": "é" * (MOST_BYTES // 2)})
    small = a_task("small", metadata={"text": "x" * (MOST_BYTES - 2000)})

    async def scenario() -> None:
        with pytest.raises(RecordTooLarge, match="large is"):
            await bench.database.save([Save(a_task("fine")), Save(large)])
        with pytest.raises(RecordTooLarge):
            await bench.database.set_memo("m", "x" * MOST_BYTES)
        assert bench.http.seen == []
        assert await bench.database.save([Save(small, bookmark=Bookmark("1", b"r" * 500))]) == [True]

    place.runner.run(scenario())


def test_a_lost_answer_is_no_second_write(place: Place) -> None:
    bench = place.open(seconds=1000)

    async def scenario() -> None:
        task = a_task("a")
        project = Project(project_id="p", project_name="p", status="active", created_at="", updated_at="")
        bench.http.rate, bench.http.only = 0.7, "TransactWriteItems"
        assert await bench.database.save([Save(task)]) == [True]
        bench.http.only = "UpdateItem"
        assert await bench.database.save([Save(later(task), Current(task), kept=False)]) == [True]
        bench.http.only = "TransactWriteItems"
        assert await bench.database.save_project(project, new=True)
        row = await bench.database.project("house")
        assert row
        assert row.tally == Tally(running=1)
        assert await bench.database.project("p") == ProjectRow(project, Tally())

    place.runner.run(scenario())


@pytest.mark.parametrize("action", ["PutItem", "UpdateItem"])
def test_a_crash_between_a_version_and_the_state_that_follows_leaves_a_true_history(place: Place, action: str) -> None:
    bench, other = place.open(), place.open()

    async def scenario() -> None:
        task = a_task("a")
        await bench.database.save([Save(task)])
        place.clock.forward(5)
        bench.http.down = action
        with pytest.raises(DatabaseUnavailable):
            await bench.database.save([Save(later(task), Current(task))])
        assert (await other.database.history("a")).tasks == [task]
        assert await other.database.save([Save(later(task, by=2), Current(task))]) == [True]
        assert (await other.database.history("a")).tasks == [later(task, by=2), task]

    place.runner.run(scenario())


def test_two_that_write_at_the_same_millisecond_keep_one_version_and_it_is_the_winners(place: Place) -> None:
    benches = [place.open(), place.open()]

    async def scenario() -> None:
        for n in range(10):
            task = a_task(f"t{n}")
            await benches[0].database.save([Save(task)])
            saves = [Save(later(task, task_name=name), Current(task)) for name in ("one", "two")]
            kept = await asyncio.gather(
                *(bench.database.save([save]) for bench, save in zip(benches, saves, strict=True))
            )
            winner = saves[kept.index([True])].task
            assert sorted(kept) == [[False], [True]]
            assert (await benches[0].database.history(task.task_id)).tasks == [winner, task]
            assert known((await benches[0].database.get([task.task_id]))[0]).task == winner

    place.runner.run(scenario())


def test_a_history_whose_replacing_was_cut_short_is_replaced_when_the_save_is_made_again(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        task = a_task("a")
        await bench.database.save([Save(task)])
        versions = [later(task, by=n) for n in range(1, 60)]
        newest = later(task, by=99)
        save = Save(newest, Current(task), history=versions)
        bench.http.rate, bench.http.only = 1.0, "BatchWriteItem"
        with pytest.raises(DatabaseUnavailable):
            await bench.database.save([save])
        bench.http.rate = 0.0
        assert await bench.database.save([save]) == [True]
        assert (await bench.database.history("a", limit=100)).tasks == [newest, *versions[::-1]]

    place.runner.run(scenario())


def test_counts_stay_right_when_a_state_changed_under_the_same_timestamp(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        task = a_task("a")
        other = a_task("a", status="blocked")
        await bench.database.save([Save(task)])
        place.clock.forward(5)
        assert await bench.database.save([Save(other, Current(task))]) == [True]
        place.clock.forward(5)
        assert await bench.database.save([Save(later(task, status="failed"), Current(task))]) == [True]
        row = await bench.database.project("house")
        assert row
        assert row.tally == Tally(failed=1)

    place.runner.run(scenario())


def test_new_tasks_of_one_project_do_not_get_into_each_others_way(place: Place) -> None:
    """DynamoDB cancels a transaction that meets another one on the same item, and charges for it."""
    bench = place.open()
    to_network = bench.http.inner
    under_way: list[str] = []

    async def seen(request: Request) -> Response:
        body = json.loads(request.body or b"")
        parts = [part["Update"]["Key"] for part in body.get("TransactItems", ()) if "Update" in part]
        projects = [key["project_id"]["S"] for key in parts if "project_id" in key]
        assert not set(projects) & set(under_way)
        under_way.extend(projects)
        try:
            return await to_network(request)
        finally:
            for project in projects:
                under_way.remove(project)

    async def scenario() -> None:
        tasks = [a_task(f"t{n}", project_id=f"p{n % 2}") for n in range(12)]
        bench.http.inner = seen
        assert await bench.database.save([Save(task) for task in tasks]) == [True] * 12
        moved = [later(task, project_id=f"p{(n + 1) % 2}") for n, task in enumerate(tasks)]
        saves = [Save(new, Current(old)) for old, new in zip(tasks, moved, strict=True)]
        assert await asyncio.gather(*(bench.database.save([save]) for save in saves)) == [[True]] * 12

    place.runner.run(scenario())
