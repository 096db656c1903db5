"""A process that writes to the embedded stores until it is killed: `python -m tests.support.store_writer FOLDER FIRST`.

Batch ``n`` is ``n % 40 + 1`` lines and one version of a task. Each is acknowledged on stdout by its number, once it is
on disk; batches from ``FIRST`` on are sent.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from tests.support.tasks import START, a_task, later

from miyabi.database import Bookmark, Current, Save
from miyabi.database.sqlite import SqliteDatabase, open_database
from miyabi.logs.local import open_logs
from miyabi.model import NewEvent, Progress, Task, Writer

GROUP, STREAM = "/miyabi/jobs", "job"


def batch(number: int) -> list[str]:
    """The lines of a batch."""
    return [f"batch {number} line {line} " + "x" * (number % 200) for line in range(number % 40 + 1)]


def sequence(number: int) -> int:
    """How many lines come before a batch."""
    return sum(n % 40 + 1 for n in range(number))


def state(number: int) -> Task:
    """The task after a batch; its status changes at every third."""
    status = ("running", "blocked", "completed")[number % 3]
    return later(a_task(STREAM), by=number, status=status, progress=Progress(current=number))


async def save(database: SqliteDatabase, number: int) -> None:
    """Save the task after a batch, unless it is saved already."""
    (base,) = await database.get([STREAM])
    if base is None or base.task.timestamp < START + number:
        assert await database.save([Save(state(number), base, Bookmark(str(number), b"s" * 500))]) == [True]


async def write(folder: Path, first: int) -> None:
    """Send batches for ever."""
    logs, database = await open_logs(folder), await open_database(folder)
    for number in count(first):
        events = [NewEvent(START + number, line) for line in batch(number)]
        await asyncio.gather(
            logs.append(GROUP, STREAM, events, Writer("writer", sequence(number))), save(database, number)
        )
        print(number, flush=True)


def is_whole(current: Current) -> bool:
    """Whether a task's state and bookmark are of one batch."""
    assert current.bookmark is not None
    return current.task == state(int(current.bookmark.position))


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
