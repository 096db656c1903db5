"""Streams read by collectors: in turns, by several at once, with crashes and refusals in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import Clock

from miyabi.collector.collect import PAGE, Collector, newborn
from miyabi.collector.loop import Loop
from miyabi.collector.step import advance
from miyabi.database import Database, DatabaseFull, Save, TaskQuery
from miyabi.model import LogEvent, NewEvent, RunExit, RunStart, Task, marker_line
from miyabi.progress.forecast import Earlier
from miyabi.progress.reader import Reader, Reading
from miyabi.settings import Settings
from miyabi.wiring.stores import Stores, open_stores

GROUP = "/miyabi/jobs"
START = marker_line(RunStart("r1", "build", "build", "shop"))


class Full:
    """A database with no room for the next ``refusals`` saves."""

    def __init__(self, database: Database, refusals: int) -> None:
        self._database = database
        self._refusals = refusals
        self.get, self.memo, self.set_memo = database.get, database.memo, database.set_memo

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        """Refused while there is no room."""
        if self._refusals:
            self._refusals -= 1
            raise DatabaseFull("full")
        return await self._database.save(saves)


def with_stores(folder: Path, story: Callable[[Stores], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_stores(Settings(data=folder)) as stores:
            await story(stores)

    asyncio.run(run())


def collector(stores: Stores, database: Database | None = None) -> Collector:
    return Collector(stores.logs, database or stores.database, stores.cache, Clock())


def loop(stores: Stores, database: Database | None = None) -> Loop:
    return Loop(collector(stores, database), stores.logs, database or stores.database, 0.01, retry_seconds=0.0)


async def append(stores: Stores, stream: str, *messages: str) -> None:
    await stores.logs.append(GROUP, stream, [NewEvent(1_795_000_000_000, message) for message in messages])


async def task(stores: Stores, task_id: str) -> Task:
    current = (await stores.database.get([task_id]))[0]
    assert current is not None
    return current.task


def test_a_flood_takes_turns_with_the_others(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        for _ in range(2):
            await append(stores, "flood", *["noise"] * PAGE)
        await append(stores, "quiet", "[1/9] a")
        turn = await collector(stores).collect(await stores.logs.changed())
        assert (turn.lines, [stream.name for stream in turn.behind]) == (PAGE + 1, ["flood"])
        assert (await task(stores, "quiet")).progress.current == 1

    with_stores(tmp_path, story)


def test_collecting_once_reads_all_that_is_there(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        await append(stores, "flood", *["noise"] * (2 * PAGE), "[1/9] a")
        await append(stores, "quiet", "[2/9] a")
        result = await loop(stores).collect()
        assert (result.streams, result.lines) == (2, 2 * PAGE + 2)
        assert (await task(stores, "flood")).progress.current == 1

    with_stores(tmp_path, story)


def test_what_was_refused_for_want_of_room_is_made_up_for(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        for name in ("a", "b"):
            await append(stores, name, START, "[1/9] a", marker_line(RunExit("r1", 0)))
        job = asyncio.create_task(loop(stores, Full(stores.database, 5)).run())  # type: ignore[arg-type]
        feed = ""
        async with asyncio.timeout(20):
            while sum(one.final for one in (await stores.database.tasks(TaskQuery())).tasks) < 2:
                await stores.database.wait(feed, 1)
                feed = (await stores.database.changed(feed)).next
        job.cancel()

    with_stores(tmp_path, story)


def test_a_line_that_breaks_the_reader_is_left_out_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fragile(Reader):
        def read(self, messages: Sequence[str]) -> list[tuple[int, Reading]]:
            if "poison" in messages:
                raise OverflowError
            return super().read(messages)

    monkeypatch.setattr("miyabi.collector.memory.Reader", Fragile)

    async def story(stores: Stores) -> None:
        await append(stores, "a", START, "[1/9] a", "poison", "[2/9] a")
        await append(stores, "only", "poison")
        await loop(stores).collect()
        found = await task(stores, "a")
        assert (found.progress.current, found.task_name) == (2, "build")
        await append(stores, "a", marker_line(RunExit("r1", 0)))
        await loop(stores).collect()
        assert (await task(stores, "a")).status == "completed"
        assert (await task(stores, "only")).status == "running"

    with_stores(tmp_path, story)


def test_the_services_own_logs_are_no_jobs(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        for group in ("/miyabi/system", "/aws/lambda/f", "/miyabi/systems"):
            await stores.logs.append(group, "a" + group.replace("/", "-"), [NewEvent(0, "x")])
        await loop(stores).collect()
        listed = (await stores.database.tasks(TaskQuery())).tasks
        assert [one.details.log_group for one in listed] == ["/miyabi/systems"]

    with_stores(tmp_path, story)


LINES = st.lists(st.sampled_from(["[1/9] a", "[5/9] b", "noise", "error: no", "[9/9] c"]), max_size=6)
ACTS = st.lists(
    st.one_of(LINES, st.sampled_from(["one reads", "both read", "one is killed while it reads"])), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(ACTS)
def test_two_collectors_that_are_killed_at_any_moment_end_where_one_slow_pass_does(acts: list[list[str] | str]) -> None:
    async def story(stores: Stores) -> None:
        one, other = loop(stores), loop(stores)
        lines = [START, *(line for act in acts if isinstance(act, list) for line in act), marker_line(RunExit("r1", 3))]
        await append(stores, "a", START)
        for act in acts:
            if isinstance(act, list):
                await append(stores, "a", *act)
            elif act == "one reads":
                await one.collect()
            elif act == "both read":
                await asyncio.gather(one.collect(), other.collect())
            else:
                await killed(one)
                one = loop(stores)
        await append(stores, "a", lines[-1])
        await asyncio.gather(one.collect(), other.collect())
        assert telling(await task(stores, "a")) == telling(slowly(lines))

    with TemporaryDirectory() as folder:
        with_stores(Path(folder), story)


async def killed(victim: Loop) -> None:
    """Read, and end somewhere on the way."""
    job = asyncio.create_task(victim.collect())
    for _ in range(3):
        await asyncio.sleep(0)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


def slowly(lines: list[str]) -> Task:
    """The task after all lines in one step, as one collector alone makes it."""
    events = [LogEvent(str(n), 1_795_000_000_000, line, n) for n, line in enumerate(lines, 1)]
    return advance(None, newborn(GROUP, "a", "a", 0), events, "", 0, lambda task: Earlier()).task


def telling(found: Task) -> tuple[object, ...]:
    """What a task says, without when it was written."""
    return found.status, found.progress, found.details, found.task_name, found.project_id, found.metadata
