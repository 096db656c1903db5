"""What do the embedded stores give, beside bare SQLite doing the same as durably?"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from tests.support.board import Service, environment

from benchmarks.boards import NOW, fill, folder
from benchmarks.table import Row, best
from miyabi.database import TaskQuery
from miyabi.logs import Logs
from miyabi.logs.http import HttpLogs
from miyabi.logs.local import open_logs
from miyabi.model import NewEvent, Writer
from miyabi.settings import Settings
from miyabi.wiring import open_database

ROUNDS = 3
LINES = 200_000
SINGLES = 300
LISTS = 500
PAGE = 50
SMALL, LARGE = 1_000, 100_000
APPEND_GOAL, READ_GOAL, GROWTH_GOAL = 100_000, 200_000, 1.2
GROUP, STREAM = "/miyabi/jobs", "job"
QUERIES = {
    "all tasks": TaskQuery(),
    "the active": TaskQuery(active=True),
    "the completed deploys": TaskQuery(status="completed", task_type="cdk_deploy"),
}
BARE = """PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
CREATE TABLE lines (stream INTEGER, line INTEGER, at INTEGER, message TEXT, PRIMARY KEY (stream, line)) WITHOUT ROWID"""
BARE_PAGE = "SELECT line, at, message FROM lines WHERE stream = 1 AND line > ? ORDER BY line LIMIT ?"
EVENTS = [
    NewEvent(NOW + number, f"[{number}/{LINES}] Building CXX object src/CMakeFiles/core.dir/part_{number}.cc.o")
    for number in range(LINES)
]


def measure() -> list[Row]:
    """Appends of whole batches and of single lines, reads of whole streams, and the first page of lists."""
    return [*logs(1_000), *logs(10_000), *log_service(10_000), single(), *lists()]


def logs(batch: int) -> Iterator[Row]:
    """Lines a second in and out."""
    appended, read = zip(*(asyncio.run(logs_once(batch)) for _ in range(ROUNDS)), strict=True)
    bare_appended, bare_read = zip(*(bare_once(batch) for _ in range(ROUNDS)), strict=True)
    rows = (("appended", appended, bare_appended, APPEND_GOAL), ("read", read, bare_read, READ_GOAL))
    for what, ours, theirs, goal in rows:
        rate, bare = best(ours), best(theirs)
        name, beside = f"lines {what}, {batch:,} at once", f"bare SQLite, a row a line {bare:,.0f}/s"
        yield Row(name, f"{rate:,.0f}/s", f"≥ {goal:,}/s", rate >= goal, beside, rate / bare)


def log_service(batch: int) -> Iterator[Row]:
    """Lines a second into and out of the log service in another process, beside the same file in this one."""
    beside, over = zip(*((asyncio.run(logs_once(batch)), service_once(batch)) for _ in range(ROUNDS)), strict=True)
    for number, what in enumerate(("appended", "read")):
        rate, direct = best(each[number] for each in over), best(each[number] for each in beside)
        name = f"lines {what} over HTTP, {batch:,} at once"
        yield Row(name, f"{rate:,.0f}/s", beside=f"in this process {direct:,.0f}/s", ratio=rate / direct)


async def logs_once(batch: int) -> tuple[float, float]:
    """Lines appended a second, each batch on disk before the next, and read a second."""
    with folder() as data:
        return await rates(await open_logs(data), batch)


def service_once(batch: int) -> tuple[float, float]:
    """The same through ``miyabi serve logs``."""

    async def once(url: str) -> tuple[float, float]:
        return await rates(HttpLogs(url), batch)

    with folder() as data, closing(Service("serve", "logs", env=environment(data))) as service:
        return asyncio.run(once(service.url))


async def rates(store: Logs, batch: int) -> tuple[float, float]:
    """What an empty store takes and gives; it is closed then."""
    began = time.perf_counter()
    for start in range(0, LINES, batch):
        await store.append(GROUP, STREAM, EVENTS[start : start + batch], Writer("bench", start))
    middle = time.perf_counter()
    place, count = "", 0
    while (page := await store.read(GROUP, STREAM, after=place, limit=batch)).events:
        place, count = page.next, count + len(page.events)
    end = time.perf_counter()
    assert count == LINES
    await store.close()
    return LINES / (middle - began), LINES / (end - middle)


def bare_once(batch: int) -> tuple[float, float]:
    """The same into a table of lines by SQLite's own driver."""
    with bare() as connection:
        began = time.perf_counter()
        for start in range(0, LINES, batch):
            insert(connection, start, EVENTS[start : start + batch])
        middle = time.perf_counter()
        count = 0
        while rows := connection.execute(BARE_PAGE, (count, batch)).fetchall():
            count += len(rows)
        end = time.perf_counter()
        assert count == LINES
        return LINES / (middle - began), LINES / (end - middle)


def single() -> Row:
    """How long until one line is on disk."""
    ours = asyncio.run(single_appends())
    with bare() as connection:
        theirs = median_ms(lambda number: insert(connection, number, EVENTS[number : number + 1]))
    return Row("one line appended, p50", f"{ours:.2f} ms", beside=f"bare SQLite {theirs:.2f} ms", ratio=ours / theirs)


async def single_appends() -> float:
    """Median milliseconds of an append of one line."""
    with folder() as data:
        store = await open_logs(data)
        times = []
        for event in EVENTS[:SINGLES]:
            began = time.perf_counter()
            await store.append(GROUP, STREAM, [event])
            times.append(time.perf_counter() - began)
        await store.close()
        return 1000 * statistics.median(times)


def lists() -> Iterator[Row]:
    """The first page of lists at two sizes, in turns, so that both see the same machine."""
    small, large = asyncio.run(list_times())
    for name in QUERIES:
        ratio = large[name] / small[name]
        yield Row(
            f"{PAGE} of {name}, {LARGE // 1000} k stored, p50",
            f"{large[name]:.2f} ms",
            f"≤ {GROWTH_GOAL} × that at {SMALL // 1000} k",
            ratio <= GROWTH_GOAL,
            f"{SMALL // 1000} k stored {small[name]:.2f} ms",
            ratio,
        )


async def list_times() -> tuple[dict[str, float], dict[str, float]]:
    """Median milliseconds of each list with few and with many tasks stored."""
    with folder() as few, folder() as many:
        await fill(few, SMALL)
        await fill(many, LARGE)
        databases = [await open_database(Settings(data=data)) for data in (few, many)]
        medians: list[dict[str, float]] = [{}, {}]
        for name, query in QUERIES.items():
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(LISTS):
                for database, taken in zip(databases, times, strict=True):
                    began = time.perf_counter()
                    await database.tasks(query, limit=PAGE)
                    taken.append(time.perf_counter() - began)
            for median, taken in zip(medians, times, strict=True):
                median[name] = 1000 * statistics.median(taken)
        for database in databases:
            await database.close()
        return medians[0], medians[1]


@contextmanager
def bare() -> Iterator[sqlite3.Connection]:
    """A new file by SQLite's own driver, as durable as ours."""
    with folder() as data, closing(sqlite3.connect(data / "bare.db", isolation_level=None)) as connection:
        connection.executescript(BARE)
        yield connection


def insert(connection: sqlite3.Connection, start: int, events: list[NewEvent]) -> None:
    """One transaction with these lines."""
    rows = ((1, start + number, event.timestamp, event.message) for number, event in enumerate(events, 1))
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


def median_ms(action: Callable[[int], None]) -> float:
    """Median milliseconds of ``action``, called with 0, 1, 2 …"""
    times = []
    for number in range(SINGLES):
        began = time.perf_counter()
        action(number)
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)
