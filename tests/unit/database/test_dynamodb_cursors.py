"""A list read page by page while tasks change in between, by writers whose clocks differ."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.tasks import a_task, ids

from miyabi.database import Current, Save, TaskQuery, dynamodb_lists
from miyabi.database.dynamodb_cursors import ListPlace, list_number, read_cursor, write_cursor
from miyabi.database.dynamodb_lists import statuses
from miyabi.model import STATUSES, Status, Task, iso

from .conftest import Bench, Place

SKEW = 3000
"""Milliseconds by which the second writer's clock is behind; the third one's is as much ahead."""


@pytest.fixture(autouse=True)
def small_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few tasks shall need many reads, as many do with the usual ones."""
    monkeypatch.setattr(dynamodb_lists, "LEAST_CHUNK", 1)
    monkeypatch.setattr(dynamodb_lists, "MOST_READ", 12)


class Step(NamedTuple):
    """What happens between two requests: time passes, then a writer changes a task or makes one (``task`` -1)."""

    pause: int
    task: int
    status: Status
    writer: int


steps = st.builds(
    Step,
    st.sampled_from([0, 1, 40, 5000, 30_000]),
    st.integers(-1, 7),
    st.sampled_from([*STATUSES, *["running"] * 6]),
    st.integers(0, 2),
)
queries = st.sampled_from(
    [
        TaskQuery(),
        TaskQuery(active=True),
        TaskQuery(active=False),
        TaskQuery(status="running"),
        TaskQuery(project_id="house"),
        TaskQuery(project_id="house", active=True),
        TaskQuery(task_type="build"),
        TaskQuery(task_type="build", active=True),
    ]
)


class World:
    """Tasks as they are, beside the database that should know."""

    def __init__(self, place: Place, benches: list[Bench]) -> None:
        self.place, self.benches = place, benches
        self.tasks: dict[str, Task] = {}
        self.always: dict[str, bool] = {}

    async def step(self, step: Step, query: TaskQuery) -> None:
        now = self.place.clock.forward(step.pause)
        database = self.benches[step.writer].database
        names = sorted(self.tasks)
        if step.task < 0 or step.task >= len(names):
            task = self.new(step, now)
            assert await database.save([Save(task, kept=False)]) == [True]
        else:
            old = self.tasks[names[step.task]]
            stamp = max(now, old.timestamp + 1)
            task = replace(old, status=step.status, timestamp=stamp, updated_at=iso(stamp))
            assert await database.save([Save(task, Current(old), kept=False)]) == [True]
        before = self.always.get(task.task_id, False)
        self.tasks[task.task_id] = task
        self.always[task.task_id] = before and self.within(query, task)

    def new(self, step: Step, now: int) -> Task:
        number = len(self.tasks)
        fields: dict[str, Any] = {"status": step.status, "project_id": ("house", "garden")[number % 3 == 2]}
        fields |= {"task_type": ("build", "agent_execution")[number % 4 == 3]}
        made = iso(now)
        return a_task(f"t{number}", timestamp=now, created_at=made, updated_at=made, **fields)

    def begin(self, query: TaskQuery) -> None:
        """From now on a task is there all along if it is in the list and stays."""
        self.always = {name: self.within(query, task) for name, task in self.tasks.items()}

    def within(self, query: TaskQuery, task: Task) -> bool:
        return (
            task.status in statuses(query)
            and query.project_id in (None, task.project_id)
            and query.task_type in (None, task.task_type)
        )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=queries,
    before=st.lists(steps, min_size=10, max_size=24),
    between=st.lists(st.lists(steps, max_size=4), max_size=8),
    limit=st.integers(1, 4),
    rest=st.sampled_from([0, 4000, 30_000]),
)
def test_nothing_that_was_there_all_along_is_left_out_or_comes_twice(
    place: Place,
    query: TaskQuery,
    before: list[Step],
    between: list[list[Step]],
    limit: int,
    rest: int,
) -> None:
    place.renew()
    benches = [place.open(skew=skew) for skew in (0, -SKEW, SKEW)]
    world = World(place, benches)

    async def scenario() -> None:
        for step in before:
            await world.step(step, query)
        place.clock.forward(rest)
        world.begin(query)
        found: list[Task] = []
        pages, cursor = iter(between), None
        while True:
            page = await benches[0].database.tasks(query, cursor=cursor, limit=limit)
            assert len(page.tasks) <= limit
            found += page.tasks
            if (cursor := page.next) is None:
                break
            for step in next(pages, []):
                await world.step(step, query)
        assert len(set(ids(found))) == len(found)
        assert [t.created_at for t in found] == sorted((t.created_at for t in found), reverse=True)
        assert {name for name, there in world.always.items() if there} <= set(ids(found))

    place.runner.run(scenario())


def test_pages_are_whole_while_tasks_move_during_the_reading(place: Place) -> None:
    bench, writer = place.open(), place.open()

    async def scenario() -> None:
        tasks = [a_task(f"t{n:02}", age=n) for n in range(30)]
        await bench.database.save([Save(task, kept=False) for task in tasks])
        stop = asyncio.Event()

        async def churn() -> None:
            current = {task.task_id: task for task in tasks}
            order = list(STATUSES)
            n = 0
            while not stop.is_set():
                task = current[f"t{n % 30:02}"]
                n += 7
                place.clock.forward(3)
                new = replace(task, timestamp=task.timestamp + 1, status=order[n % 6])
                assert await writer.database.save([Save(new, Current(task), kept=False)]) == [True]
                current[task.task_id] = new

        churning = asyncio.create_task(churn())
        for _ in range(5):
            found: list[str] = []
            cursor = None
            while True:
                page = await bench.database.tasks(TaskQuery(), cursor=cursor, limit=4)
                found += ids(page.tasks)
                if (cursor := page.next) is None:
                    break
            assert found == [f"t{n:02}" for n in reversed(range(30))]
        stop.set()
        await churning

    place.runner.run(scenario())


def test_a_page_reads_no_more_than_it_needs_however_much_is_stored(place: Place) -> None:
    bench = place.open()

    async def scenario() -> list[int]:
        costs = []
        for size in (100, 400):
            made = []
            for n in range(size - 100 if size > 100 else 0, size):
                now = place.clock.forward(60_000)
                made.append(a_task(f"t{n}", timestamp=now, created_at=iso(now), updated_at=iso(now)))
                await bench.database.save([Save(made[-1], kept=False)])
            bench.http.seen.clear()
            await bench.database.tasks(TaskQuery(active=True), limit=10)
            costs.append(len(bench.http.seen))
        return costs

    few, many = place.runner.run(scenario())
    assert few == many


@pytest.mark.parametrize("other", [TaskQuery(status="failed"), TaskQuery(project_id="p"), TaskQuery(active=True)])
def test_a_cursor_of_another_list_is_refused(other: TaskQuery) -> None:
    place = ListPlace(list_number(TaskQuery()), "", "", iso(0), "")
    assert read_cursor(write_cursor(place), TaskQuery()) == place
    with pytest.raises(ValueError, match="another list"):
        read_cursor(write_cursor(place), other)


@given(cursor=st.text(max_size=60))
def test_rubbish_is_no_cursor(cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        read_cursor(cursor, TaskQuery())


def test_a_change_by_a_writer_whose_clock_is_behind_leaves_nothing_out(place: Place) -> None:
    bench, behind = place.open(), place.open(skew=-SKEW)

    async def scenario() -> None:
        tasks = []
        for n in range(6):
            now = place.clock.forward(60_000)
            tasks.append(a_task(f"t{n}", timestamp=now, created_at=iso(now), updated_at=iso(now)))
            await bench.database.save([Save(tasks[-1], kept=False)])
        place.clock.forward(60_000)
        page = await bench.database.tasks(TaskQuery(status="running"), limit=2)
        changed = replace(tasks[0], timestamp=tasks[0].timestamp + 1)
        await behind.database.save([Save(changed, Current(tasks[0]), kept=False)])
        found = ids(page.tasks)
        while page.next:
            page = await bench.database.tasks(TaskQuery(status="running"), cursor=page.next, limit=2)
            found += ids(page.tasks)
        assert found == ["t5", "t4", "t3", "t2", "t1", "t0"]

    place.runner.run(scenario())
