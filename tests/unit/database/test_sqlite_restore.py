"""The embedded database as it was at any moment, made beside the one that goes on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.support.tasks import START, a_task, later

from miyabi.database import LINES_READ, Bookmark, Current, ProjectRow, Save, TaskQuery
from miyabi.database.restore import NotRestored, Restored, Told
from miyabi.database.sqlite import FILE_NAME, SqliteDatabase, open_database
from miyabi.database.sqlite_check import faults_of
from miyabi.database.sqlite_past import Past
from miyabi.database.sqlite_restore import HALF, restore
from miyabi.database.sqlite_schema import SCHEMA
from miyabi.model import STATUSES, Progress, Project, Task, iso

DAY = 24 * 3600 * 1000
OLD_SCHEMA = next(n for n, statement in enumerate(SCHEMA) if "TABLE marks" in statement)


def quiet(what: str, done: int = 0, total: int | None = None) -> None:
    """Take no notice of how far it is."""


def restored(data: Path, at: int, *, now: int | None = None, name: str = "then") -> Restored:
    return restore(data, data / name, at, now or max(at, START + DAY), quiet)


def project(name: str, at: int, description: str | None = None) -> Project:
    time = iso(at)
    return Project(
        project_id=name, project_name=name, status="active", description=description, created_at=time, updated_at=time
    )


class Event(Struct):
    """A task's state as it was saved, in the model of what the database should know."""

    at: int
    task: Task
    mark: Bookmark | None
    kept: bool
    before_reread: bool = False


class Model:
    """What was saved when, told to a real database as well."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self.time = START
        self.events: dict[str, list[Event]] = {}
        self.projects: list[Project] = []

    async def do(self, what: str, name: str, pause: int, number: int) -> None:
        """One thing that happens, ``pause`` ms after the one before."""
        self.time += pause
        if what == "project":
            self.projects.append(project(f"p{number % 3}", self.time, description=f"{self.time}"))
            assert await self.database.save_project(self.projects[-1])
        elif name not in self.events:
            await self._save(name, self._new(name, f"p{number % 3}"), kept=True)
        elif what == "mark":
            await self._mark(name, number)
        else:
            self.time += self.events[name][-1].at >= self.time
            await self._change(what, name, number)

    def _new(self, name: str, project_id: str) -> Task:
        time = iso(self.time)
        return a_task(name, timestamp=self.time, created_at=time, updated_at=time, project_id=project_id)

    async def _mark(self, name: str, number: int) -> None:
        last = self.events[name][-1]
        mark = Bookmark(f"{number}m{self.time}", b"r")
        assert await self.database.save([Save(last.task, Current(last.task, last.mark), mark, kept=False)]) == [True]
        last.mark = mark

    async def _change(self, what: str, name: str, number: int) -> None:
        last = self.events[name][-1].task
        task = replace(last, timestamp=self.time, updated_at=iso(self.time), progress=Progress.of(number, 100))
        if what == "status":
            status = STATUSES[number % len(STATUSES)]
            task = replace(task, status=status, project_id=f"p{number % 3}", duration_seconds=number / 7)
        history = [later(last, by=-2, task_name="told anew")] if what == "reread" else None
        await self._save(name, task, kept=what != "progress", history=history)

    async def _save(self, name: str, task: Task, *, kept: bool, history: Sequence[Task] | None = None) -> None:
        events = self.events.setdefault(name, [])
        last = events[-1] if events else None
        mark = Bookmark(f"{len(events)}", f"{self.time}".encode())
        base = Current(last.task, last.mark) if last else None
        assert await self.database.save([Save(task, base, mark, kept=kept, history=history)]) == [True]
        if last and history is not None:
            last.before_reread = True
        events.append(Event(self.time, task, mark, kept))

    def states(self, at: int) -> dict[str, Task]:
        """Each task as it was at that time, but for numbers that no version was kept for."""
        found: dict[str, Task] = {}
        for name, events in self.events.items():
            then = [event for event in events if event.at <= at]
            known = [e for e in then if e.kept or e is events[-1] or (e.before_reread and e is then[-1])]
            if known:
                found[name] = known[-1].task
        return found

    def records(self, at: int) -> dict[str, Project]:
        """The projects that were saved by then."""
        return {project.project_id: project for project in self.projects if project.updated_at <= iso(at)}

    def made(self, at: int) -> set[str]:
        """The projects that tasks had made by then."""
        return {event.task.project_id for events in self.events.values() for event in events if event.at <= at}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["progress", "progress", "status", "name", "mark", "reread", "project"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([0, 1, 400, 5000]),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, part=st.floats(0, 1), nudge=st.integers(-1, 1))
def test_any_moment_comes_back_as_it_was(steps: list[tuple[str, str, int, int]], part: float, nudge: int) -> None:
    async def scenario(data: Path) -> None:
        database = await open_database(data)
        model = Model(database)
        for step in steps:
            await model.do(*step)
        at = max(START, START + round(part * (model.time - START)) + nudge)
        states, records = model.states(at), model.records(at)
        if not states and not records:
            with pytest.raises(NotRestored, match="held nothing"):
                restored(data, at)
        else:
            report = restored(data, at)
            assert report.wrong == []
            await assert_is(data / "then", states, records, model.made(at))
        await database.close()

    with TemporaryDirectory() as folder:
        asyncio.run(scenario(Path(folder)))


async def assert_is(
    folder: Path, states: dict[str, Task], records: dict[str, Project], made: Iterable[str] = ()
) -> None:
    """The database in ``folder`` holds these tasks and projects, and counts them right."""
    database = await open_database(folder)
    page = await database.tasks(TaskQuery(), limit=100)
    assert {task.task_id: task for task in page.tasks} == states
    rows: list[ProjectRow] = (await database.projects())[0]
    assert {row.project.project_id for row in rows} == {
        *records,
        *made,
        *(task.project_id for task in states.values()),
    }
    for row in rows:
        name = row.project.project_id
        mine = Counter(task.status for task in states.values() if task.project_id == name)
        assert {status: getattr(row.tally, status) for status in STATUSES} == {s: mine[s] for s in STATUSES}
        assert name not in records or row.project == records[name]
    await database.close()


def run(data: Path, *saves: Save | Project) -> None:
    """Save these one after the other, and close."""

    async def scenario() -> None:
        database = await open_database(data)
        for save in saves:
            if isinstance(save, Project):
                assert await database.save_project(save)
            else:
                assert await database.save([save]) == [True]
        await database.set_memo(LINES_READ, "99")
        await database.set_memo("runs-x", "[]")
        await database.close()

    asyncio.run(scenario())


def two_versions(data: Path) -> tuple[Task, Task]:
    first = a_task("a")
    second = later(first, by=5000, status="completed", task_name="renamed")
    marks = Bookmark("1", b"one"), Bookmark("2", b"two")
    run(data, Save(first, bookmark=marks[0]), Save(second, Current(first, marks[0]), marks[1]))
    return first, second


def test_a_version_comes_back_with_the_bookmark_that_was_saved_with_it(tmp_path: Path) -> None:
    first, _ = two_versions(tmp_path)
    report = restored(tmp_path, START + 4999)
    assert (report.right, report.tasks, report.versions, report.checked) == (True, 1, 1, 1)

    async def scenario() -> None:
        database = await open_database(tmp_path / "then")
        assert await database.get(["a"]) == [Current(first, Bookmark("1", b"one"))]
        assert (await database.history("a")).tasks == [first]
        assert [await database.memo(name) for name in (LINES_READ, "runs-x")] == ["", "[]"]
        await database.close()

    asyncio.run(scenario())


def test_viewers_of_the_old_database_see_every_task_of_the_restored_one(tmp_path: Path) -> None:
    two_versions(tmp_path)
    restored(tmp_path, START)

    async def scenario() -> None:
        old = await open_database(tmp_path)
        new = await open_database(tmp_path / "then")
        place = (await old.changed(limit=0)).next
        assert [task.timestamp for task in (await new.changed(place)).tasks] == [START]
        await old.close()
        await new.close()

    asyncio.run(scenario())


def test_a_restored_database_can_be_restored_again(tmp_path: Path) -> None:
    first, _ = two_versions(tmp_path)
    restored(tmp_path, START + 5000)
    report = restored(tmp_path / "then", START + 4000)
    assert (report.right, report.tasks) == (True, 1)
    asyncio.run(assert_is(tmp_path / "then" / "then", {"a": first}, {}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM tasks", "0 tasks came back of 1"),
        ("UPDATE tasks SET body = (SELECT replace(body, 'renamed', 'other') FROM tasks)", "newest version"),
        ("UPDATE tasks SET status = 'failed'", "stands in the lists"),
        ("DELETE FROM versions WHERE timestamp < 1795000005000", "history"),
        ("UPDATE projects SET completed = completed + 1", "counts"),
        ("UPDATE projects SET completed_ms = 7", "counts"),
        ("DELETE FROM projects", "is missing"),
        ("UPDATE projects SET body = replace(body, 'active', 'paused') WHERE project_id = 'p'", "not what it was"),
    ],
)
def test_the_check_finds_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, words: str
) -> None:
    two_versions(tmp_path)
    run(tmp_path, project("p", START))

    def damaged(past: Past, target: sqlite3.Connection, told: Told) -> list[str]:
        target.execute(damage)
        return faults_of(past, target, told)

    monkeypatch.setattr("miyabi.database.sqlite_restore.faults_of", damaged)
    report = restored(tmp_path, START + 6000)
    assert not report.right
    assert any(words in line for line in report.wrong), report.wrong


def test_nothing_is_overwritten_and_what_was_left_half_made_is_named(tmp_path: Path) -> None:
    two_versions(tmp_path)
    (tmp_path / "then").mkdir()
    with pytest.raises(NotRestored, match="is there already"):
        restored(tmp_path, START)
    (tmp_path / f"other{HALF}").mkdir()
    with pytest.raises(NotRestored, match=f"other{HALF} was left"):
        restored(tmp_path, START, name="other")


@pytest.mark.parametrize(
    ("at", "now"), [(START - 1, START + DAY), (START + 2 * DAY, START + DAY), (START, START + 36 * DAY)]
)
def test_a_time_at_which_nothing_can_be_restored_is_refused_and_leaves_nothing(
    tmp_path: Path, at: int, now: int
) -> None:
    two_versions(tmp_path)
    with pytest.raises(NotRestored):
        restored(tmp_path, at, now=now)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_folder_without_a_database_is_refused_and_stays_without(tmp_path: Path) -> None:
    with pytest.raises(NotRestored, match="no database"):
        restored(tmp_path, START)
    assert list(tmp_path.iterdir()) == []


def old_file(data: Path) -> None:
    """A file as an older miyabi wrote it, with a task and a project in it."""
    new = data / "new"
    first = a_task("a")
    run(new, Save(first, bookmark=Bookmark("1", b"one")), project("p", START))
    with closing(sqlite3.connect(data / FILE_NAME, isolation_level=None)) as old:
        for statement in SCHEMA[:OLD_SCHEMA]:
            old.execute(statement)
        old.execute("ATTACH ? AS new", (str(new / FILE_NAME),))
        for table in ("tasks", "projects"):
            old.execute(f"INSERT INTO {table} SELECT * FROM new.{table}")
        old.execute("INSERT INTO versions SELECT task_id, timestamp, body FROM new.versions")
        old.execute(f"PRAGMA user_version = {OLD_SCHEMA}")
        old.execute("PRAGMA journal_mode = WAL")
    shutil.rmtree(new)


def test_a_file_of_an_older_miyabi_opens_and_can_be_restored_from_then_on(tmp_path: Path) -> None:
    old_file(tmp_path)
    with pytest.raises(NotRestored, match="older miyabi"):
        restored(tmp_path, START)
    run(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as file:
        since = file.execute("SELECT since FROM recovery").fetchone()[0]
    with pytest.raises(NotRestored, match="only what was between"):
        restored(tmp_path, since - 1, now=since + 5)
    report = restored(tmp_path, since, now=since + 5)
    assert (report.right, report.tasks, report.projects) == (True, 1, 2)
    asyncio.run(assert_is(tmp_path / "then", {"a": a_task("a")}, {"p": project("p", START)}))
