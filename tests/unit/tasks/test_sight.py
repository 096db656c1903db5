"""Tokens that are limited to some projects: of all others they learn nothing, whatever they ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import json
from starlette.types import Receive, Scope, Send
from tests.support.asgi import Answer, call
from tests.support.tasks import a_task

from miyabi.database import Current, Save
from miyabi.logs import MAX_EVENT_BYTES
from miyabi.model import STATUSES, LogEvent, NewEvent, RunStart, Status, Task, marker_line
from miyabi.principal import ROLES, Principal, Role, Sight, attach
from miyabi.tasks.app import TasksApp
from miyabi.tasks.stream import Place, Viewer, Watch
from miyabi.tasks.visit import visit

from .conftest import Bench, Story

Tell = Callable[[Story], None]
PROJECTS = ("house", "garden", "shed")
GROUP = "/miyabi/jobs"


def of(*projects: str, role: Role = "developer") -> Principal:
    return Principal("ann", role, projects)


async def ask(app: TasksApp, principal: Principal, method: str, target: str, body: Any = b"") -> Answer:
    """A request of whom the gateway has let in."""

    async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
        attach(scope, principal)
        await app(scope, receive, send)

    return await call(admitted, method, target, body)


def word(project_id: str) -> str:
    """What every text about a project and its tasks holds, and nothing else does."""
    return f"word-of-{project_id}"


async def furnished(bench: Bench, kinds: Sequence[tuple[str, Status]]) -> list[Task]:
    """A task of each (project, status), with a line in its stream, and projects with a description."""
    tasks = []
    for n, (project, status) in enumerate(kinds):
        name = f"{word(project)}-{n}"
        task = a_task(name, age=n, project_id=word(project), status=status, description=name, metadata={"n": name})
        tasks.append(task)
        await bench.stores.logs.append(GROUP, name, [NewEvent(n, name)])
    await bench.stores.database.save([Save(task) for task in tasks])
    await bench.stores.cache.put(tasks)
    return tasks


def requests_about(tasks: list[Task]) -> list[tuple[str, str, Any]]:
    """One of each kind, about each task and each project."""
    lists = (
        "",
        "?active=true",
        "?active=false&limit=1",
        "?limit=2",
        "?limit=200",
        "?status=failed",
        "?task_type=build",
    )
    asked: list[tuple[str, str, Any]] = [("GET", f"/api/tasks{query}", b"") for query in lists]
    asked += [("GET", path, b"") for path in ("/api/projects", "/api/projects?limit=1", "/metrics", "/health")]
    asked += [("POST", "/api/collect", b"")]
    for task in tasks:
        path = f"/api/tasks/{task.task_id}"
        asked += [("GET", path + rest, b"") for rest in ("", "/history", "/logs", "/resources", "/badge.svg?label=x")]
        asked += [("PATCH", path, {"description": "mine"}), ("POST", f"{path}/reread", b"")]
        asked += [("POST", "/api/tasks", {"task_name": "mine", "task_id": task.task_id, "project_id": word("house")})]
        asked += [("POST", f"/api/logs/miyabi/jobs/{task.task_id}", {"events": [{"timestamp": 1, "message": "mine"}]})]
    for project in PROJECTS:
        asked += [
            ("GET", f"/api/tasks?project_id={word(project)}", b""),
            ("GET", f"/api/projects/{word(project)}", b""),
        ]
        asked += [("GET", f"/api/projects/{word(project)}/badge.svg?label=x", b"")]
        asked += [("POST", "/api/projects", {"project_id": word(project), "project_name": "mine"})]
    return asked


def told(answer: Answer, target: str, body: Any) -> bytes:
    """What an answer says, without what its request has said."""
    said = answer.body + repr(answer.headers).encode()
    names = [part for part in target.replace("?", "/").replace("=", "/").split("/") if part.startswith("word-of")]
    names += [str(value) for value in body.values()] if isinstance(body, dict) else []
    return said if answer.status < 400 else _without(said, names)


def _without(said: bytes, names: list[str]) -> bytes:
    for name in names:
        said = said.replace(name.encode(), b"")
    return said


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_of_a_project_outside_the_claim_is_in_any_answer(tell_anew: Tell, data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.tuples(st.sampled_from(PROJECTS), st.sampled_from(STATUSES)), min_size=2, max_size=5))
    mine = set(data.draw(st.lists(st.sampled_from(PROJECTS), unique=True, max_size=2)))
    role: Role = data.draw(st.sampled_from(ROLES[:4]))
    order = data.draw(st.randoms(use_true_random=False))
    principal = Principal("ann", role, tuple(word(project) for project in sorted(mine)))
    foreign = [word(project).encode() for project in PROJECTS if project not in mine]

    async def story(bench: Bench) -> None:
        tasks = await furnished(bench, kinds)
        asked = requests_about(tasks)
        order.shuffle(asked)
        for method, target, body in asked:
            answer = await ask(bench.app, principal, method, target, body)
            assert not [name for name in foreign if name in told(answer, target, body)], (method, target, answer)
            while b'next_cursor":"' in answer.body:
                more = f"{target}{'&' if '?' in target else '?'}cursor={quote(answer.json()['next_cursor'])}"
                answer = await ask(bench.app, principal, method, more)
                assert not [name for name in foreign if name in answer.body], (more, answer)
        now = {one.task.task_id: one.task for one in await bench.stores.database.get([t.task_id for t in tasks]) if one}
        assert [now[t.task_id] for t in tasks if t.project_id.encode() in foreign] == [
            t for t in tasks if t.project_id.encode() in foreign
        ]

    tell_anew(story)


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_of_a_project_outside_the_claim_is_in_any_event(tell_anew: Tell, data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.tuples(st.sampled_from(PROJECTS), st.sampled_from(STATUSES)), min_size=1, max_size=7))
    mine = set(data.draw(st.lists(st.sampled_from(PROJECTS), unique=True, max_size=2)))
    sight = Sight(tuple(word(project) for project in sorted(mine)))

    async def story(bench: Bench) -> None:
        watch, database, logs = Watch(sight=sight), bench.stores.database, bench.stores.logs
        first = [burst async for burst in visit(database, logs, watch, None)]
        async with aclosing(Viewer(bench.app.api.hub, database, logs, watch).events(None, gap=0)) as bursts:
            seen = await anext(bursts)
            await furnished(bench, [*kinds, ("attic", "running")])
            awaited = {word(project) for project, _ in kinds if project in mine}
            while not all(name.encode() in seen for name in awaited):
                seen += await anext(bursts)
        place = json.decode(first[-1].split(b"data: ")[1])["place"]
        again = b"".join([burst async for burst in visit(database, logs, watch, Place.parse(place))])
        for project in (*PROJECTS, "attic"):
            there = project in mine and any(project == of_task for of_task, _ in kinds)
            assert (word(project).encode() in again) is there
            assert (word(project).encode() in seen) is there

    tell_anew(story)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/api/tasks/{}", b""),
        ("PATCH", "/api/tasks/{}", {"status": "cancelled"}),
        ("GET", "/api/tasks/{}/logs", b""),
        ("GET", "/api/tasks/{}/history", b""),
        ("GET", "/api/tasks/{}/resources", b""),
        ("POST", "/api/tasks/{}/reread", b""),
        ("GET", "/api/tasks/{}/badge.svg", b""),
        ("GET", "/api/events?task_id={}", b""),
        ("GET", "/api/projects/{}", b""),
        ("GET", "/api/projects/{}/badge.svg", b""),
        ("GET", "/api/tasks?project_id={}", b""),
        ("POST", "/api/logs/miyabi/jobs/{}", {"events": [{"timestamp": 1, "message": "x"}]}),
    ],
)
def test_what_is_anothers_is_answered_exactly_as_what_is_not_there(
    tell: Tell, method: str, target: str, body: Any
) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("other", project_id="other")
        there = await ask(bench.app, of("house"), method, target.format("other"), body)
        nowhere = await ask(bench.app, of("house"), method, target.format("nobody"), body)
        assert there.status == nowhere.status in (404, 200)
        assert there.body.replace(b"other", b"nobody") == nowhere.body

    tell(story)


def test_what_is_ones_own_is_there(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("mine", project_id="house")
        await bench.made("other", project_id="other")
        for target in ("/api/tasks/mine", "/api/tasks/mine/logs", "/api/tasks/mine/history", "/api/projects/house"):
            assert (await ask(bench.app, of("house"), "GET", target)).status == 200
        listed = (await ask(bench.app, of("house"), "GET", "/api/tasks?limit=5")).json()
        assert ([task["task_id"] for task in listed["tasks"]], listed["next_cursor"]) == (["mine"], None)
        projects = (await ask(bench.app, of("house", "nowhere"), "GET", "/api/projects")).json()
        assert [project["project_id"] for project in projects["projects"]] == ["house"]

    tell(story)


def test_tasks_and_projects_are_made_in_ones_own_projects_only(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("taken", project_id="other")
        for target, body in (
            ("/api/tasks", {"task_name": "x", "project_id": "other"}),
            ("/api/tasks", {"task_name": "x"}),
            ("/api/projects", {"project_id": "other", "project_name": "x"}),
        ):
            refused = await ask(bench.app, of("house"), "POST", target, body)
            assert (refused.status, refused.json()["parameter"]) == (403, "project_id")
            assert "`house`" in refused.json()["detail"]
        mine = {"task_name": "x", "project_id": "house"}
        assert (await ask(bench.app, of("house"), "POST", "/api/tasks", mine)).status == 201
        taken = await ask(bench.app, of("house"), "POST", "/api/tasks", {**mine, "task_id": "taken"})
        assert (taken.status, taken.json()["parameter"]) == (409, "task_id")

    tell(story)


def test_sums_over_all_projects_are_for_tokens_of_all_projects(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        everything = Principal("ann", "admin")
        for method, target in (("GET", "/metrics"), ("POST", "/api/collect")):
            assert (await ask(bench.app, of("house", role="admin"), method, target)).status == 403
            assert (await ask(bench.app, everything, method, target)).status == 200
        assert (await ask(bench.app, of(), "GET", "/health")).status == 200

    tell(story)


def start(project: str) -> str:
    return marker_line(RunStart("r", "job", "build", project))


@pytest.mark.parametrize(
    ("stream", "lines", "status"),
    [
        ("mine", ["x"], 200),
        ("mine", [start("house"), "x"], 200),
        ("mine", ["x", start("other")], 403),
        ("mine", ["x" * MAX_EVENT_BYTES + start("other")], 403),
        ("other", [start("house"), "x"], 404),
        ("new", ["x"], 404),
        ("new", ["x", start("house")], 404),
        ("new", [start("house"), "x"], 200),
        ("new", [start("other"), "x"], 403),
        ("begun", ["x"], 200),
        ("begun elsewhere", ["x"], 404),
        ("begun elsewhere", [start("house")], 404),
    ],
)
def test_lines_go_only_into_streams_whose_task_is_or_will_be_of_ones_own_projects(
    tell: Tell, stream: str, lines: list[str], status: int
) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("mine", project_id="house")
        await bench.made("other", project_id="other")
        await bench.stores.logs.append(GROUP, "begun", [NewEvent(1, start("house"))])
        await bench.stores.logs.append(GROUP, "begun elsewhere", [NewEvent(1, start("other"))])
        body = {"events": [{"timestamp": 1, "message": line} for line in lines]}
        target = f"/api/logs/%2Fmiyabi%2Fjobs/{quote(stream)}"
        before = await bench.stores.logs.read(GROUP, stream)
        for principal in (of("house"), Principal("ci", "ingest", ("house",), (GROUP,))):
            assert (await ask(bench.app, principal, "POST", target, body)).status == status
        stored: list[LogEvent] = (await bench.stores.logs.read(GROUP, stream)).events
        assert (len(stored) > len(before.events)) is (status == 200)
        assert (await ask(bench.app, Principal("ann", "developer"), "POST", target, body)).status == 200

    tell(story)


@pytest.mark.parametrize(("stream", "status"), [("theirs", 409), ("ours", 201), ("none", 201)])
def test_a_task_is_not_made_of_lines_of_another_project(tell: Tell, stream: str, status: int) -> None:
    """They have no task before a collector has read them, and none when it has expired: a new one would show them."""

    async def story(bench: Bench) -> None:
        await bench.stores.logs.append(GROUP, "theirs", [NewEvent(1, start("other")), NewEvent(2, "a secret")])
        await bench.stores.logs.append(GROUP, "ours", [NewEvent(1, start("house"))])
        body = {"task_id": stream, "task_name": "a", "task_type": "build", "project_id": "house"}
        assert (await ask(bench.app, of("house", role="developer"), "POST", "/api/tasks", body)).status == status
        shown = await ask(bench.app, of("house"), "GET", f"/api/tasks/{stream}/logs")
        assert b"secret" not in shown.body
        assert (await ask(bench.app, Principal("ann", "developer"), "POST", "/api/tasks", body)).status in (200, 201)

    tell(story)


@pytest.mark.parametrize("group", ["/miyabi/system", "/aws/lambda/x"])
def test_the_services_own_logs_are_nobodys_project(tell: Tell, group: str) -> None:
    async def story(bench: Bench) -> None:
        body = {"events": [{"timestamp": 1, "message": start("house")}]}
        answer = await ask(bench.app, of("house"), "POST", f"/api/logs/{quote(group, safe='')}/s", body)
        assert answer.status == 404

    tell(story)


def test_a_watched_task_that_a_new_run_takes_into_another_project_is_watched_no_more(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", project_id="house")
        (known,) = await bench.stores.database.get(["a"])
        assert known is not None
        watch = Watch("a", (GROUP, "a"), "0", Sight(("house",)))
        viewer = Viewer(bench.app.api.hub, bench.stores.database, bench.stores.logs, watch)
        async with asyncio.timeout(10), aclosing(viewer.events(None, gap=0)) as bursts:
            await anext(bursts)
            moved = Save(a_task("a", age=100_000_000, project_id="other"), Current(known.task))
            assert await bench.stores.database.save([moved]) == [True]
            rest = b"".join([burst async for burst in bursts])
        assert b"other" not in rest

    tell(story)


def test_a_stream_of_events_ends_with_the_token_it_was_asked_for_with(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        app = TasksApp(bench.app.api, bench.stores.database, now=lambda: 1000.0)
        async with asyncio.timeout(10):
            answer = await ask(app, Principal("ann", "viewer", until=1000.05), "GET", "/api/events")
        assert answer.body.startswith(b"event: hello")

    tell(story)
