"""Boards to measure: processes on a core of their own, on folders with tasks in them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.board import Board

from benchmarks.load import SERVER_CORE
from miyabi.database import Bookmark, Save
from miyabi.model import Details, Progress, Source, Task, iso
from miyabi.settings import Settings
from miyabi.wiring import open_database

ROOT = Path(__file__).parents[1]
NOW = 1_795_000_000_000


class Server(NamedTuple):
    """Where something listens, and its process."""

    url: str
    pid: int


def sample(number: int, timestamp: int = NOW, current: int = 15) -> Task:
    """A task as a deploy in its middle has it."""
    line = (
        f"MiyabiWebUIStack | {current}/29 | 9:41:07 AM | CREATE_IN_PROGRESS | AWS::Lambda::Function | Api (Api{number})"
    )
    return Task(
        task_id=f"cdk-deploy-{number:08x}",
        timestamp=timestamp,
        task_name=f"cdk deploy Stack{number}",
        task_type="cdk_deploy",
        status="running" if number % 20 == 0 else "completed",
        project_id=f"project-{number % 40}",
        created_at=iso(NOW + number),
        updated_at=iso(timestamp),
        progress=Progress.of(current, 29),
        details=Details(
            phase="CREATE_IN_PROGRESS",
            current_step="Api",
            log_group="/miyabi/cdk-deploy",
            log_stream=f"cdk-deploy-{number:08x}",
            source=Source("cdk", current + 4, line),
            command="cdk deploy",
            started_at=iso(NOW + number),
        ),
        ttl=NOW // 1000,
    )


async def fill(data: Path, tasks: int, batch: int = 1000) -> None:
    """Put ``tasks`` sample tasks into the database of a folder."""
    database = await open_database(Settings(data=data))
    try:
        for start in range(0, tasks, batch):
            numbers = range(start, min(tasks, start + batch))
            await database.save([Save(sample(n), bookmark=Bookmark("1", b"")) for n in numbers])
    finally:
        await database.close()


@contextmanager
def folder() -> Iterator[Path]:
    """A data folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="miyabi-bench-") as name:
        yield Path(name)


@contextmanager
def board(tasks: int = 0, prefix: Sequence[str] = SERVER_CORE, **settings: str) -> Iterator[Board]:
    """A running board with ``tasks`` stored and no limit of its rate."""
    with folder() as data:
        if tasks:
            asyncio.run(fill(data, tasks))
        with closing(Board(data, prefix, MIYABI_RATE_LIMIT="0", **settings)) as running:
            yield running


@contextmanager
def raw(body: bytes) -> Iterator[Server]:
    """The bare server (:mod:`benchmarks.raw`) that answers ``body``."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        words = [*SERVER_CORE, sys.executable, "-m", "benchmarks.raw", file.name]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            try:
                yield Server(process.stdout.readline().strip(), process.pid)
            finally:
                process.terminate()
