"""What a run takes is learnt and told of; a task that rests for longer than is usual has stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from miyabi.collector.collect import Collector
from miyabi.collector.history import job_names
from miyabi.collector.watch import LOOK_AROUND_MILLIS
from miyabi.database import Current, Save
from miyabi.model import NewEvent, RunExit, RunStart, Task, iso, marker_line
from miyabi.progress.stops import SHORTEST_STOP, UNSETTLED_STOP
from miyabi.settings import Settings
from miyabi.wiring.stores import Stores, open_stores

GROUP = "/miyabi/jobs"


class Job:
    """A job that prints, on a clock that is moved by hand, read by a collector."""

    def __init__(self, stores: Stores, name: str = "a", now: int = 1_795_000_000_000) -> None:
        self.stores, self.name, self.now = stores, name, now
        self.skew = 0
        self.collector = Collector(stores.logs, stores.database, stores.cache, lambda: self.now)

    async def prints(self, *lines: str, after: float = 0) -> Task:
        """The task when ``lines`` came ``after`` seconds."""
        self.now += round(after * 1000)
        await self.stores.logs.append(GROUP, self.name, [NewEvent(self.now + self.skew, line) for line in lines])
        await self.collector.collect(await self.stores.logs.changed(""))
        return await self.task()

    async def begins(self, command: str = "make all") -> Task:
        return await self.prints(marker_line(RunStart(self.name, "make", "build", "shop", command=command)))

    async def ends(self, after: float = 0) -> Task:
        return await self.prints(marker_line(RunExit(self.name, 0)), after=after)

    async def rests(self, seconds: float) -> Task:
        """The task when nothing came for so long."""
        self.now += round(seconds * 1000)
        await self.collector.watch.look()
        return await self.task()

    async def task(self) -> Task:
        current = (await self.stores.database.get([self.name]))[0]
        assert current is not None
        return current.task

    async def runs_evenly(self, seconds: float, upto: int = 10) -> Task:
        for step in range(upto + 1):
            task = await self.prints(f"[{step}/10] compiling", after=seconds / 10 if step else 0)
        return task


def story(folder: Path, told: Callable[[Stores], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_stores(Settings(data=folder)) as stores:
            await told(stores)

    asyncio.run(run())


def test_a_second_run_of_a_command_knows_how_long_the_first_took(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        first = Job(stores, "first")
        await first.begins()
        await first.runs_evenly(100)
        assert (await first.ends(after=60)).details.estimate is None
        second = Job(stores, "second", first.now)
        assert (await second.begins()).details.estimate is not None, "from history alone, before any progress"
        estimate = (await second.runs_evenly(100, upto=5)).details.estimate
        assert estimate is not None
        assert (estimate.basis, estimate.runs, estimate.whole) == ("both", 1, True)
        assert estimate.low_seconds < 110 < estimate.high_seconds, "the tail after 100 % is known"
        other = Job(stores, "other", second.now)
        task = await other.begins("make other")
        assert task.details.estimate is not None, "no run of this command is known: its name's is the next best"

    story(tmp_path, told)


async def deploys(job: Job, command: str, *stacks: str, upto: int = 4) -> Task:
    """The task when the last of ``stacks`` has ``upto`` of its four resources."""
    task = await job.begins(command)
    for place, stack in enumerate(stacks, 1):
        await job.prints(f"{stack}: deploying... [{place}/{len(stacks)}]", after=1)
        for done in range(upto + 1 if place == len(stacks) else 5):
            event = f"{stack} | {done}/4 | 3:35:06 AM | CREATE_COMPLETE | AWS::SNS::Topic | Topic{done} (T{done})"
            task = await job.prints(event, after=10)
    return task


def test_a_stack_is_told_from_its_earlier_runs_in_other_commands(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        first = Job(stores, "first")
        await deploys(first, "cdk deploy Orders", "Orders")
        await first.ends(after=300)
        other = Job(stores, "Other", first.now)
        estimate = (await deploys(other, "cdk deploy Billing", "Billing", upto=2)).details.estimate
        assert estimate is not None
        assert estimate.runs == 1, "the first run of that name is all there is"
        all_of_them = Job(stores, "all", other.now)
        await all_of_them.prints(
            marker_line(RunStart("all", "everything", "build", "shop", command="cdk deploy --all"))
        )
        await all_of_them.prints("Orders: deploying... [1/2]", after=1)
        for done in range(3):
            event = f"Orders | {done}/4 | 3:35:06 AM | CREATE_COMPLETE | AWS::SNS::Topic | Topic{done} (T{done})"
            task = await all_of_them.prints(event, after=10)
        estimate = task.details.estimate
        assert estimate is not None
        assert (estimate.basis, estimate.runs, estimate.whole) == ("both", 1, False), "another stack is to come"
        assert estimate.low_seconds < 320 < estimate.high_seconds, "it took 300 s more behind its last resource"

    story(tmp_path, told)


def test_a_run_that_failed_teaches_nothing(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10)
        task = await job.prints(marker_line(RunExit("a", 1)))
        assert [await stores.database.memo(name) for name in job_names(task)] == ["", ""]

    story(tmp_path, told)


def test_a_memo_that_another_version_wrote_is_no_harm(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        for name in job_names(await job.begins()):
            await stores.database.set_memo(name, '[{"of": "another time"}]')
        again = Job(stores, "b", job.now)
        assert (await again.begins()).details.estimate is None
        await again.runs_evenly(10)
        assert (await again.ends()).status == "completed"

    story(tmp_path, told)


def test_progress_that_rests_while_lines_come_has_stopped_and_goes_on(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        assert (await job.runs_evenly(10, upto=6)).details.estimate is not None
        moved = job.now
        for _ in range(10):
            await job.prints("waiting for the lock", after=2)
        task = await job.rests(0)
        assert task.details.stopped is not None
        assert (task.details.stopped.what, task.details.estimate) == ("progress", None)
        assert task.details.stopped.since == iso(moved)
        assert task.details.stopped.usual_seconds == 1.0
        assert (await job.prints("still waiting")).details.stopped is not None
        task = await job.prints("[7/10] compiling")
        assert task.details.stopped is None
        assert task.details.estimate is not None

    story(tmp_path, told)


def test_no_output_is_told_apart_from_no_progress(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10, upto=6)
        assert (await job.rests(SHORTEST_STOP / 1000 - 1)).details.stopped is None
        task = await job.rests(1)
        assert task.details.stopped is not None
        assert task.details.stopped.what == "output"
        kept = await stores.database.history("a")
        assert kept.tasks[0].details.stopped == task.details.stopped
        assert (await job.rests(60)).timestamp == task.timestamp, "said once"
        assert (await job.prints("hello")).details.stopped is None

    story(tmp_path, told)


def test_a_job_that_shows_no_progress_can_only_fall_silent(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        for _ in range(40):
            await job.prints("hello", after=2)
        assert (await job.rests(0)).details.stopped is None
        task = await job.rests(UNSETTLED_STOP / 1000)
        assert task.details.stopped is not None
        assert task.details.stopped.what == "output"

    story(tmp_path, told)


def test_a_job_that_has_ended_or_waits_for_people_has_not_stopped(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10)
        assert (await job.ends()).details.stopped is None
        assert (await job.rests(3600)).details.stopped is None

    story(tmp_path, told)


def test_what_earlier_runs_waited_for_is_usual(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        first = Job(stores, "first")
        await first.begins()
        await first.runs_evenly(10, upto=5)
        await first.prints("[6/10] linking", after=300)
        await first.ends()
        second = Job(stores, "second", first.now)
        await second.begins()
        await second.runs_evenly(10, upto=5)
        assert (await second.rests(400)).details.stopped is None
        assert (await second.rests(100)).details.stopped is not None

    story(tmp_path, told)


def test_a_clock_that_is_wrong_stops_nobody(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        job.skew = -3_600_000
        await job.begins()
        await job.runs_evenly(10, upto=6)
        assert (await job.rests(5)).details.stopped is None

    story(tmp_path, told)


def test_tasks_that_another_collector_read_are_looked_after_too(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10, upto=6)
        job.collector = Collector(stores.logs, stores.database, stores.cache, lambda: job.now)
        assert (await job.rests(LOOK_AROUND_MILLIS / 1000)).details.stopped is None, "it has only now heard of it"
        task = await job.rests(SHORTEST_STOP / 1000)
        assert task.details.stopped is not None

    story(tmp_path, told)


def test_a_run_that_goes_on_after_its_last_word_is_no_earlier_run(tmp_path: Path) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.prints("[1/10] compiling")
        await job.prints("[2/10] compiling", after=1)
        task = await job.prints("Done.", after=1)
        assert task.status == "completed"
        assert await stores.database.memo(job_names(task)[0])
        task = await job.prints("[3/10] compiling", after=1)
        assert task.details.estimate is not None
        assert task.details.estimate.basis == "pace", "it is not told from itself"
        assert (await job.prints("BUILD FAILED", after=1)).status == "failed"
        assert await stores.database.memo(job_names(task)[0]) == "[]", "it was no good run after all"

    story(tmp_path, told)


def test_a_task_that_ends_while_others_are_looked_through_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10, upto=6)
        get = stores.database.get

        async def slow(task_ids: list[str]) -> list[Current | None]:
            found = await get(task_ids)
            monkeypatch.setattr(stores.database, "get", get)
            await job.ends(after=1)
            return found

        monkeypatch.setattr(stores.database, "get", slow)
        task = await job.rests(SHORTEST_STOP / 1000)
        assert (task.status, task.details.stopped) == ("completed", None)

    story(tmp_path, told)


def test_a_stop_that_could_not_be_saved_is_said_with_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(stores: Stores) -> None:
        job = Job(stores)
        await job.begins()
        await job.runs_evenly(10, upto=6)
        save = stores.database.save

        async def refused(saves: list[Save]) -> list[bool]:
            monkeypatch.setattr(stores.database, "save", save)
            return [False]

        monkeypatch.setattr(stores.database, "save", refused)
        assert (await job.rests(SHORTEST_STOP / 1000)).details.stopped is None
        assert (await job.rests(1)).details.stopped is not None

    story(tmp_path, told)
