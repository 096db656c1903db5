"""The SQLite database answers from indexes, however much is stored."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.tasks import a_task

from miyabi.database import Save, TaskQuery, cursor_after
from miyabi.database import sqlite_reads as reads
from miyabi.database.sqlite import FILE_NAME, open_database
from miyabi.model import Status

STATUSES: tuple[Status | None, ...] = (None, "running")
QUERIES = [TaskQuery(*values) for values in product(STATUSES, (None, "p"), (None, "t"), (None, True, False))]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The file of a database that holds two tasks."""

    async def make() -> None:
        database = await open_database(tmp_path)
        await database.save([Save(a_task("a")), Save(a_task("b"))])
        await database.close()

    asyncio.run(make())
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        yield connection


def plan(file: sqlite3.Connection, sql: str, parameters: list[object]) -> list[str]:
    return [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]


def assert_bounded(steps: list[str]) -> None:
    text = "\n".join(steps)
    assert "TEMP B-TREE" not in text, text
    assert "AUTOMATIC" not in text, text
    for step in steps:
        if step.startswith("SCAN tasks"):
            assert step == "SCAN tasks USING INDEX tasks_by_age", text


@pytest.mark.parametrize("cursor", [None, cursor_after(a_task("a"))], ids=["first page", "later page"])
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_every_list_walks_along_an_index_and_sorts_nothing(
    file: sqlite3.Connection, query: TaskQuery, cursor: str | None
) -> None:
    steps = plan(file, *reads.listing(query, cursor, 51))
    assert_bounded(steps)
    equal = {"project_id": query.project_id, "task_type": query.task_type, "status": query.status or query.active}
    terms = " AND ".join(f"{column}=?" for column, value in equal.items() if value is not None)
    for step in steps:
        if terms and "tasks" in step:
            assert step.startswith("SEARCH tasks USING INDEX"), step
            assert f"({terms}" in step, step


@pytest.mark.parametrize("cursor", [None, cursor_after(a_task("a"))], ids=["first page", "later page"])
@pytest.mark.parametrize("query", [query for query in QUERIES if query.project_id is None], ids=str)
def test_a_list_within_some_projects_walks_along_an_index_of_each(
    file: sqlite3.Connection, query: TaskQuery, cursor: str | None
) -> None:
    steps = plan(file, *reads.listing(replace(query, projects=("p", "q")), cursor, 51))
    equal = {"project_id": True, "task_type": query.task_type, "status": query.status or query.active is not None}
    terms = " AND ".join(f"{column}=?" for column, value in equal.items() if value)
    walks = [step for step in steps if "USING INDEX" in step or "USING COVERING INDEX" in step]
    assert walks
    assert all(f"({terms}" in step for step in walks), steps
    assert not any(step.startswith(("SCAN tasks", "SCAN found")) or "AUTOMATIC" in step for step in steps), steps
    assert steps.count("USE TEMP B-TREE FOR ORDER BY") <= 2, steps  # the firsts of each are put in one order


@pytest.mark.parametrize("cursor", [None, "7"])
def test_a_history_walks_along_its_tasks_versions(file: sqlite3.Connection, cursor: str | None) -> None:
    steps = plan(file, *reads.versions("a", cursor, 51))
    assert_bounded(steps)
    assert any(step.startswith("SEARCH versions USING PRIMARY KEY (task_id=? AND timestamp<?)") for step in steps)


@pytest.mark.parametrize(
    ("sql", "parameters", "expected"),
    [
        ("SELECT body, seq FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?", [0, 9], "tasks_by_change (seq>?)"),
        (f"{reads.PROJECTS} WHERE project_id > ? ORDER BY project_id LIMIT ?", ["", 9], "(project_id>?)"),
        ("SELECT task_id FROM tasks WHERE ttl < ?", [9], "tasks_by_ttl (ttl<?)"),
    ],
)
def test_feeds_projects_and_the_forgotten_come_from_an_index(
    file: sqlite3.Connection, sql: str, parameters: list[object], expected: str
) -> None:
    (step,) = plan(file, sql, parameters)
    assert expected in step
