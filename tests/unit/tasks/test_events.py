"""The change feed as events: what changed, once, in its newest state; and nothing missed in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, NamedTuple

import msgspec
import pytest

from miyabi.logs import LogPage, Logs, LogsUnavailable
from miyabi.model import NewEvent
from miyabi.principal import EVERYTHING
from miyabi.tasks.stream import Place, Viewer, Watch

from .conftest import Bench, Story

Tell = Callable[[Story], None]


class Event(NamedTuple):
    """One event as a browser sees it."""

    name: str
    data: Any
    id: str | None


def parse(burst: bytes) -> list[Event]:
    events = []
    for block in burst.decode().strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if fields:
            events.append(Event(fields["event"], msgspec.json.decode(fields["data"]), fields.get("id")))
    return events


async def until(bursts: AsyncIterator[bytes], wanted: Callable[[list[Event]], bool]) -> list[Event]:
    """Everything that comes up to the burst with which ``wanted`` holds."""
    seen: list[Event] = []
    async with asyncio.timeout(10):
        async for burst in bursts:
            seen += parse(burst)
            if wanted(seen):
                return seen
    return seen


class Flaky:
    """Logs that do not answer every other read."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self.reads = 0

    async def read(self, *stream: str, **page: Any) -> LogPage:
        """A page, or no answer."""
        self.reads += 1
        if self.reads % 2:
            raise LogsUnavailable("away")
        return await self._logs.read(*stream, **page)


def viewer(bench: Bench, watch: Watch | None = None) -> Viewer:
    return Viewer(bench.app.api.hub, bench.stores.database, bench.stores.logs, watch or Watch())


def watching(task_id: str) -> Watch:
    return Watch(task_id, ("/miyabi/jobs", task_id), "0")


def test_a_change_comes_after_hello(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        async with aclosing(viewer(bench).events(None, gap=0)) as bursts:
            assert [event.name for event in parse(await anext(bursts))] == ["hello"]
            await bench.made("a")
            [event] = await until(bursts, bool)
            assert (event.name, event.data["task_id"]) == ("task", "a")

    tell(story)


def test_who_comes_back_gets_what_changed_meanwhile_each_task_once_and_newest(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("before")
        async with aclosing(viewer(bench).events(None, gap=0)) as bursts:
            [hello] = parse(await anext(bursts))
        await bench.made("a")
        await bench.made("b")
        bench.clock.forward(1000)
        await bench.ask("PATCH", "/api/tasks/a", {"task_name": "renamed"})
        assert hello.id is not None
        async with aclosing(viewer(bench).events(Place.parse(hello.id), gap=0)) as bursts:
            seen = await until(bursts, lambda events: events[-1].data.get("task_id") == "a")
        told = [(event.data["task_id"], event.data["task_name"]) for event in seen if event.name == "task"]
        assert told[-2:] == [("b", "b"), ("a", "renamed")]

    tell(story)


def test_one_tasks_viewer_hears_of_that_task_and_its_lines_only(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        await bench.made("b")
        async with aclosing(viewer(bench, watching("a")).events(None, gap=0)) as bursts:
            await anext(bursts)
            await bench.ask("PATCH", "/api/tasks/b", {"task_name": "not mine"})
            await bench.stores.logs.append("/miyabi/jobs", "b", [NewEvent(1, "not mine")])
            await bench.stores.logs.append("/miyabi/jobs", "a", [NewEvent(1, "one"), NewEvent(2, "two")])
            seen = await until(bursts, bool)
        assert [event.name for event in seen] == ["lines"]
        assert [line["message"] for line in seen[0].data["events"]] == ["one", "two"]

    tell(story)


def test_lines_go_on_where_the_last_event_left_off(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        await bench.stores.logs.append("/miyabi/jobs", "a", [NewEvent(1, "one")])
        async with aclosing(viewer(bench, watching("a")).events(None, gap=0)) as bursts:
            seen = await until(bursts, lambda events: events[-1].name == "lines")
        await bench.stores.logs.append("/miyabi/jobs", "a", [NewEvent(2, "two")])
        last = Place.parse(seen[-1].id or "")
        async with aclosing(viewer(bench, watching("a")).events(last, gap=0)) as bursts:
            seen = await until(bursts, lambda events: events[-1].name == "lines")
        assert [line["message"] for line in seen[-1].data["events"]] == ["two"]

    tell(story)


def test_many_changes_of_a_task_reach_a_slow_viewer_as_one(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        async with aclosing(viewer(bench).events(None, gap=0)) as bursts:
            await anext(bursts)
            for number in range(50):
                bench.clock.forward(1)
                await bench.ask("PATCH", "/api/tasks/a", {"task_name": f"n{number}"})
            seen = await until(bursts, lambda events: events[-1].data["task_name"] == "n49")
        assert len(seen) <= 50
        assert [event.data["timestamp"] for event in seen] == sorted(event.data["timestamp"] for event in seen)

    tell(story)


def test_a_closing_board_ends_its_streams(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        async with aclosing(viewer(bench).events(None, gap=0)) as bursts:
            await anext(bursts)
            bench.app.api.hub.close()
            assert [burst async for burst in bursts] == []

    tell(story)


def test_an_id_that_is_not_ours_is_no_place() -> None:
    assert Place.parse("") is None
    assert Place.parse("17") is None
    assert Place.parse("|5") is None
    assert Place.parse("12|5") == Place("12", "5")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\0", "\x1b", "\x85", "\u2028"])
def test_no_id_that_a_client_sends_comes_back_as_another_field(end: str) -> None:
    assert Place.parse(f"12|5{end}event: task{end}data: {{}}") is None
    assert Place.parse(f"12{end}event: task|5") is None


def test_who_comes_with_another_boards_place_begins_anew(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        async with aclosing(viewer(bench, watching("a")).events(Place("nonsense", "nonsense"), gap=0)) as bursts:
            assert [event.name for event in parse(await anext(bursts))] == ["hello"]
            await bench.stores.logs.append("/miyabi/jobs", "a", [NewEvent(1, "one")])
            seen = await until(bursts, lambda events: events[-1].name == "lines")
        assert seen[-1].data["events"][0]["message"] == "one"

    tell(story)


def test_a_stream_outlives_a_store_that_does_not_answer(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        logs = Flaky(bench.stores.logs)
        watcher = Viewer(bench.app.api.hub, bench.stores.database, logs, watching("a"))  # type: ignore[arg-type]
        async with aclosing(watcher.events(None, gap=0, retry=0)) as bursts:
            seen: list[str] = []
            for text in ("one", "two", "three"):
                await bench.stores.logs.append("/miyabi/jobs", "a", [NewEvent(1, text)])
                events = await until(bursts, lambda events: bool(events) and events[-1].name == "lines")
                seen += [line["message"] for event in events if event.name == "lines" for line in event.data["events"]]
        assert seen == ["one", "two", "three"]

    tell(story)


def test_viewers_who_keep_up_share_what_they_are_sent(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        hub = bench.app.api.hub
        place = hub.number
        signals = [hub.watch() for _ in range(3)]
        await bench.made("a")
        async with asyncio.timeout(10):
            await asyncio.gather(*(signal.event.wait() for signal in signals))
        assert hub.since(place, EVERYTHING) is hub.since(place, EVERYTHING), "viewers in one place share their bytes"
        for signal in signals:
            hub.unwatch(signal)
        assert hub.since(hub.number, EVERYTHING) == b""

    tell(story)


def test_where_the_lines_shall_begin_is_checked_before_the_stream_begins(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        answer = await bench.ask("GET", "/api/events?task_id=a&after=nonsense")
        assert (answer.status, answer.json()["parameter"]) == (400, "after")

    tell(story)


def test_asking_for_the_head_of_the_stream_does_not_begin_it(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        answer = await bench.ask("HEAD", "/api/events")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["content-type"].startswith("text/event-stream")

    tell(story)
