"""The feed of changes where clocks differ, and how often it is looked at."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.tasks import a_task, ids

from miyabi.database import Bookmark, Current, Save
from miyabi.database.dynamodb_feed import Pace
from miyabi.model import STATUSES, Task, iso

from .conftest import Bench, Place

changes = st.lists(
    st.tuples(st.sampled_from([0, 1, 2000, 20_000]), st.integers(0, 4), st.sampled_from(STATUSES), st.integers(0, 2)),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=changes, looks=st.sets(st.integers(0, 24)), limit=st.integers(1, 6))
def test_every_last_change_is_given_and_none_twice_whoever_wrote_it(
    place: Place, steps: list[tuple[int, int, str, int]], looks: set[int], limit: int
) -> None:
    place.renew()
    benches = [place.open(skew=skew) for skew in (0, -3000, 3000)]
    tasks: dict[str, Task] = {}
    given_out: list[tuple[str, int]] = []

    async def look(after: str) -> str:
        while (found := await benches[0].database.changed(after, limit)).tasks:
            given_out.extend((task.task_id, task.timestamp) for task in found.tasks)
            after = found.next
        return after

    async def scenario() -> None:
        after = ""
        for number, (pause, task, status, writer) in enumerate(steps):
            place.clock.forward(pause)
            await change(benches[writer], tasks, f"t{task}", status)
            if number in looks:
                after = await look(after)
                assert dict(given_out) == {name: task.timestamp for name, task in tasks.items()}
        await look(after)
        assert dict(given_out) == {name: task.timestamp for name, task in tasks.items()}
        assert len(set(given_out)) == len(given_out)

    place.runner.run(scenario())


async def change(bench: Bench, tasks: dict[str, Task], name: str, status: str) -> None:
    old = tasks.get(name)
    new = replace(old, status=status, timestamp=old.timestamp + 1) if old else a_task(name, status=status)
    assert await bench.database.save([Save(new, Current(old) if old else None, kept=False)]) == [True]
    tasks[name] = new


def test_who_did_not_make_a_cursor_gives_the_last_seconds_once_more_and_no_older_ones(place: Place) -> None:
    bench, other = place.open(), place.open()

    async def scenario() -> None:
        await bench.database.save([Save(a_task("old"))])
        place.clock.forward(60_000)
        await bench.database.save([Save(a_task("new"))])
        after = (await bench.database.changed()).next
        assert (await bench.database.changed(after)).tasks == []
        again = await other.database.changed(after)
        assert ids(again.tasks) == ["new"]
        assert (await other.database.changed(again.next)).tasks == []

    place.runner.run(scenario())


def test_what_an_index_shows_late_is_given_late_but_given(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        for name in "abc":
            await bench.database.save([Save(a_task(name))])
            place.clock.forward(2000)
        bench.http.late = {"a", "b"}
        found = await bench.database.changed()
        assert ids(found.tasks) == ["c"]
        bench.http.late = {"b"}
        found = await bench.database.changed(found.next)
        assert ids(found.tasks) == ["a"]
        bench.http.late = set()
        found = await bench.database.changed(found.next)
        assert ids(found.tasks) == ["b"]
        assert (await bench.database.changed(found.next)).tasks == []

    place.runner.run(scenario())


def test_a_task_made_in_the_future_hides_no_other(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        far = iso(place.clock() + 10**9)
        await bench.database.save([Save(a_task("far", created_at=far))])
        after = (await bench.database.changed()).next
        await bench.database.save([Save(a_task("near"))])
        found = await bench.database.changed(after)
        assert ids(found.tasks) == ["near"]
        assert (await bench.database.changed(found.next)).tasks == []

    place.runner.run(scenario())


def test_a_save_of_this_process_is_seen_long_before_the_next_poll(place: Place) -> None:
    bench = place.open(pace=Pace(poll=30.0, rest=0.0))

    async def scenario() -> float:
        after = (await bench.database.changed(limit=0)).next
        waiting = asyncio.create_task(bench.database.wait(after, 30))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await bench.database.save([Save(a_task("a"))])
        assert await waiting
        return time.monotonic() - began

    assert place.runner.run(scenario()) < 5


def test_while_nothing_happens_the_feed_is_read_once_a_poll(place: Place) -> None:
    bench = place.open(pace=Pace(poll=0.2, rest=0.0))

    async def scenario() -> None:
        after = (await bench.database.changed(limit=0)).next
        bench.http.seen.clear()
        assert not await bench.database.wait(after, 0.5)

    place.runner.run(scenario())
    assert len(bench.http.seen) <= 4 * len(STATUSES)


def test_a_busy_feed_is_given_out_no_faster_than_its_pace(place: Place) -> None:
    bench = place.open(pace=Pace(poll=5.0, rest=0.3))

    async def scenario() -> float:
        task = a_task("a")
        await bench.database.save([Save(task)])
        began = time.monotonic()
        for _ in range(3):
            assert await bench.database.wait("", 5)
        return time.monotonic() - began

    assert place.runner.run(scenario()) >= 0.6


def test_a_bookmark_that_moves_alone_costs_the_indexes_nothing(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        task = a_task("a")
        await bench.database.save([Save(task, bookmark=Bookmark("1"))])
        after = (await bench.database.changed()).next
        place.clock.forward(50_000)
        bench.http.seen.clear()
        moved = Save(task, Current(task, Bookmark("1")), Bookmark("2"), kept=False)
        assert await bench.database.save([moved]) == [True]
        assert bench.http.seen == ["UpdateItem"]
        assert (await bench.database.changed(after)).next == after

    place.runner.run(scenario())


def test_what_is_remembered_for_cursors_is_bounded_and_the_newest_stay_exact(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miyabi.database.dynamodb_feed.MOST_SEEN", 50)
    database = place.open().database

    async def scenario() -> None:
        await database.save([Save(a_task(f"t{n}")) for n in range(20)])
        cursors = [""]
        while (found := await database.changed(cursors[-1], 1)).tasks:
            cursors.append(found.next)
        assert len(cursors) == 21
        assert len((await database.changed(cursors[-2])).tasks) == 1
        assert len((await database.changed(cursors[1])).tasks) == 20

    place.runner.run(scenario())
