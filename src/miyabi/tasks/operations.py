"""The operations of the task API, as a table: what each takes, answers and may refuse.

The routes, the validation and the OpenAPI document are all made from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from msgspec import Struct

from miyabi.database import TaskQuery
from miyabi.http import Problem
from miyabi.logs import LogsFull, LogsUnavailable, is_audit
from miyabi.model import Task
from miyabi.principal import Sight
from miyabi.tasks import shapes
from miyabi.tasks.api import Api
from miyabi.tasks.badge import badge
from miyabi.tasks.badge_words import of_nothing, of_project, of_task
from miyabi.tasks.requests import check_metadata
from miyabi.tasks.service import stream_of
from miyabi.tasks.shapes import NoQuery
from miyabi.tasks.sight import check_whole

MEGABYTE = 1_000_000
JSON, SVG = "application/json", "image/svg+xml"


class Call(NamedTuple):
    """A request that has been read and found valid."""

    path: dict[str, str]
    query: Any
    body: Any
    sight: Sight


class Answer(NamedTuple):
    """What to send: a record or a page, or an image's bytes; ``etag`` where it is known without looking at the body."""

    value: Any
    status: int = 200
    etag: bytes | None = None


Handler = Callable[[Api, Call], Awaitable[Answer]]


class Operation(NamedTuple):
    """One row of the table. ``path`` names its parameters in braces; ``{group}/{stream}`` are percent-encoded."""

    id: str
    method: str
    path: str
    summary: str
    handler: Handler
    answers: dict[int, type]
    problems: tuple[str, ...] = ()
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    body_limit: int = MEGABYTE
    media: str = JSON


async def list_tasks(api: Api, call: Call) -> Answer:
    """Tasks, newest first, by status, project, type, or only those that have not ended."""
    q: shapes.TasksQuery = call.query
    page = await api.service.tasks(
        TaskQuery(q.status, q.project_id, q.task_type, q.active), q.cursor, q.limit, call.sight
    )
    return Answer(page)


async def get_task(api: Api, call: Call) -> Answer:
    """One task in its current state."""
    return _task(await api.service.task(call.path["task_id"], call.sight))


async def create_task(api: Api, call: Call) -> Answer:
    """Make a task before its first line; with a ``task_id``, the same call twice makes one."""
    check_metadata(call.body.metadata)
    task, made = await api.service.create(call.body, call.sight)
    return _task(task, 201 if made else 200)


async def change_task(api: Api, call: Call) -> Answer:
    """Cancel, restart, rename, describe."""
    return _task(await api.service.change(call.path["task_id"], call.body, call.sight))


async def task_badge(api: Api, call: Call) -> Answer:
    """How far a task has got, as an image for a page elsewhere. One that says so where there is no such task."""
    q: shapes.BadgeQuery = call.query
    try:
        task = await api.service.task(call.path["task_id"], call.sight)
    except Problem as problem:
        return _no_badge(problem, q)
    return Answer(badge(q.label or task.task_name, of_task(task, api.service.now(), q.lang)))


async def project_badge(api: Api, call: Call) -> Answer:
    """How far a project's running tasks have got, or how its last one ended, as an image for a page elsewhere."""
    q: shapes.BadgeQuery = call.query
    try:
        row, running, last = await api.service.project_now(call.path["project_id"], call.sight)
    except Problem as problem:
        return _no_badge(problem, q)
    return Answer(badge(q.label or row.project.project_name, of_project(row, running, last, api.service.now(), q.lang)))


def _no_badge(problem: Problem, query: shapes.BadgeQuery) -> Answer:
    if problem.status != 404:
        raise problem
    return Answer(badge(query.label or "miyabi", of_nothing(query.lang)), 404)


async def list_lines(api: Api, call: Call) -> Answer:
    """A task's lines: from the start, after a cursor, or the last before one."""
    q: shapes.LogsQuery = call.query
    page = await api.service.lines(call.path["task_id"], q.after, q.before, q.limit, call.sight)
    return Answer(shapes.Lines(page.events, page.next, page.previous))


async def list_history(api: Api, call: Call) -> Answer:
    """A task's versions, newest first."""
    q: shapes.VersionsQuery = call.query
    page = await api.service.history(call.path["task_id"], q.cursor, q.limit, call.sight)
    return Answer(shapes.TaskList(page.tasks, page.next))


async def list_projects(api: Api, call: Call) -> Answer:
    """Projects by id, each with its tasks counted."""
    views, following = await api.service.projects(call.query.cursor, call.query.limit, call.sight)
    return Answer(shapes.ProjectList(views, following))


async def get_project(api: Api, call: Call) -> Answer:
    """One project with its tasks counted."""
    return Answer(await api.service.project(call.path["project_id"], call.sight))


async def put_project(api: Api, call: Call) -> Answer:
    """Make a project, or change the one of that id."""
    project, made = await api.service.put_project(call.body, call.sight)
    return Answer(project, 201 if made else 200)


async def append_lines(api: Api, call: Call) -> Answer:
    """Put lines at the end of a stream. An unknown stream becomes a task."""
    body: shapes.Append = call.body
    group, stream = call.path["group"], call.path["stream"]
    if is_audit(group, stream):
        raise Problem("forbidden", "The audit trail is written by the services alone.")
    try:
        await api.service.check_append(group, stream, body.events, call.sight)
        stored = await api.logs.append(group, stream, body.events, body.writer)
    except LogsFull as error:
        raise Problem("storage-full", str(error), Retry_After="5") from None
    except LogsUnavailable as error:
        raise Problem("unavailable", str(error), Retry_After="1") from None
    return Answer(shapes.Appended(stored))


async def collect(api: Api, call: Call) -> Answer:
    """Run the collector once, now. Not for tokens that are limited to some projects."""
    check_whole(call.sight)
    return Answer(await api.collector.collect())


async def list_resources(api: Api, call: Call) -> Answer:
    """What a deployment did to each of its resources and how long that took, as far as its log tells."""
    from miyabi.tasks.resources import resources_of  # with its patterns 2 % of a function's start

    task = await api.service.task(call.path["task_id"], call.sight)
    return Answer(await resources_of(api.logs, *stream_of(task)))


async def reread(api: Api, call: Call) -> Answer:
    """Read a task's lines again from the first with today's reader, which upgrades its state and its history."""
    task_id = call.path["task_id"]
    await api.service.task(task_id, call.sight)
    result = await api.collector.reread(task_id)
    if result is None:
        raise Problem("not-found", f"There is no task `{task_id}`.")
    return Answer(result)


async def health(api: Api, call: Call) -> Answer:
    """The state of each service; 503 when tasks can't be served. With sign-in, why is for tokens for all projects."""
    state = await api.health()
    return Answer(state, 503 if state.status == "down" else 200)


def _task(task: Task, status: int = 200) -> Answer:
    return Answer(task, status, b'"%x"' % task.timestamp)


READ = ("invalid-parameter", "not-found", "unavailable")
LIST = ("invalid-parameter", "unavailable")
WRITE = ("invalid-parameter", "bad-request", "invalid-body", "too-large", "unsupported-media-type", "unavailable")
FULL = (*WRITE, "storage-full")

OPERATIONS = (
    Operation("listTasks", "GET", "/api/tasks", "List tasks", list_tasks, {200: shapes.TaskList}, LIST,
              shapes.TasksQuery),
    Operation("getTask", "GET", "/api/tasks/{task_id}", "Get a task", get_task, {200: Task}, READ),
    Operation("createTask", "POST", "/api/tasks", "Make a task", create_task, {201: Task, 200: Task},
              (*FULL, "conflict"),
              body=shapes.NewTask),
    Operation("changeTask", "PATCH", "/api/tasks/{task_id}", "Change a task", change_task, {200: Task},
              (*FULL, "not-found", "conflict"), body=shapes.TaskPatch),
    Operation("getTaskBadge", "GET", "/api/tasks/{task_id}/badge.svg", "Get a task's badge", task_badge,
              {200: bytes, 404: bytes}, LIST, shapes.BadgeQuery, media=SVG),
    Operation("getProjectBadge", "GET", "/api/projects/{project_id}/badge.svg", "Get a project's badge", project_badge,
              {200: bytes, 404: bytes}, LIST, shapes.BadgeQuery, media=SVG),
    Operation("listLines", "GET", "/api/tasks/{task_id}/logs", "List a task's lines", list_lines,
              {200: shapes.Lines}, READ, shapes.LogsQuery),
    Operation("listHistory", "GET", "/api/tasks/{task_id}/history", "List a task's versions", list_history,
              {200: shapes.TaskList}, READ, shapes.VersionsQuery),
    Operation("listResources", "GET", "/api/tasks/{task_id}/resources", "List what a deployment made", list_resources,
              {200: shapes.ResourceList}, READ),
    Operation("rereadTask", "POST", "/api/tasks/{task_id}/reread", "Read a task's lines again", reread,
              {200: shapes.Reread}, (*READ, "storage-full")),
    Operation("listProjects", "GET", "/api/projects", "List projects", list_projects,
              {200: shapes.ProjectList}, LIST, shapes.ProjectsQuery),
    Operation("getProject", "GET", "/api/projects/{project_id}", "Get a project", get_project,
              {200: shapes.ProjectView}, READ),
    Operation("putProject", "POST", "/api/projects", "Make or change a project", put_project,
              {201: shapes.ProjectView, 200: shapes.ProjectView}, FULL, body=shapes.NewProject),
    Operation("collect", "POST", "/api/collect", "Run the collector once", collect, {200: shapes.Collected},
              ("invalid-parameter", "unavailable")),
    Operation("appendLines", "POST", "/api/logs/{group}/{stream}", "Append lines to a stream", append_lines,
              {200: shapes.Appended}, (*FULL, "not-found"), body=shapes.Append, body_limit=4 * MEGABYTE),
    Operation("health", "GET", "/health", "State of every service", health,
              {200: shapes.Health, 503: shapes.Health}, ("invalid-parameter",)),
)  # fmt: skip
