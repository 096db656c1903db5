"""The writer's thread: calls share a commit, and no call's failure is another's."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from miyabi.sqlite import Errors, File, open_file
from miyabi.sqlite.connection import connect_writer
from miyabi.sqlite.writer import Writer


class Unavailable(Exception):
    """Stands for a room's error."""


class Full(Unavailable):
    """Stands for a room's error when the disk is full."""


def tell(tmp_path: Path, story: Callable[[File], Awaitable[None]]) -> None:
    async def run() -> None:
        file = await open_file(tmp_path / "x.db", ["CREATE TABLE t (x UNIQUE)"], Errors(Unavailable, Full))
        try:
            await story(file)
        finally:
            await file.close()

    asyncio.run(run())


def put(value: int) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (value,)).rowcount


def _first(x: int) -> int:
    return x


def stored(file: File) -> list[int]:
    return file.rows(_first, "SELECT x FROM t ORDER BY x")


def test_calls_that_wait_together_share_one_commit(tmp_path: Path) -> None:
    async def run() -> None:
        commits: list[str] = []
        connection = connect_writer(tmp_path / "x.db", ["CREATE TABLE t (x)"], lock_seconds=1)
        writer = Writer(connection, 1, lambda: commits.append("one more"))
        gate = threading.Event()
        first = asyncio.create_task(writer.run(lambda _: gate.wait(10)))
        rest = [asyncio.create_task(writer.run(put(n))) for n in range(100)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, *rest)
        writer.close()
        assert 1 <= len(commits) <= 2

    asyncio.run(run())


def test_a_call_that_fails_leaves_no_trace_and_disturbs_no_other(tmp_path: Path) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (7)")
        raise LookupError("mine")

    async def story(file: File) -> None:
        answers = await asyncio.gather(
            file.write(put(1)), file.write(fails), file.write(put(2)), return_exceptions=True
        )
        assert [answers[0], answers[2]] == [1, 1]
        assert isinstance(answers[1], LookupError)
        assert stored(file) == [1, 2]

    tell(tmp_path, story)


def test_an_error_of_the_file_is_the_rooms_and_names_it(tmp_path: Path) -> None:
    async def story(file: File) -> None:
        await file.write(put(1))
        with pytest.raises(Unavailable, match=r"x\.db can't be used: UNIQUE constraint"):
            await file.write(put(1))
        assert await file.write(put(2)) == 1

    tell(tmp_path, story)


def test_a_full_file_fails_the_call_and_takes_later_ones_when_there_is_room(tmp_path: Path) -> None:
    big = b"x" * 100_000

    async def story(file: File) -> None:
        await file.write(lambda connection: connection.execute("PRAGMA max_page_count = 10").fetchone())
        with pytest.raises(Full, match=r"no room left for .*x\.db"):
            await file.write(lambda connection: connection.execute("INSERT INTO t VALUES (?)", (big,)))
        assert await file.write(put(1)) == 1
        await file.write(lambda connection: connection.execute("PRAGMA max_page_count = 10000").fetchone())
        await file.write(lambda connection: connection.execute("INSERT INTO t VALUES (?)", (big,)))
        assert len(stored(file)) == 2

    tell(tmp_path, story)


def test_who_waits_on_another_loop_is_woken_too(tmp_path: Path) -> None:
    async def story(file: File) -> None:
        def written() -> bool:
            return bool(stored(file))

        waiting = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(file.until(written, 5))))
        await file.write(put(1))
        assert await waiting

    tell(tmp_path, story)


def test_what_would_be_written_into_a_removed_file_is_refused(tmp_path: Path) -> None:
    async def story(file: File) -> None:
        await file.write(put(1))
        (tmp_path / "x.db").unlink()
        with pytest.raises(Unavailable, match="was removed while in use"):
            await file.write(put(2))

    tell(tmp_path, story)
