"""How many lines a second become progress that a crash can't take back, and how many updates are stored?"""

from __future__ import annotations

import asyncio
import http.client
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import msgspec
from tests.support.board import Board
from tests.support.until import until

from benchmarks.boards import NOW, board, folder, sample
from benchmarks.table import Row
from miyabi.database import Bookmark, Current, Save
from miyabi.settings import Settings
from miyabi.wiring import open_database

ROUNDS = 3
LINES = 200_000
BATCH = 10_000
LINES_GOAL = 50_000
TASKS = 1_000
UPDATES = 20_000
AT_ONCE = 200
UPDATES_GOAL = 10_000
READER = bytes(400)
"""As large as a reader's state is."""
BARE = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE kept (id INTEGER PRIMARY KEY, data TEXT)"


def measure() -> list[Row]:
    """Lines over HTTP until the tasks know them; saves of many tasks; beside both, bare SQLite as durable."""
    with board(prefix=()) as running:
        one = max(lines_a_second(running, f"one-{n}", streams=1) for n in range(ROUNDS))
        many = max(lines_a_second(running, f"many-{n}", streams=4) for n in range(ROUNDS))
    bare = max(bare_inserts(LINES, BATCH) for _ in range(ROUNDS))
    bare_saved = max(bare_inserts(UPDATES, AT_ONCE) for _ in range(ROUNDS))
    goal = f"≥ {LINES_GOAL:,}/s"
    beside = f"bare SQLite, a row a line {bare:,.0f}/s"
    return [
        Row("append → durable progress, 1 stream", f"{one:,.0f}/s", goal, one >= LINES_GOAL, beside, one / bare),
        Row("append → durable progress, 4 streams", f"{many:,.0f}/s", goal, many >= LINES_GOAL, beside, many / bare),
        *(updates(calls, bare_saved) for calls in (1, AT_ONCE)),
    ]


def updates(calls: int, bare: float) -> Row:
    """The row of durable updates in so many calls at once."""
    rate = max(asyncio.run(updates_a_second(calls)) for _ in range(ROUNDS))
    name = f"durable updates, {AT_ONCE} in {calls} call{'s' * (calls > 1)}"
    met = rate >= UPDATES_GOAL
    return Row(
        name, f"{rate:,.0f}/s", f"≥ {UPDATES_GOAL:,}/s", met, f"bare SQLite, a row each {bare:,.0f}/s", rate / bare
    )


def lines_a_second(running: Board, name: str, streams: int) -> float:
    """Append a build's lines in full batches, then wait until every task shows its last one."""
    each = LINES // streams
    names = [f"{name}-{number}" for number in range(streams)]
    bodies = list(batches(each))
    began = time.perf_counter()
    with closing(http.client.HTTPConnection("127.0.0.1", running.port)) as connection:
        for body in bodies:
            for stream in names:
                connection.request(
                    "POST", f"/api/logs/miyabi/jobs/{stream}", body, {"content-type": "application/json"}
                )
                answer = connection.getresponse()
                assert json.loads(answer.read()) == {"stored": BATCH}
    for stream in names:
        until(lambda stream=stream: current(running, stream) == each, f"{stream} at {each}", 60)  # type: ignore[misc]
    return each * streams / (time.perf_counter() - began)


def current(running: Board, task_id: str) -> object:
    """What a task's bar stands at."""
    task = running.api.task(task_id)
    return task and task["progress"].get("current")


def batches(lines: int) -> Iterator[bytes]:
    """The bodies that append a build of so many steps: every tenth line is a step, the others are its noise."""
    for start in range(0, lines, BATCH):
        numbers = range(start + 1, min(lines, start + BATCH) + 1)
        yield msgspec.json.encode({"events": [{"timestamp": NOW, "message": line(n, lines)} for n in numbers]})


def line(number: int, lines: int) -> str:
    """One line of a build's output."""
    if number % 10 == 0:
        return f"[{number}/{lines}] Building CXX object src/CMakeFiles/core.dir/part_{number}.cc.o"
    return "src/core/part.cc: note: in instantiation of member function requested here"


async def updates_a_second(calls: int) -> float:
    """Saves of a thousand tasks' progress: ``AT_ONCE`` under way at any time, in so many calls that share commits."""
    with folder() as data:
        database = await open_database(Settings(data=data))
        try:
            states: list[Current | None] = [None] * TASKS
            began = time.perf_counter()
            for step in range(UPDATES // TASKS):
                for start in range(0, TASKS, AT_ONCE):
                    saves = [save(number, step, states) for number in range(start, start + AT_ONCE)]
                    parts = [saves[part::calls] for part in range(calls)]
                    kept = await asyncio.gather(*map(database.save, parts))
                    assert all(map(all, kept))
            return UPDATES / (time.perf_counter() - began)
        finally:
            await database.close()


def save(number: int, step: int, states: list[Current | None]) -> Save:
    """The next state of a task, as its collector saves it."""
    task, bookmark = sample(number, NOW + step, step), Bookmark(str(step + 1), READER)
    save = Save(task, states[number], bookmark, kept=step % 10 == 0)
    states[number] = Current(task, bookmark)
    return save


def bare_inserts(rows: int, at_once: int) -> float:
    """Rows a second into one SQLite table by its own driver, committed and synced ``at_once``."""
    with folder() as data, closing(sqlite3.connect(data / "bare.db", isolation_level=None)) as connection:
        connection.executescript(BARE)
        began = time.perf_counter()
        for start in range(0, rows, at_once):
            connection.execute("BEGIN IMMEDIATE")
            texts = ((line(number, rows),) for number in range(start, start + at_once))
            connection.executemany("INSERT INTO kept (data) VALUES (?)", texts)
            connection.execute("COMMIT")
        return rows / (time.perf_counter() - began)
