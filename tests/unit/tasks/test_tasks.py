"""Tasks over HTTP: made, listed, changed; refused by name when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace
from tests.support.tasks import a_task

from miyabi.database import MAX_PAGE, Current, Save
from miyabi.model import LATEST, Details, Task, iso
from miyabi.tasks.records import SPARED
from miyabi.tasks.service import changed
from miyabi.tasks.shapes import TaskPatch

from .conftest import Bench, Story

Tell = Callable[[Story], None]


def ids(answer: Any) -> list[str]:
    return [task["task_id"] for task in answer.json()["tasks"]]


def test_a_task_is_made_with_all_that_a_record_must_have(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        task = await bench.made("a", task_type="cdk_deploy", project_id="shop")
        assert task["status"] == "pending"
        assert task["priority"] == "P2"
        assert task["progress"] == {"current": None, "total": None, "percentage": None}
        assert task["details"] == {"log_group": "/miyabi/cdk-deploy", "log_stream": "a"}
        assert task["created_at"] == task["updated_at"]
        assert task["ttl"] == bench.clock.ms // 1000 + 90 * 24 * 3600

    tell(story)


def test_the_same_task_made_twice_is_one(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        first = await bench.made("a")
        bench.clock.forward(5000)
        again = await bench.ask("POST", "/api/tasks", {"task_name": "other", "task_id": "a"})
        assert (again.status, again.json()) == (200, first)

    tell(story)


def test_a_task_without_an_id_gets_one_that_says_what_it_is(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        answer = await bench.ask("POST", "/api/tasks", {"task_name": "CDK Deploy: Shop"})
        assert answer.json()["task_id"].startswith("cdk-deploy-shop-")

    tell(story)


def test_lists_are_newest_first_and_pages_join_without_gap_or_repeat(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        made = [(await bench.made(f"t{number}"))["task_id"] for number in range(7)]
        seen: list[str] = []
        target = "/api/tasks?limit=3"
        while True:
            page = await bench.ask("GET", target)
            seen += ids(page)
            if page.json()["next_cursor"] is None:
                break
            target = f"/api/tasks?limit=3&cursor={page.json()['next_cursor']}"
            await bench.made(f"new{len(seen)}")
        assert seen == made[::-1]

    tell(story)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=cancelled", ["c"]),
        ("project_id=shop", ["c", "a"]),
        ("task_type=cdk_deploy", ["b"]),
        ("active=true", ["b", "a"]),
        ("active=false", ["c"]),
        ("project_id=shop&active=true", ["a"]),
        ("project_id=shop&task_type=cdk_deploy", []),
    ],
)
def test_filters_limit_what_is_listed(tell: Tell, query: str, expected: list[str]) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", project_id="shop")
        await bench.made("b", task_type="cdk_deploy")
        await bench.made("c", project_id="shop")
        await bench.ask("PATCH", "/api/tasks/c", {"status": "cancelled"})
        assert ids(await bench.ask("GET", f"/api/tasks?{query}")) == expected

    tell(story)


def test_a_list_shows_every_change_at_once(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        for target in ("/api/tasks", "/api/tasks?active=true"):
            assert ids(await bench.ask("GET", target)) == []
        await bench.made("a")
        for target in ("/api/tasks", "/api/tasks?active=true"):
            assert ids(await bench.ask("GET", target)) == ["a"]
        await bench.ask("PATCH", "/api/tasks/a", {"status": "cancelled"})
        assert ids(await bench.ask("GET", "/api/tasks?active=true")) == []
        assert (await bench.ask("GET", "/api/tasks")).json()["tasks"][0]["status"] == "cancelled"

    tell(story)


def test_an_ended_task_is_left_only_by_a_restart(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", status="running")
        bench.clock.forward(90_000)
        cancelled = await bench.ask("PATCH", "/api/tasks/a", {"status": "cancelled"})
        assert (cancelled.json()["status"], cancelled.json()["duration_seconds"]) == ("cancelled", 90.0)
        assert (await bench.ask("PATCH", "/api/tasks/a", {"status": "cancelled"})).status == 409
        again = (await bench.ask("PATCH", "/api/tasks/a", {"status": "running"})).json()
        assert again["status"] == "running"
        assert "completed_at" not in again
        assert (await bench.ask("PATCH", "/api/tasks/a", {"status": "running"})).status == 409

    tell(story)


def test_a_task_that_began_ahead_of_the_clock_was_cancelled_after_no_time() -> None:
    begun = a_task("a", details=Details(started_at=iso(LATEST)))
    task = changed(Current(begun), TaskPatch(status="cancelled"), begun.timestamp + 1000).task
    assert (task.status, task.duration_seconds) == ("cancelled", 0)


def test_a_list_too_long_to_keep_is_still_listed_whole(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        first = await bench.made("first")
        tasks = [replace(convert(first, Task), task_id=f"t{n}", timestamp=n) for n in range(MAX_PAGE)]
        await bench.stores.database.save([Save(task) for task in tasks])
        for _ in range(3):
            page = (await bench.ask("GET", "/api/tasks?active=true&limit=200")).json()
            assert len(page["tasks"]) == 200
            assert page["next_cursor"]
        await bench.ask("PATCH", "/api/tasks/first", {"status": "cancelled"})
        for _ in range(SPARED + 2):
            page = (await bench.ask("GET", "/api/tasks?active=true&limit=1")).json()
        assert await bench.stores.cache.listing("active") is not None

    tell(story)


def test_every_version_stays_in_the_history_newest_first(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        for name in ("one", "two"):
            bench.clock.forward(1000)
            await bench.ask("PATCH", "/api/tasks/a", {"task_name": name})
        history = (await bench.ask("GET", "/api/tasks/a/history")).json()["tasks"]
        assert [task["task_name"] for task in history] == ["two", "one", "a"]

    tell(story)


def test_an_unchanged_answer_is_not_sent_again(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a")
        for target in ("/api/tasks", "/api/tasks/a", "/api/projects"):
            first = await bench.ask("GET", target)
            again = await bench.ask("GET", target, if_none_match=first.headers["etag"])
            assert (again.status, again.body) == (304, b"")
        bench.clock.forward(1)
        await bench.ask("PATCH", "/api/tasks/a", {"task_name": "b"})
        assert (await bench.ask("GET", "/api/tasks", if_none_match=first.headers["etag"])).status == 200

    tell(story)


def test_a_project_counts_its_tasks(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", project_id="shop")
        await bench.made("b", project_id="shop", status="running")
        await bench.ask("PATCH", "/api/tasks/b", {"status": "cancelled"})
        put = {"project_id": "shop", "project_name": "The shop", "owner": "mika"}
        assert (await bench.ask("POST", "/api/projects", put)).status == 200
        project = (await bench.ask("GET", "/api/projects/shop")).json()
        assert (project["project_name"], project["owner"]) == ("The shop", "mika")
        assert project["tally"]["pending"] == 1
        assert project["tally"]["cancelled"] == 1
        assert project["success_rate"] is None

    tell(story)


def lines(timestamp: int) -> dict[str, Any]:
    return {"events": [{"timestamp": timestamp, "message": "x"}]}


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels > 1 else []


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "problem", "parameter"),
    [
        ("GET", "/api/tasks?colour=red", b"", 400, "invalid-parameter", "colour"),
        ("GET", "/api/tasks?limit=0", b"", 400, "invalid-parameter", "limit"),
        ("GET", "/api/tasks?limit=ten", b"", 400, "invalid-parameter", "limit"),
        ("GET", "/api/tasks?limit=5&limit=6", b"", 400, "invalid-parameter", "limit"),
        ("GET", "/api/tasks?status=done", b"", 400, "invalid-parameter", "status"),
        ("GET", "/api/tasks?status=null", b"", 400, "invalid-parameter", "status"),
        ("GET", "/api/tasks?active=Null", b"", 400, "invalid-parameter", "active"),
        ("GET", "/api/tasks?cursor=nonsense", b"", 400, "invalid-parameter", "cursor"),
        ("GET", "/api/tasks?project_id=cursor&cursor=nonsense", b"", 400, "invalid-parameter", "cursor"),
        ("GET", "/api/tasks?limit=%ff", b"", 400, "bad-request", None),
        ("GET", "/api/tasks/no-such", b"", 404, "not-found", None),
        ("GET", "/api/tasks/%20bad", b"", 400, "invalid-parameter", "task_id"),
        ("GET", "/api/projects/no-such", b"", 404, "not-found", None),
        ("GET", "/api/no-such", b"", 404, "not-found", None),
        ("DELETE", "/api/tasks", b"", 405, "method-not-allowed", None),
        ("POST", "/api/tasks", b"{", 400, "bad-request", None),
        ("POST", "/api/tasks", {}, 400, "invalid-body", "task_name"),
        ("POST", "/api/tasks", {"task_name": "a", "colour": 1}, 400, "invalid-body", "colour"),
        ("POST", "/api/tasks", {"task_name": ""}, 400, "invalid-body", "task_name"),
        ("POST", "/api/tasks", {"task_name": "a", "task_id": "../x"}, 400, "invalid-body", "task_id"),
        ("POST", "/api/tasks", {"task_name": "a", "priority": "P9"}, 400, "invalid-body", "priority"),
        ("POST", "/api/tasks", b'{"task_name": "a", "metadata": {"a": ' + b"[" * 100_000, 400, "bad-request", None),
        ("POST", "/api/tasks", {"task_name": "a", "metadata": {"a": "x" * 16_000}}, 400, "invalid-body", "metadata"),
        ("POST", "/api/tasks", {"task_name": "a", "metadata": {"a": nested(16)}}, 400, "invalid-body", "metadata"),
        ("PATCH", "/api/tasks/no-such", {"status": "cancelled"}, 404, "not-found", None),
        ("PATCH", "/api/tasks/no-such", {"status": "completed"}, 400, "invalid-body", "status"),
        ("POST", "/api/logs/miyabi/jobs/x", {"events": []}, 400, "invalid-body", "events"),
        ("POST", "/api/logs/miyabi/jobs/x", lines(10**18), 400, "invalid-body", "events[0].timestamp"),
        ("POST", "/api/logs/miyabi/jobs/x", lines(2**70), 400, "invalid-body", "events[0].timestamp"),
        ("POST", "/api/logs/miyabi/jobs/x", lines(0) | {"writer": {"id": "w", "sequence": 2**63}}, 400,
         "invalid-body", "writer.sequence"),
        ("POST", "/api/logs/miyabi/jobs/x", {"events": [{"timestamp": 1.5, "message": "x"}]}, 400,
         "invalid-body", "events[0].timestamp"),
        ("POST", "/api/logs/%2F%2F/x", {"events": []}, 400, "invalid-parameter", "group"),
        ("POST", "/api/logs/miyabi/jobs/a:b", {"events": []}, 400, "invalid-parameter", "stream"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_name(
    tell: Tell, method: str, target: str, body: Any, status: int, problem: str, parameter: str | None
) -> None:
    async def story(bench: Bench) -> None:
        answer = await bench.ask(method, target, body, content_type="application/json")
        details = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status, details["status"]) == (status, status)
        assert details["type"] == f"urn:miyabi:problem:{problem}"
        assert details.get("parameter") == parameter
        assert details["detail"]

    tell(story)


@pytest.mark.parametrize("number", ["5", "5.0", "5e0", "50e-1"])
def test_a_whole_number_is_one_however_it_is_written(tell: Tell, number: str) -> None:
    async def story(bench: Bench) -> None:
        body = b'{"events": [{"timestamp": %s, "message": "x"}]}' % number.encode()
        answer = await bench.ask("POST", "/api/logs/miyabi/jobs/a", body, content_type="application/json")
        assert answer.json() == {"stored": 1}
        page = await bench.stores.logs.read("/miyabi/jobs", "a", limit=1)
        assert [event.timestamp for event in page.events] == [5]

    tell(story)


def test_a_body_over_a_megabyte_is_refused(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        body = {"task_name": "a", "description": "x" * 1_000_000}
        assert (await bench.ask("POST", "/api/tasks", body)).status == 413

    tell(story)


def test_a_body_that_does_not_say_it_is_json_is_refused(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        assert (await bench.ask("POST", "/api/tasks", b'{"task_name": "a"}', content_type="text/plain")).status == 415

    tell(story)


def test_allowed_methods_are_named(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        refused = await bench.ask("DELETE", "/api/tasks/a")
        assert {"GET", "PATCH"} <= set(refused.headers["allow"].split(", "))

    tell(story)
