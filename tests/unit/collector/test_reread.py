"""Reading a stored log again with today's reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.collector.test_stopped import Job, story

from miyabi.collector.history import job_names
from miyabi.database import Save
from miyabi.model import Progress, RunExit, Task, iso, marker_line, millis
from miyabi.progress.reader import Reader, Reading
from miyabi.wiring.stores import Stores

UNREAD = Progress()


async def forgotten(job: Job) -> Task:
    """The task as a reader that understood nothing left it; people have renamed it since."""
    current = (await job.stores.database.get([job.name]))[0]
    assert current is not None
    task = current.task
    worse = replace(
        task,
        task_name="by hand",
        priority="P0",
        progress=UNREAD,
        details=replace(task.details, source=None, current_step=None),
        timestamp=task.timestamp + 1,
    )
    assert await job.stores.database.save([Save(worse, current, history=[worse])]) == [True]
    return worse


async def whole_history(stores: Stores, task_id: str = "a") -> list[Task]:
    found = (await stores.database.history(task_id, limit=1000)).tasks
    return list(reversed(found))


def test_a_task_and_its_history_become_what_today_s_reader_sees(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(100)
        ended = await job.ends(after=10)
        before = await whole_history(stores)
        await forgotten(job)
        assert len(await whole_history(stores)) == 1
        result = await job.collector.reread("a")
        assert result is not None
        assert (result.changed, result.lines) == (True, 13)
        task = await job.task()
        assert task == result.task
        assert (task.progress, task.status, task.completed_at) == (ended.progress, "completed", ended.completed_at)
        assert (task.task_name, task.priority) == ("by hand", "P0"), "what people said stays"
        assert task.duration_seconds == ended.duration_seconds
        after = await whole_history(stores)
        assert [(v.progress, v.status) for v in after[1:-1]] == [(v.progress, v.status) for v in before[1:]]
        assert [v.timestamp for v in after] == sorted({v.timestamp for v in after})
        assert after[3].updated_at == iso(after[3].timestamp) < iso(job.now)

    story(tmp_path, told)


def test_a_line_at_which_the_reader_fails_does_not_keep_the_others_from_being_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fragile(Reader):
        def read(self, messages: Sequence[str]) -> list[tuple[int, Reading]]:
            if any("[3/10]" in message for message in messages):
                raise ValueError("not today")
            return super().read(messages)

    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10)
        await job.ends()
        await forgotten(job)
        monkeypatch.setattr("miyabi.collector.memory.Reader", Fragile)
        result = await job.collector.reread("a")
        assert result is not None
        assert (result.task.status, result.task.progress.percentage) == ("completed", 100)
        assert [v.progress.current for v in await whole_history(stores)][1:5] == [1, 2, 4, 5]

    story(tmp_path, told)


def test_reading_again_twice_changes_nothing(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10)
        await job.ends()
        await job.collector.reread("a")
        first = await whole_history(stores)
        result = await job.collector.reread("a")
        assert result is not None
        assert not result.changed
        assert [v.progress for v in await whole_history(stores)] == [v.progress for v in first]

    story(tmp_path, told)


def test_a_running_task_is_read_on_where_the_second_reading_ended(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10, upto=4)
        await job.collector.reread("a")
        assert (await job.prints("[5/10] compiling", after=1)).progress.current == 5
        task = await job.ends()
        assert (task.status, task.progress.current) == ("completed", 5)

    story(tmp_path, told)


def test_lines_that_come_meanwhile_are_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10, upto=4)
        save, late = stores.database.save, ["[5/10] compiling", "[6/10] compiling"]

        async def interrupted(saves: list[Save]) -> list[bool]:
            if late and saves[0].history is not None:
                await job.prints(late.pop(0), after=1)
            return await save(saves)

        monkeypatch.setattr(stores.database, "save", interrupted)
        result = await job.collector.reread("a")
        assert result is not None
        assert result.task.progress.current == 6

    story(tmp_path, told)


def test_a_task_whose_lines_are_gone_stays_as_it_is(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        task = await job.runs_evenly(10)
        moved = replace(task, details=replace(task.details, log_stream="gone"), timestamp=task.timestamp + 1)
        current = (await stores.database.get(["a"]))[0]
        await stores.database.save([Save(moved, current)])
        result = await job.collector.reread("a")
        assert result is not None
        assert (result.lines, result.changed, result.task) == (0, False, moved)
        assert await job.collector.reread("nobody") is None

    story(tmp_path, told)


def test_a_task_that_people_cancelled_stays_cancelled(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        task = await job.runs_evenly(10, upto=4)
        current = (await stores.database.get(["a"]))[0]
        over = replace(task, status="cancelled", completed_at=task.updated_at, timestamp=task.timestamp + 1)
        await stores.database.save([Save(over, current)])
        result = await job.collector.reread("a")
        assert result is not None
        assert (result.task.status, result.task.completed_at) == ("cancelled", task.updated_at)

    story(tmp_path, told)


def test_a_task_that_people_reopened_stays_open(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10)
        task = await job.ends()
        current = (await stores.database.get(["a"]))[0]
        open_again = replace(task, status="running", completed_at=None, timestamp=task.timestamp + 1)
        await stores.database.save([Save(open_again, current)])
        result = await job.collector.reread("a")
        assert result is not None
        assert (result.task.status, result.changed) == ("running", False)

    story(tmp_path, told)


def test_the_exit_code_is_found_again(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.prints("error: no such target", after=1)
        failed = await job.prints(marker_line(RunExit("a", 2)), after=1)
        await forgotten(job)
        result = await job.collector.reread("a")
        assert result is not None
        assert (result.task.status, result.task.details.exit_code) == ("failed", 2)
        assert result.task.details.error_message == failed.details.error_message
        assert millis(result.task.created_at) == millis(failed.created_at)

    story(tmp_path, told)


def test_reading_all_again_leaves_the_order_of_earlier_runs(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        now = 1_795_000_000_000
        for number in range(8):
            job = Job(stores, f"run{number}", now)
            await job.begins()
            await job.runs_evenly(10 + number)
            task = await job.ends()
            now = job.now
        name = job_names(task)[0]
        before = await stores.database.memo(name)
        for number in reversed(range(8)):
            assert await job.collector.reread(f"run{number}")
        assert await stores.database.memo(name) == before

    story(tmp_path, told)
