"""What every database promises of tasks and their history."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.tasks import a_task, ids, known, later

from miyabi.database import Bookmark, Current, Database, DatabaseUnavailable, Save, TaskQuery, cursor_after
from miyabi.model import FINAL, STATUSES, Progress, Status, Task

from .conftest import Opener

SOME_STATUSES: tuple[Status | None, ...] = (None, "running", "failed")
SOON = 5.0
"""Seconds within which something surely happens on a busy machine."""


async def current(database: Database, task_id: str) -> Current:
    return known((await database.get([task_id]))[0])


async def made(database: Database, *tasks: Task) -> None:
    assert all(await database.save([Save(task) for task in tasks]))


async def every(database: Database, query: TaskQuery, limit: int = 7) -> list[str]:
    """The ids of a whole list, page after page."""
    found: list[str] = []
    cursor = None
    while True:
        page = await database.tasks(query, cursor=cursor, limit=limit)
        assert len(page.tasks) <= limit
        found += ids(page.tasks)
        cursor = page.next
        if cursor is None:
            return found


async def test_a_task_comes_back_as_it_was_saved(database: Database) -> None:
    task = a_task("a", progress=Progress.of(15, 29), metadata={"n": [1, None, "é"]}, description="x\0y", ttl=9)
    await made(database, task)
    assert await database.get(["a"]) == [Current(task)]


async def test_tasks_come_in_the_order_they_are_asked_for_and_none_for_the_unknown(database: Database) -> None:
    await made(database, a_task("a"), a_task("b"))
    found = await database.get(["b", "nobody", "a", "b"])
    assert [current and current.task.task_id for current in found] == ["b", None, "a", "b"]


async def test_a_bookmark_is_saved_with_its_task(database: Database) -> None:
    await database.save([Save(a_task("a"), bookmark=Bookmark("7", b"\0state"))])
    assert (await current(database, "a")).bookmark == Bookmark("7", b"\0state")


async def test_a_save_without_a_bookmark_leaves_the_stored_one(database: Database) -> None:
    await database.save([Save(a_task("a"), bookmark=Bookmark("7", b"state"))])
    base = await current(database, "a")
    assert await database.save([Save(later(base.task, task_name="renamed"), base)]) == [True]
    after = await current(database, "a")
    assert (after.task.task_name, after.bookmark) == ("renamed", Bookmark("7", b"state"))


async def test_an_older_version_is_refused(database: Database) -> None:
    await made(database, later(a_task("a"), by=5))
    base = await current(database, "a")
    assert await database.save([Save(a_task("a"), base)]) == [False]
    assert await current(database, "a") == base


async def test_a_task_that_is_there_is_not_made_again(database: Database) -> None:
    await made(database, a_task("a"))
    assert await database.save([Save(later(a_task("a"), task_name="other"))]) == [False]
    assert (await current(database, "a")).task.task_name == "a"


async def test_a_task_that_is_not_there_is_not_changed(database: Database) -> None:
    assert await database.save([Save(later(a_task("a")), Current(a_task("a")))]) == [False]
    assert await database.get(["a"]) == [None]


async def test_a_write_on_another_version_than_the_stored_is_refused(database: Database) -> None:
    task = a_task("a")
    await made(database, task)
    await database.save([Save(later(task), Current(task))])
    assert await database.save([Save(later(task, by=9), Current(task))]) == [False]


async def test_a_write_on_another_bookmark_than_the_stored_is_refused(database: Database) -> None:
    task = a_task("a")
    await database.save([Save(task, bookmark=Bookmark("7"))])
    for stale in (None, Bookmark("6")):
        assert await database.save([Save(later(task), Current(task, stale), Bookmark("8"))]) == [False]
    assert await database.save([Save(later(task), Current(task, Bookmark("7")), Bookmark("8"))]) == [True]


async def test_the_same_write_made_twice_changes_nothing_and_is_answered_alike(database: Database) -> None:
    task = a_task("a")
    first = Save(task, bookmark=Bookmark("1", b"s"))
    second = Save(later(task), Current(task, Bookmark("1", b"s")), Bookmark("2", b"t"))
    assert await database.save([first]) == await database.save([first]) == [True]
    assert await database.save([second]) == [True]
    place = (await database.changed()).next
    assert await database.save([second]) == [True]
    assert (await database.changed(place)).tasks == []
    assert ids((await database.history("a")).tasks) == ["a", "a"]
    row = await database.project("house")
    assert row is not None
    assert row.tally.running == 1


async def test_a_refused_write_stops_no_other_of_its_batch(database: Database) -> None:
    await made(database, a_task("a"))
    saves = [Save(a_task("b")), Save(later(a_task("a"))), Save(a_task("c"))]
    assert await database.save(saves) == [True, False, True]
    assert await every(database, TaskQuery()) == ["c", "b", "a"]


async def test_the_versions_of_a_task_may_come_in_one_batch(database: Database) -> None:
    first = a_task("a")
    second = later(first, status="completed")
    assert await database.save([Save(first), Save(second, Current(first))]) == [True, True]
    assert (await current(database, "a")).task == second


async def test_of_many_that_write_at_once_on_the_same_version_one_is_kept(
    database: Database, open_database: Opener[Database]
) -> None:
    other, task = await open_database(), a_task("a")
    await made(database, task)
    kept = await asyncio.gather(
        *(
            side.save([Save(later(task, by=n + 1, task_name=str(n)), Current(task))])
            for n, side in enumerate([database, other] * 5)
        )
    )
    (winner,) = [n for n, answer in enumerate(kept) if answer == [True]]
    assert (await current(other, "a")).task.task_name == str(winner)


async def test_what_is_saved_is_there_for_whoever_opens_the_database(
    database: Database, open_database: Opener[Database]
) -> None:
    await made(database, a_task("a"))
    assert await (await open_database()).get(["a"]) == [Current(a_task("a"))]


async def test_a_list_is_newest_first_and_by_id_among_equals(database: Database) -> None:
    await made(database, a_task("b", age=1), a_task("z"), a_task("c", age=1), a_task("a", age=2))
    assert await every(database, TaskQuery()) == ["a", "c", "b", "z"]


async def test_every_combination_of_filters_lists_exactly_what_it_names(database: Database) -> None:
    kinds = list(product(STATUSES, ("house", "garden"), ("build", "cdk_deploy")))
    tasks = [
        a_task(f"t{n}", age=n // 2, status=status, project_id=project, task_type=task_type)
        for n, (status, project, task_type) in enumerate(kinds * 2)
    ]
    await made(database, *tasks)
    newest = sorted(tasks, key=lambda task: (task.created_at, task.task_id), reverse=True)
    for status, project, kind, active in product(
        (None, *STATUSES), (None, "house"), (None, "build"), (None, True, False)
    ):
        wanted = [
            task
            for task in newest
            if status in (None, task.status)
            and project in (None, task.project_id)
            and kind in (None, task.task_type)
            and active in (None, task.status not in FINAL)
        ]
        assert await every(database, TaskQuery(status, project, kind, active)) == ids(wanted)


async def test_a_list_within_some_projects_holds_what_is_theirs_and_nothing_else(database: Database) -> None:
    kinds = list(product(STATUSES, ("house", "garden", "shed"), ("build", "cdk_deploy")))
    tasks = [
        a_task(f"t{n}", age=n // 2, status=status, project_id=project, task_type=task_type)
        for n, (status, project, task_type) in enumerate(kinds)
    ]
    await made(database, *tasks)
    newest = sorted(tasks, key=lambda task: (task.created_at, task.task_id), reverse=True)
    for projects, project, status, kind, active in product(
        ((), ("house",), ("garden", "house"), ("nowhere", "shed")),
        (None, "house"), SOME_STATUSES, (None, "build"), (None, True, False),
    ):  # fmt: skip
        wanted = [
            task
            for task in newest
            if task.project_id in projects
            and project in (None, task.project_id)
            and status in (None, task.status)
            and kind in (None, task.task_type)
            and active in (None, task.status not in FINAL)
        ]
        assert await every(database, TaskQuery(status, project, kind, active, projects)) == ids(wanted)


async def test_a_list_within_as_many_projects_as_a_token_may_name_is_answered(database: Database) -> None:
    projects = tuple(f"p{n}" for n in range(200))
    await made(database, *(a_task(f"t{n}", age=n, project_id=f"p{n}") for n in range(12)), a_task("other"))
    newest = [f"t{n}" for n in reversed(range(12))]
    for active in (None, True):
        assert await every(database, TaskQuery(active=active, projects=projects)) == newest


async def test_a_cursor_within_some_projects_survives_changes_between_the_pages(database: Database) -> None:
    tasks = [a_task(f"t{n}", age=n, project_id=("house", "garden", "shed")[n % 3]) for n in range(12)]
    await made(database, *tasks)
    for query in (TaskQuery(projects=("garden", "house")), TaskQuery(active=True, projects=("garden", "house"))):
        base = [known(current) for current in await database.get([task.task_id for task in tasks])]
        page = await database.tasks(query, limit=3)
        await database.save([Save(later(one.task, by=7), one) for one in base[:9]])
        await database.save([Save(a_task(f"new-{query.active}", age=20, project_id="garden"))])
        rest = await database.tasks(query, cursor=page.next, limit=20)
        found = [name for name in ids([*page.tasks, *rest.tasks]) if not name.startswith("new")]
        assert found == ["t10", "t9", "t7", "t6", "t4", "t3", "t1", "t0"]


@pytest.mark.parametrize(
    "query",
    [TaskQuery(), TaskQuery(active=True), TaskQuery(task_type="build"), TaskQuery(projects=("house", "shed"))],
    ids=["all", "active", "type", "projects"],
)
async def test_a_list_goes_on_behind_any_task_that_is_named(database: Database, query: TaskQuery) -> None:
    tasks = [a_task(f"t{n}", age=n) for n in range(6)]
    await made(database, *tasks)
    page = await database.tasks(query, cursor=cursor_after(tasks[4]), limit=2)
    assert ids(page.tasks) == ["t3", "t2"]
    assert ids((await database.tasks(query, cursor=page.next, limit=9)).tasks) == ["t1", "t0"]


async def test_a_cursor_comes_only_where_more_follows(database: Database) -> None:
    await made(database, *(a_task(f"t{n}", age=n) for n in range(4)))
    assert (await database.tasks(TaskQuery(), limit=4)).next is None
    page = await database.tasks(TaskQuery(), limit=3)
    assert page.next is not None
    assert ids((await database.tasks(TaskQuery(), cursor=page.next, limit=3)).tasks) == ["t0"]


async def test_a_cursor_survives_changes_between_the_pages(database: Database) -> None:
    tasks = [a_task(f"t{n}", age=n) for n in range(6)]
    await made(database, *tasks)
    page = await database.tasks(TaskQuery(active=True), limit=3)
    ended = [Save(later(tasks[n], status="completed"), Current(tasks[n])) for n in (1, 3, 4)]
    await database.save([*ended, Save(a_task("new", age=9))])
    rest = await database.tasks(TaskQuery(active=True), cursor=page.next, limit=3)
    assert ids(page.tasks) == ["t5", "t4", "t3"]
    assert ids(rest.tasks) == ["t2", "t0"]


@pytest.mark.parametrize("cursor", ["", "x", "!!", "bm9uZQ", "é", "MjAyNg" * 3])
async def test_a_cursor_nobody_gave_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await database.tasks(TaskQuery(), cursor=cursor)


async def test_the_history_holds_the_kept_versions_and_the_current_state_first(database: Database) -> None:
    base = Current(a_task("a"))
    await made(database, base.task, a_task("b"))
    for n in range(1, 6):
        task = later(base.task, progress=Progress.of(n, 9))
        assert await database.save([Save(task, base, kept=n % 2 == 0)]) == [True]
        base = Current(task)
    page = await database.history("a")
    assert [task.progress.current for task in page.tasks] == [5, 4, 2, None]
    assert page.next is None


async def test_the_history_is_read_in_pages(database: Database) -> None:
    base = Current(a_task("a"))
    await made(database, base.task)
    for _ in range(4):
        task = later(base.task)
        await database.save([Save(task, base)])
        base = Current(task)
    found: list[int] = []
    cursor = None
    while True:
        page = await database.history("a", cursor=cursor, limit=2)
        found += [task.timestamp for task in page.tasks]
        cursor = page.next
        if cursor is None:
            break
    assert found == [base.task.timestamp - n for n in range(5)]


@pytest.mark.parametrize("name", ["memo:place", "project:house", "", "é" * 3000, "a b"])
async def test_what_is_no_tasks_id_names_no_task(database: Database, name: str) -> None:
    await database.save([Save(a_task("a"))])
    await database.set_memo("place", "1")
    assert await database.get([name, "a"]) == [None, Current(a_task("a"))]
    assert (await database.history(name)).tasks == []
    assert await database.project(name) is None


async def test_nobody_has_no_history(database: Database) -> None:
    assert (await database.history("nobody")).tasks == []
    with pytest.raises(ValueError, match="cursor"):
        await database.history("nobody", cursor="x")


async def test_the_feed_gives_each_changed_task_once_in_its_newest_state(database: Database) -> None:
    a, b = a_task("a"), a_task("b")
    await made(database, a, b)
    place = (await database.changed(limit=0)).next
    for task in (a, later(a)):
        await database.save([Save(later(task), Current(task))])
    changes = await database.changed()
    assert [(task.task_id, task.timestamp) for task in changes.tasks] == [
        ("b", b.timestamp),
        ("a", a.timestamp + 2),
    ]
    assert ids((await database.changed(place)).tasks) == ["a"]
    assert (await database.changed(changes.next)).tasks == []


async def test_a_bookmark_alone_moves_without_a_change_to_the_task(database: Database) -> None:
    task = a_task("a")
    await database.save([Save(task, bookmark=Bookmark("1"))])
    place = (await database.changed()).next
    base = await current(database, "a")
    assert await database.save([Save(task, base, Bookmark("2", b"state"), kept=False)]) == [True]
    assert (await current(database, "a")).bookmark == Bookmark("2", b"state")
    assert (await database.changed(place)).tasks == []
    assert await database.save([Save(later(task), base, Bookmark("3"))]) == [False]


async def test_the_feed_is_read_in_pages(database: Database) -> None:
    await made(database, *(a_task(name) for name in "abc"))
    page = await database.changed(limit=2)
    assert ids(page.tasks) == ["a", "b"]
    rest = await database.changed(page.next, limit=2)
    assert ids(rest.tasks) == ["c"]
    assert rest.next == (await database.changed(limit=0)).next


async def test_an_empty_answer_tells_where_the_feed_ends(database: Database) -> None:
    start = await database.changed(limit=0)
    assert start.tasks == []
    await made(database, a_task("a"))
    end = (await database.changed(limit=0)).next
    assert end != start.next
    assert ids((await database.changed(start.next)).tasks) == ["a"]
    assert (await database.changed(end)).next == end


async def test_a_feed_cursor_nobody_gave_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await database.changed("yesterday")


async def test_a_save_wakes_everybody_who_waits(database: Database, open_database: Opener[Database]) -> None:
    other = await open_database()
    place = (await database.changed(limit=0)).next
    assert not await database.wait(place, 0.02)
    waits = [asyncio.create_task(side.wait(place, SOON)) for side in (database, database, other)]
    await asyncio.sleep(0)
    await made(database, a_task("a"))
    assert await asyncio.gather(*waits) == [True] * 3
    assert await database.wait(place, 0)
    assert not await database.wait((await database.changed()).next, 0)


async def test_a_refused_save_wakes_nobody(database: Database) -> None:
    await made(database, a_task("a"))
    place = (await database.changed()).next
    await database.save([Save(later(a_task("a")))])
    assert not await database.wait(place, 0.02)


async def test_a_history_can_be_replaced_with_the_save_that_follows_from_it(database: Database) -> None:
    await made(database, a_task("a"), a_task("b"))
    current, other = await database.get(["a", "b"])
    assert current
    assert other
    versions = [later(current.task, by=n) for n in (1, 2, 3)]
    newest = later(current.task, by=9)
    assert await database.save([Save(newest, current, history=versions)]) == [True]
    found = (await database.history("a")).tasks
    assert found == [newest, *reversed(versions)]
    assert (await database.history("b")).tasks == [other.task]
    assert await database.save([Save(later(newest), current, history=[])]) == [False], "somebody else wrote"
    assert (await database.history("a")).tasks == found


async def test_a_memo_is_remembered(database: Database, open_database: Opener[Database]) -> None:
    assert await database.memo("reader") == ""
    for value in ("7", "x y/é"):
        await database.set_memo("reader", value)
    assert await (await open_database()).memo("reader") == "x y/é"
    assert await database.memo("other") == ""


async def test_a_memo_is_swapped_only_for_what_is_there(database: Database, open_database: Opener[Database]) -> None:
    assert not await database.swap_memo("turn", "not there", "x")
    assert await database.swap_memo("turn", "", "1")
    assert not await database.swap_memo("turn", "", "x"), "there is one"
    other = await open_database()
    assert await other.swap_memo("turn", "1", "2")
    assert not await database.swap_memo("turn", "1", "x"), "another was first"
    assert not await database.swap_memo("turn", "1", "2"), "even where it wrote the same"
    assert await database.memo("turn") == "2"
    await database.set_memo("turn", "")
    assert await database.swap_memo("turn", "", "3")


async def test_of_those_who_swap_a_memo_at_once_one_does(database: Database, open_database: Opener[Database]) -> None:
    both = [database, await open_database()]
    await database.set_memo("turn", "0")
    swaps = [both[n % 2].swap_memo("turn", "0", str(n)) for n in range(1, 9)]
    won = [n for n, swapped in enumerate(await asyncio.gather(*swaps), 1) if swapped]
    assert [str(n) for n in won] == [await database.memo("turn")]


async def test_the_database_answers_until_it_is_closed(database: Database) -> None:
    await database.ping()
    await database.close()
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    with pytest.raises(DatabaseUnavailable):
        await database.save([Save(a_task("a"))])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)), again=st.lists(st.integers(0, 5), max_size=6))
def test_whatever_order_writes_come_in_the_task_never_goes_back(
    runner: asyncio.Runner, database: Database, order: list[int], again: list[int]
) -> None:
    async def scenario() -> None:
        first = a_task(f"t{(await database.changed(limit=0)).next}")
        versions = [later(first, by=n) for n in range(6)]
        await made(database, first)
        newest = first.timestamp
        for n in [*order, *again]:
            base = await current(database, first.task_id)
            (kept,) = await database.save([Save(versions[n], base)])
            assert kept == (versions[n].timestamp >= newest)
            newest = max(newest, versions[n].timestamp)
            assert (await current(database, first.task_id)).task.timestamp == newest

    runner.run(scenario())
