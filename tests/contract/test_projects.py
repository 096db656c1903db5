"""What every database promises of projects and of the counts of their tasks."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.tasks import START, a_task, known, later

from miyabi.database import Current, Database, ProjectRow, Save, TaskQuery
from miyabi.model import STATUSES, Project, Status, Tally, Task, iso


def a_project(project_id: str, **fields: str) -> Project:
    usual: dict[str, Any] = {
        "project_name": project_id,
        "status": "active",
        "created_at": iso(START),
        "updated_at": iso(START),
    }
    return Project(project_id=project_id, **(usual | fields))


async def row(database: Database, project_id: str) -> ProjectRow:
    found = await database.project(project_id)
    assert found is not None
    return found


async def test_a_project_comes_back_as_it_was_saved(database: Database) -> None:
    project = a_project("house", description="進捗", owner="me")
    assert await database.save_project(project)
    assert await database.project("house") == ProjectRow(project, Tally())
    assert await database.project("nobody") is None


async def test_a_project_that_must_be_new_is_not_written_over(database: Database) -> None:
    assert await database.save_project(a_project("house"), new=True)
    assert not await database.save_project(a_project("house", project_name="other"), new=True)
    assert (await row(database, "house")).project.project_name == "house"


async def test_a_project_changes_and_keeps_its_counts(database: Database) -> None:
    await database.save([Save(a_task("a"))])
    assert await database.save_project(a_project("house", project_name="The house"))
    found = await row(database, "house")
    assert (found.project.project_name, found.tally.running) == ("The house", 1)


async def test_a_task_makes_its_project_named_by_its_id(database: Database) -> None:
    task = a_task("a", project_id="garden")
    await database.save([Save(task)])
    project = (await row(database, "garden")).project
    assert (project.project_name, project.status, project.created_at) == ("garden", "active", task.updated_at)


async def test_a_task_leaves_the_project_that_is_there_as_it_is(database: Database) -> None:
    await database.save_project(a_project("house", project_name="The house"))
    await database.save([Save(a_task("a"))])
    assert (await row(database, "house")).project.project_name == "The house"


async def test_the_counts_follow_a_task_through_its_states(database: Database) -> None:
    base = Current(a_task("a", status="pending"))
    await database.save([Save(base.task)])
    for status in ("running", "blocked", "failed", "running", "completed"):
        task = later(base.task, status=status, duration_seconds=2.5)
        await database.save([Save(task, base)])
        base = Current(task)
        tally = (await row(database, "house")).tally
        assert {name: getattr(tally, name) for name in STATUSES} == {name: int(name == status) for name in STATUSES}
    assert (await row(database, "house")).tally.completed_seconds == 2.5


async def test_a_task_that_moves_takes_its_count_along(database: Database) -> None:
    base = Current(a_task("a", status="completed", duration_seconds=3))
    await database.save([Save(base.task)])
    await database.save([Save(later(base.task, project_id="garden"), base)])
    assert (await row(database, "house")).tally == Tally()
    assert (await row(database, "garden")).tally == Tally(completed=1, completed_seconds=3)


async def test_of_some_named_projects_those_that_are_there_are_listed(database: Database) -> None:
    for name in ("shed", "house", "garden", "attic"):
        await database.save_project(a_project(name))
    only = ("garden", "nowhere", "shed", "house", "garden")
    rows, cursor = await database.projects(limit=2, only=only)
    assert [row.project.project_id for row in rows] == ["garden", "house"]
    rows, cursor = await database.projects(cursor=cursor, limit=2, only=only)
    assert ([row.project.project_id for row in rows], cursor) == (["shed"], None)
    assert await database.projects(only=()) == ([], None)


async def test_projects_are_listed_by_id_page_after_page(database: Database) -> None:
    for name in ("c", "a", "e", "b", "d"):
        await database.save_project(a_project(name))
    first, cursor = await database.projects(limit=3)
    rest, end = await database.projects(cursor=cursor, limit=3)
    assert [found.project.project_id for found in [*first, *rest]] == ["a", "b", "c", "d", "e"]
    assert end is None
    assert (await database.projects(limit=5))[1] is None


async def test_a_listed_project_carries_its_counts(database: Database) -> None:
    await database.save([Save(a_task("a")), Save(a_task("b", status="failed"))])
    (found,), _ = await database.projects()
    assert found.tally == Tally(running=1, failed=1)


async def test_a_cursor_nobody_gave_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await database.projects(cursor="no such\n")


class Write(NamedTuple):
    task: int
    status: Status
    project: str
    seconds: float


writes = st.builds(
    Write,
    st.integers(0, 4),
    st.sampled_from(STATUSES),
    st.sampled_from(["p", "q"]),
    st.floats(0, 1e6).map(lambda seconds: round(seconds, 3)),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(writes, min_size=1, max_size=5), min_size=1, max_size=6))
def test_the_counts_are_those_of_the_tasks_whatever_was_written(
    runner: asyncio.Runner, database: Database, batches: list[list[Write]]
) -> None:
    async def scenario() -> None:
        run = (await database.changed(limit=0)).next
        for batch in batches:
            for write in batch:
                await database.save([await save_of(database, run, write)])
        for name in ("p", "q"):
            found = await database.project(f"{name}{run}")
            tasks = (await database.tasks(TaskQuery(project_id=f"{name}{run}"))).tasks
            assert (found.tally if found else Tally()) == counted(tasks)

    runner.run(scenario())


async def save_of(database: Database, run: str, write: Write) -> Save:
    task_id = f"t{write.task}-{run}"
    fields: dict[str, Any] = {
        "status": write.status,
        "project_id": write.project + run,
        "duration_seconds": write.seconds,
    }
    (base,) = await database.get([task_id])
    return Save(later(known(base).task, **fields), base) if base else Save(a_task(task_id, **fields))


def counted(tasks: list[Task]) -> Tally:
    counts = {status: sum(task.status == status for task in tasks) for status in STATUSES}
    seconds = sum(task.duration_seconds or 0 for task in tasks if task.status == "completed")
    return Tally(**counts, completed_seconds=round(seconds, 3))
