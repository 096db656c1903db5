"""What the embedded stores do when the process, the disk or a neighbour fails."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from tests.support import store_writer
from tests.support.disk import fill, small_disk
from tests.support.store_writer import GROUP, STREAM, batch, is_whole
from tests.support.tasks import a_task, known, later

from miyabi.database import Current, Database, DatabaseFull, DatabaseUnavailable, Save, TaskQuery
from miyabi.database.sqlite import open_database
from miyabi.logs import Logs, LogsFull, LogsUnavailable
from miyabi.logs.local import open_logs
from miyabi.model import STATUSES, NewEvent

KILLS = 30


async def until_refused(write: Callable[[int], Awaitable[object]]) -> tuple[int, Exception]:
    """Write until that fails: how often it went well, and the error."""
    for number in count():
        try:
            await write(number)
        except Exception as error:
            return number, error
    raise AssertionError


def lines(many: int, length: int = 1000) -> list[NewEvent]:
    return [NewEvent(1, f"{number} ".ljust(length, "x")) for number in range(many)]


async def whole(logs: Logs, stream: str = STREAM) -> list[str]:
    found: list[str] = []
    place = ""
    while (page := await logs.read(GROUP, stream, after=place, limit=10_000)).events:
        found += [event.message for event in page.events]
        place = page.next
    return found


def killed_after(folder: Path, first: int, acknowledgements: int) -> int:
    """Kill a writer after so many acknowledgements; the first batch that was not acknowledged."""
    command = [sys.executable, "-m", "tests.support.store_writer", str(folder), str(first)]
    environment = os.environ | {"PYTHONPATH": str(Path(store_writer.__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        for _ in range(acknowledgements):
            assert process.stdout.readline()
        process.kill()
        rest = process.stdout.readlines()
    return first + acknowledgements + len([line for line in rest if line.endswith("\n")])


def test_killed_at_any_moment_every_acknowledged_line_is_there_once_and_the_task_is_whole(tmp_path: Path) -> None:
    chance = random.Random(20)
    first = 0
    for _ in range(KILLS):
        first = killed_after(tmp_path, first, chance.randrange(12))
    asyncio.run(_check(tmp_path, first))


async def _check(folder: Path, acknowledged: int) -> None:
    logs, database = await open_logs(folder), await open_database(folder)
    found = await whole(logs)
    expected = [line for number in range(acknowledged) for line in batch(number)]
    unsure = batch(acknowledged)
    assert found[: len(expected)] == expected
    assert found[len(expected) :] in ([], unsure)
    current = known((await database.get([STREAM]))[0])
    assert is_whole(current)
    assert current.task.progress.current in (acknowledged - 1, acknowledged)
    row = await database.project("house")
    assert row is not None
    assert [getattr(row.tally, status) for status in STATUSES] == [int(s == current.task.status) for s in STATUSES]
    await asyncio.gather(logs.close(), database.close())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


def test_a_full_disk_refuses_lines_keeps_the_acknowledged_and_takes_them_when_there_is_room(disk: Path) -> None:
    async def scenario() -> None:
        logs = await open_logs(disk)
        ballast = disk / "ballast"
        ballast.write_bytes(b"\0" * 1_000_000)
        stored, error = await until_refused(lambda _: logs.append(GROUP, STREAM, lines(50)))
        stored *= 50
        assert isinstance(error, LogsFull)
        assert re.match(r"There is no room left for .*logs\.db\. Free some space", str(error))
        assert stored > 0
        assert len(await whole(logs)) == stored
        ballast.unlink()
        assert await logs.append(GROUP, STREAM, lines(50)) == 50
        assert await whole(logs) == [event.message for event in lines(50)] * (stored // 50 + 1)
        await logs.close()

    asyncio.run(scenario())


def test_on_a_full_disk_all_that_write_at_once_are_told(disk: Path) -> None:
    async def scenario() -> None:
        logs = await open_logs(disk)
        calls = [logs.append(GROUP, str(n), lines(100)) for n in range(100)]
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [answer for answer in answers if answer != 100]
        assert refused
        assert all(isinstance(answer, LogsFull) for answer in refused)
        for number, answer in enumerate(answers):
            assert len(await whole(logs, str(number))) == (100 if answer == 100 else 0)
        await logs.close()

    asyncio.run(scenario())


def test_a_full_disk_refuses_tasks_and_keeps_the_acknowledged(disk: Path) -> None:
    async def scenario() -> None:
        database = await open_database(disk)
        ballast = fill(disk)
        kept, error = await until_refused(
            lambda number: database.save([Save(a_task(f"t{number}", description="x" * 4000))])
        )
        assert isinstance(error, DatabaseFull)
        assert re.match(r"There is no room left for .*tasks\.db\. Free some space", str(error))
        assert len((await database.tasks(TaskQuery(), limit=1000)).tasks) == kept
        ballast.unlink()
        assert await database.save([Save(a_task("more"))]) == [True]
        await database.close()

    asyncio.run(scenario())


def test_stores_are_not_opened_on_a_full_disk(disk: Path) -> None:
    fill(disk)
    with pytest.raises(LogsFull, match=r"logs\.db"):
        asyncio.run(open_logs(disk))
    with pytest.raises(DatabaseFull, match=r"tasks\.db"):
        asyncio.run(open_database(disk))


def test_a_file_that_another_process_holds_locked_is_readable_and_says_so_to_writers(tmp_path: Path) -> None:
    async def scenario() -> None:
        logs, database = await open_logs(tmp_path, lock_seconds=0.05), await open_database(tmp_path, lock_seconds=0.05)
        await logs.append(GROUP, STREAM, lines(1))
        for name, write, error in (
            ("logs.db", lambda: logs.append(GROUP, STREAM, lines(1)), LogsUnavailable),
            ("tasks.db", lambda: database.save([Save(a_task("a"))]), DatabaseUnavailable),
        ):
            with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as neighbour:
                neighbour.execute("BEGIN IMMEDIATE")
                with pytest.raises(error, match=rf"{name} is locked by another process"):
                    await write()
                assert len(await whole(logs)) >= 1
            await write()
        await asyncio.gather(logs.close(), database.close())

    asyncio.run(scenario())


Open = Callable[[Path], Coroutine[None, None, Logs | Database]]
STORES = pytest.mark.parametrize(
    ("open_store", "name", "error"),
    [(open_logs, "logs.db", LogsUnavailable), (open_database, "tasks.db", DatabaseUnavailable)],
)


@STORES
def test_a_file_that_is_no_database_is_named_and_not_touched(
    tmp_path: Path, open_store: Open, name: str, error: type[Exception]
) -> None:
    (tmp_path / name).write_bytes(b"something else " * 1000)
    with pytest.raises(error, match=rf"{name} is damaged.*Move it away"):
        asyncio.run(open_store(tmp_path))
    assert (tmp_path / name).read_bytes() == b"something else " * 1000


@STORES
def test_a_file_of_a_newer_version_is_left_alone(
    tmp_path: Path, open_store: Open, name: str, error: type[Exception]
) -> None:
    with closing(sqlite3.connect(tmp_path / name)) as newer:
        newer.execute("PRAGMA user_version = 999")
    with pytest.raises(error, match=rf"{name} was written by a newer miyabi \(schema 999.*Upgrade"):
        asyncio.run(open_store(tmp_path))


@STORES
@pytest.mark.parametrize("taken", ["the folder", "the file"])
def test_a_place_that_cant_be_written_is_named(
    tmp_path: Path, open_store: Open, name: str, error: type[Exception], taken: str
) -> None:
    if taken == "the folder":
        (tmp_path / "data").write_text("a file")
    else:
        (tmp_path / "data" / name).mkdir(parents=True)
    with pytest.raises(error, match=rf"{name} can't be written.*--data"):
        asyncio.run(open_store(tmp_path / "data"))


def test_a_page_that_went_bad_is_an_error_and_no_wrong_line(tmp_path: Path) -> None:
    async def scenario() -> None:
        logs = await open_logs(tmp_path)
        for _ in range(10):
            await logs.append(GROUP, STREAM, lines(100))
        await logs.close()
        with (tmp_path / "logs.db").open("r+b") as file:
            file.seek(16 * 4096)
            file.write(b"\xff" * 100 * 4096)
        logs = await open_logs(tmp_path)
        with pytest.raises(LogsUnavailable, match=r"logs\.db is damaged"):
            await whole(logs)
        await logs.close()

    asyncio.run(scenario())


def test_several_processes_start_on_an_empty_folder_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        opened = await asyncio.gather(*(open_logs(tmp_path / "new") for _ in range(8)))
        await asyncio.gather(*(logs.append(GROUP, STREAM, lines(2)) for logs in opened))
        assert len(await whole(opened[0])) == 16
        await asyncio.gather(*(logs.close() for logs in opened))

    asyncio.run(scenario())


def test_two_hundred_writers_of_three_processes_share_the_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        opened = [await open_database(tmp_path) for _ in range(3)]
        first = [a_task(f"t{n}") for n in range(200)]
        await asyncio.gather(*(opened[n % 3].save([Save(task)]) for n, task in enumerate(first)))
        await asyncio.gather(*(opened[n % 3].save([Save(later(task), Current(task))]) for n, task in enumerate(first)))
        row = await opened[0].project("house")
        assert row is not None
        assert row.tally.running == 200
        assert (await opened[1].changed(limit=0)).next == "400"
        await asyncio.gather(*(database.close() for database in opened))

    asyncio.run(scenario())


def test_a_value_that_went_bad_in_a_sound_file_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        logs, database = await open_logs(tmp_path), await open_database(tmp_path)
        await asyncio.gather(logs.append(GROUP, STREAM, lines(1)), database.save([Save(a_task("a"))]))
        for name, spoil in (("logs.db", "UPDATE chunks SET data = x'c1'"), ("tasks.db", "UPDATE tasks SET body = '{'")):
            with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as neighbour:
                neighbour.execute(spoil)
        for limit in (1, 10_000):
            with pytest.raises(LogsUnavailable, match=r"logs\.db is damaged"):
                await logs.read(GROUP, STREAM, limit=limit)
        with pytest.raises(DatabaseUnavailable, match=r"tasks\.db is damaged"):
            await database.tasks(TaskQuery())
        with pytest.raises(DatabaseUnavailable, match=r"tasks\.db is damaged"):
            await database.get(["a"])
        await asyncio.gather(logs.close(), database.close())

    asyncio.run(scenario())


def test_a_file_that_was_removed_while_in_use_is_missed(tmp_path: Path) -> None:
    async def scenario() -> None:
        logs = await open_logs(tmp_path)
        await logs.ping()
        (tmp_path / "logs.db").unlink()
        with pytest.raises(LogsUnavailable, match=r"logs\.db was removed while in use\. Restart"):
            await logs.ping()
        await logs.close()

    asyncio.run(scenario())
