"""Lines over HTTP: appended once, read from either end, under either spelling of their group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Bench, Story

Tell = Callable[[Story], None]


def batch(*messages: str, sequence: int | None = None) -> dict[str, Any]:
    events = [{"timestamp": 1_795_000_000_000, "message": message} for message in messages]
    return {"events": events} if sequence is None else {"events": events, "writer": {"id": "w", "sequence": sequence}}


async def lines(bench: Bench, query: str = "") -> list[str]:
    return [event["message"] for event in (await bench.ask("GET", f"/api/tasks/a/logs{query}")).json()["events"]]


@pytest.mark.parametrize("group", ["miyabi/jobs", "%2Fmiyabi%2Fjobs", "/miyabi/jobs"])
def test_a_group_may_be_written_plain_or_encoded(tell: Tell, group: str) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        assert (await bench.ask("POST", f"/api/logs/{group}/a", batch("one"))).json() == {"stored": 1}
        assert await lines(bench) == ["one"]

    tell(story)


def test_a_batch_that_is_sent_twice_is_stored_once(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        await bench.ask("POST", "/api/logs/miyabi/jobs/a", batch("one", "two", sequence=0))
        again = await bench.ask("POST", "/api/logs/miyabi/jobs/a", batch("one", "two", "three", sequence=0))
        assert again.json() == {"stored": 1}
        assert await lines(bench) == ["one", "two", "three"]

    tell(story)


def test_lines_are_read_from_the_start_the_end_and_between(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        await bench.ask("POST", "/api/logs/miyabi/jobs/a", batch(*"abcdef"))
        tail = (await bench.ask("GET", "/api/tasks/a/logs?before=&limit=2")).json()
        assert [event["message"] for event in tail["events"]] == ["e", "f"]
        assert await lines(bench, f"?before={tail['previous']}&limit=3") == ["b", "c", "d"]
        head = (await bench.ask("GET", "/api/tasks/a/logs?limit=2")).json()
        assert await lines(bench, f"?after={head['next']}&limit=2") == ["c", "d"]
        assert await lines(bench, f"?after={tail['next']}") == []

    tell(story)


@pytest.mark.parametrize("query", ["after=nonsense", "before=nonsense", "limit=0", "limit=10001"])
def test_a_bad_place_is_refused_by_name(tell: Tell, query: str) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        answer = await bench.ask("GET", f"/api/tasks/a/logs?{query}")
        assert (answer.status, answer.json()["parameter"]) == (400, query.partition("=")[0])

    tell(story)
