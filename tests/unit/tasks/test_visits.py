"""The change feed where the process stands still between requests: each visit tells what changed since the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from miyabi.model import NewEvent
from miyabi.tasks.app import TasksApp

from .conftest import Bench, Story
from .test_events import Event, parse

Tell = Callable[[Story], None]


async def visit(bench: Bench, query: str = "", place: str | None = None) -> list[Event]:
    """What one visit hears, from ``place`` on."""
    app = TasksApp(bench.app.api, bench.stores.database, follows=False)
    headers: dict[str, str] = {"last_event_id": place} if place else {}
    answer = await bench._replace(app=app).ask("GET", f"/api/events{query}", **headers)
    assert answer.status == 200, answer.body
    events = parse(answer.body)
    assert (events[0].name, events[-1].name) == ("hello", "again")
    return events


def told(events: list[Event]) -> list[Any]:
    return [event.data["task_id"] for event in events if event.name == "task"]


def test_the_first_visit_tells_only_where_to_go_on(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("before")
        hello, again = await visit(bench)
        assert hello.data == {"resumed": False}
        assert again.data["milliseconds"] == 3000
        assert again.data["place"] == again.id

    tell(story)


def test_the_next_visit_tells_what_changed_since_the_last_and_no_more(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("before")
        first = await visit(bench)
        await bench.made("a")
        await bench.made("b")
        second = await visit(bench, place=first[-1].id)
        assert second[0].data == {"resumed": True}
        assert told(second) == ["a", "b"]
        assert told(await visit(bench, place=second[-1].id)) == []

    tell(story)


def test_a_visit_with_the_place_of_another_board_begins_anew(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        events = await visit(bench, place="another board's|7")
        assert (events[0].data, told(events)) == ({"resumed": False}, [])

    tell(story)


def test_a_visit_to_one_task_tells_of_that_task_and_its_new_lines(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        await bench.stores.logs.append("/miyabi/jobs", "a", [NewEvent(1, "one")])
        first = await visit(bench, "?task_id=a")
        await bench.made("b")
        await bench.stores.logs.append("/miyabi/jobs", "a", [NewEvent(2, "two")])
        second = await visit(bench, "?task_id=a", place=first[-1].id)
        [lines] = [event for event in second if event.name == "lines"]
        assert [line["message"] for line in lines.data["events"]] == ["two"]
        assert told(second) == []
        assert [event.name for event in await visit(bench, "?task_id=a", place=second[-1].id)] == ["hello", "again"]

    tell(story)
