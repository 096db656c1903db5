"""What every cache promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import Clock
from tests.support.tasks import START, a_task, ids, later

from miyabi.cache import NEWEST, TTL_SECONDS, Cache, Listing
from miyabi.model import FINAL, STATUSES, Project, Task, iso

from .conftest import CACHES

MINUTE = 60_000
LISTINGS: tuple[Listing, ...] = ("active", "newest")


async def listed(cache: Cache, name: Listing) -> list[str] | None:
    found = await cache.listing(name)
    return None if found is None else ids(found)


async def filled(cache: Cache, *tasks: Task) -> None:
    """Both lists, of what the database has."""
    mark = await cache.mark()
    await cache.fill("active", [task for task in tasks if not task.final], mark)
    await cache.fill("newest", tasks, mark)


async def test_a_task_comes_back_as_it_was_put(cache: Cache) -> None:
    await cache.put([a_task("a"), a_task("b")])
    assert await cache.task("a") == a_task("a")
    assert await cache.task("nobody") is None


async def test_a_copy_never_goes_back_in_time(cache: Cache) -> None:
    newer = later(a_task("a"), status="completed")
    await cache.put([newer])
    await cache.put([a_task("a")])
    assert await cache.task("a") == newer


async def test_a_newer_copy_takes_the_place_of_an_older_one(cache: Cache) -> None:
    await cache.put([a_task("a"), later(a_task("a"), task_name="newer")])
    found = await cache.task("a")
    assert found is not None
    assert found.task_name == "newer"


async def test_an_entry_lives_for_an_hour_after_it_was_put_last(cache: Cache, clock: Clock) -> None:
    await cache.put([a_task("a"), a_task("b")])
    clock.forward(TTL_SECONDS * 1000 - MINUTE)
    await cache.put([a_task("b")])
    assert await cache.task("a") is not None
    clock.forward(MINUTE)
    assert await cache.task("a") is None
    assert await cache.task("b") is not None


@pytest.mark.parametrize("name", LISTINGS)
async def test_a_list_is_unknown_until_it_was_filled(cache: Cache, name: Listing) -> None:
    await cache.put([a_task("a")])
    assert await cache.listing(name) is None
    await cache.fill(name, [a_task("a")], await cache.mark())
    assert await listed(cache, name) == ["a"]


@pytest.mark.parametrize("name", LISTINGS)
async def test_an_empty_list_is_known_to_be_empty(cache: Cache, name: Listing) -> None:
    await cache.fill(name, [], await cache.mark())
    assert await cache.listing(name) == ()


@pytest.mark.parametrize("name", LISTINGS)
async def test_a_list_is_newest_first_and_by_id_among_equals(cache: Cache, name: Listing) -> None:
    await filled(cache, a_task("b", age=1), a_task("z"))
    await cache.put([a_task("c", age=1), a_task("a", age=2)])
    assert await listed(cache, name) == ["a", "c", "b", "z"]


@pytest.mark.parametrize("name", LISTINGS)
async def test_a_list_is_the_same_object_while_nothing_changed(cache: Cache, name: Listing) -> None:
    await filled(cache, a_task("a"))
    whole = await cache.listing(name)
    assert await cache.listing(name) is whole
    await cache.put([later(a_task("a"))])
    assert await cache.listing(name) is not whole
    assert await listed(cache, name) == ["a"]


async def test_a_task_that_ends_leaves_the_active_and_stays_among_the_newest(cache: Cache) -> None:
    await filled(cache, a_task("a"), a_task("b"))
    await cache.put([later(a_task("a"), status="failed")])
    assert await listed(cache, "active") == ["b"]
    assert await listed(cache, "newest") == ["b", "a"]


async def test_a_task_that_starts_again_joins_the_active(cache: Cache) -> None:
    ended = a_task("a", status="failed")
    await filled(cache, ended, a_task("b", age=-1))
    await cache.put([later(ended, status="running")])
    assert await listed(cache, "active") == ["a", "b"]


async def test_an_old_copy_brings_no_task_back_among_the_active(cache: Cache) -> None:
    await filled(cache, a_task("a"))
    await cache.put([later(a_task("a"), status="completed")])
    await cache.put([a_task("a")])
    assert await listed(cache, "active") == []


async def test_the_newest_are_so_many_and_no_more(cache: Cache) -> None:
    await filled(cache, *(a_task(f"t{n}", age=n) for n in reversed(range(NEWEST))))
    await cache.put([a_task("new", age=NEWEST), a_task("old", age=-1)])
    expected = ["new", *(f"t{n}" for n in reversed(range(1, NEWEST)))]
    assert await listed(cache, "newest") == expected


async def test_what_was_put_while_the_database_was_asked_stays_on_top(cache: Cache) -> None:
    await filled(cache)
    a, b, c = a_task("a"), a_task("b", age=1), a_task("c", age=2)
    mark = await cache.mark()
    await cache.put([later(a, status="completed"), later(b, task_name="renamed"), c])
    await cache.fill("active", [b, a], mark)
    await cache.fill("newest", [b, a], mark)
    assert await listed(cache, "active") == ["c", "b"]
    newest = await cache.listing("newest")
    assert newest is not None
    assert [(task.task_id, task.status, task.task_name) for task in newest] == [
        ("c", "running", "c"),
        ("b", "running", "renamed"),
        ("a", "completed", "a"),
    ]


@pytest.mark.parametrize("name", LISTINGS)
async def test_a_task_that_was_made_while_the_database_was_asked_joins(cache: Cache, name: Listing) -> None:
    mark = await cache.mark()
    await cache.put([a_task("a")])
    await cache.fill(name, [], mark)
    assert await listed(cache, name) == ["a"]


async def test_a_list_from_a_database_that_lags_behind_takes_no_task_back_in_time(cache: Cache) -> None:
    ended = later(a_task("a"), status="completed")
    await cache.put([ended])
    await filled(cache, a_task("a"))
    assert await cache.listing("active") == ()
    assert await cache.listing("newest") == (ended,)


async def test_what_was_put_before_the_database_was_asked_is_told_by_the_database(cache: Cache) -> None:
    await cache.put([a_task("gone")])
    await cache.fill("active", [a_task("a")], await cache.mark())
    assert await listed(cache, "active") == ["a"]


@pytest.mark.parametrize(("whole", "filled"), [("active", "newest"), ("newest", "active")])
async def test_a_task_that_a_fill_brought_before_its_put_is_in_the_other_list_too(
    cache: Cache, whole: Listing, filled: Listing
) -> None:
    await cache.fill(whole, [], await cache.mark())
    await cache.fill(filled, [a_task("a")], await cache.mark())
    await cache.put([a_task("a")])
    assert await cache.listing(whole) in (None, (a_task("a"),))


async def test_a_list_that_nobody_touched_for_an_hour_is_unknown(cache: Cache, clock: Clock) -> None:
    await filled(cache, a_task("a"))
    clock.forward(TTL_SECONDS * 1000)
    assert await cache.listing("active") is None


async def test_a_project_comes_back_and_never_goes_back_in_time(cache: Cache) -> None:
    def project(name: str, age: int) -> Project:
        time = iso(START + age)
        return Project(project_id="house", project_name=name, status="active", created_at=time, updated_at=time)

    assert await cache.project("house") is None
    await cache.put_project(project("new", 1))
    await cache.put_project(project("old", 0))
    found = await cache.project("house")
    assert found is not None
    assert found.project_name == "new"
    await cache.put_project(project("newest", 2))
    found = await cache.project("house")
    assert found is not None
    assert found.project_name == "newest"


async def test_the_cache_answers(cache: Cache) -> None:
    await cache.ping()
    await cache.close()


Step = tuple[str, Any]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.tuples(st.integers(0, 7), st.sampled_from(STATUSES))),
        st.tuples(st.just("put"), st.integers(0, 30)),
        st.tuples(st.sampled_from(["mark", "ask", "fill"]), st.sampled_from(LISTINGS)),
    ),
    max_size=40,
)


@pytest.mark.parametrize("make", CACHES.values(), ids=CACHES)
@settings(max_examples=200, deadline=None)
@given(steps=steps)
def test_whatever_comes_between_a_known_list_is_the_databases(
    make: Callable[[Clock], Cache], steps: list[Step]
) -> None:
    """Writers save and put later, in any order; a reader marks, asks the database and fills later."""
    asyncio.run(_interleave(make(Clock()), steps))


async def _interleave(cache: Cache, steps: list[Step]) -> None:
    try:
        await _go_through(cache, steps)
    finally:
        await cache.close()


async def _go_through(cache: Cache, steps: list[Step]) -> None:
    truth: dict[str, Task] = {}
    saved: list[Task] = []
    marks: dict[Listing, str] = {}
    asked: dict[Listing, tuple[list[Task], str]] = {}
    for step, what in steps:
        if step == "save":
            number, status = what
            old = truth.get(f"t{number}") or a_task(f"t{number}", age=number)
            truth[old.task_id] = later(old, status=status)
            saved.append(truth[old.task_id])
        elif step == "put" and saved:
            await cache.put([saved.pop(what % len(saved))])
        elif step == "mark":
            marks[what] = await cache.mark()
        elif step == "ask" and what in marks:
            asked[what] = _expected(truth, what), marks[what]
        elif step == "fill" and what in asked:
            tasks, mark = asked.pop(what)
            await cache.fill(what, tasks, mark)
    await cache.put(saved)
    for name in LISTINGS:
        found = await cache.listing(name)
        assert found is None or list(found) == _expected(truth, name)


def _expected(truth: dict[str, Task], name: Listing) -> list[Task]:
    wanted = [task for task in truth.values() if name == "newest" or task.status not in FINAL]
    return sorted(wanted, key=lambda task: (task.created_at, task.task_id), reverse=True)
