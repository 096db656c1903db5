"""The task API as an ASGI application: from the table of operations to routes and answers."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.context import TASK
from miyabi.counters import exposition
from miyabi.database import Database, DatabaseFull, DatabaseUnavailable, TaskPage
from miyabi.http import Application, Problem, parse_body, read_body, respond
from miyabi.logs import LogsUnavailable
from miyabi.principal import Sight, attached, sight_of
from miyabi.tasks.api import Api
from miyabi.tasks.operations import JSON, OPERATIONS, SVG, Answer, Call, Operation
from miyabi.tasks.requests import check_ids, group_and_stream, parse_query
from miyabi.tasks.service import stream_of
from miyabi.tasks.shapes import EventsQuery
from miyabi.tasks.sight import check_whole
from miyabi.tasks.stream import LONGEST, Place, Viewer, Watch
from miyabi.tasks.visit import visit

log = logging.getLogger("miyabi.tasks")

HEADERS = [(b"content-type", JSON.encode()), (b"cache-control", b"no-cache")]
PICTURE = [
    (b"content-type", SVG.encode()),
    (b"cache-control", b"no-cache, max-age=0"),
    (b"content-security-policy", b"default-src 'none'"),
]
"""Image proxies ask again each time, and are told that nothing has changed by the ETag."""
RENDERED = 8
"""Pages kept as bytes; a page object stays the same while nothing in it changed."""


class TasksApp(Application):
    """ASGI. Keep :attr:`api`'s hub started while it serves; the lifespan does so.

    ``follows`` is false where the process stands still between requests: then no hub is needed, and events are told
    by visits (:mod:`miyabi.tasks.visit`). ``now`` gives epoch seconds.
    """

    log = log
    full = (DatabaseFull,)
    away = (DatabaseUnavailable, LogsUnavailable)

    def __init__(
        self, api: Api, database: Database, *, follows: bool = True, now: Callable[[], float] = time.time
    ) -> None:
        self.api = api
        self._now = now
        self._database = database
        self._follows = follows
        self._rendered: dict[int, tuple[TaskPage, bytes, bytes]] = {}
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in OPERATIONS:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        routes = [_route(path, operations, self) for path, operations in by_path.items()]
        routes += [
            Route("/api/events", self._events),
            Route("/api/openapi.json", _openapi),
            Route("/metrics", _metrics),
        ]
        super().__init__(Router(routes, redirect_slashes=False, default=_nothing_here, lifespan=self._lifespan))

    @asynccontextmanager
    async def _lifespan(self, app: ASGIApp) -> AsyncIterator[None]:
        await self.api.hub.start()
        yield
        await self.api.hub.stop()

    async def answer(self, answer: Answer, if_none_match: bytes | None, send: Send) -> None:
        """Send the answer's bytes with its ETag, or 304."""
        body, etag = self._bytes(answer)
        if if_none_match and answer.status == 200 and etag in if_none_match:
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", etag)]})
            await send({"type": "http.response.body", "body": b""})
            return
        headers = PICTURE if isinstance(answer.value, bytes) else HEADERS
        await respond(send, answer.status, [*headers, (b"etag", etag)], body)

    def _bytes(self, answer: Answer) -> tuple[bytes, bytes]:
        if isinstance(answer.value, bytes):
            return answer.value, _etag(answer.value)
        if not isinstance(answer.value, TaskPage):
            body = msgspec.json.encode(answer.value)
            return body, answer.etag or _etag(body)
        known = self._rendered.get(id(answer.value))
        if known is None:
            if len(self._rendered) >= RENDERED:
                self._rendered.clear()
            page = answer.value
            body = msgspec.json.encode({"tasks": page.tasks, "next_cursor": page.next})
            known = self._rendered[id(page)] = (page, body, _etag(body))
        return known[1], known[2]

    async def _events(self, request: Request) -> Response:
        query: EventsQuery = parse_query(request.scope["query_string"], EventsQuery)
        principal = attached(request.scope)
        sight = sight_of(principal)
        watch = await self._watch(query.task_id, query.after, sight) if query.task_id else Watch(sight=sight)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        if request.method == "HEAD":
            return Response(headers=headers, media_type="text/event-stream")
        last = Place.parse(request.headers.get("last-event-id") or query.last_event_id or "")
        if self._follows:
            viewer = Viewer(self.api.hub, self._database, self.api.logs, watch)
            until = principal.until if principal else None
            events = viewer.events(last, seconds=LONGEST if until is None else until - self._now())
        else:
            events = visit(self._database, self.api.logs, watch, last)
        return StreamingResponse(events, headers=headers, media_type="text/event-stream")

    async def _watch(self, task_id: str, after: str | None, sight: Sight) -> Watch:
        """A task with its lines after ``after``, or from now on."""
        stream = stream_of(await self.api.service.task(task_id, sight))
        try:
            page = await self.api.logs.read(*stream, after=after or "", before=None if after else "", limit=1)
        except ValueError as error:
            raise Problem("invalid-parameter", str(error), parameter="after") from None
        return Watch(task_id, stream, page.next if after is None else after, sight)


class _Endpoint:
    """One path's operations, by method."""

    def __init__(self, operations: dict[str, Operation], app: TasksApp) -> None:
        self._operations = operations | ({"HEAD": operations["GET"]} if "GET" in operations else {})
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operations[scope["method"]]
        headers = dict(scope["headers"])
        path = scope["path_params"]
        if "rest" in path:
            path = group_and_stream(scope["raw_path"])
        elif path:
            check_ids(path)
            TASK.set(path.get("task_id", ""))
        query = parse_query(scope["query_string"], operation.query)
        body = None
        if operation.body is not None:
            raw = await read_body(receive, headers, operation.body_limit)
            body = parse_body(raw, headers.get(b"content-type", b"").decode("latin-1"), operation.body)
        answer = await operation.handler(self._app.api, Call(path, query, body, sight_of(attached(scope))))
        await self._app.answer(answer, headers.get(b"if-none-match"), send)


def _route(path: str, operations: dict[str, Operation], app: TasksApp) -> Route:
    route = path.replace("{group}/{stream}", "{rest:path}")
    return Route(route, _Endpoint(operations, app), methods=list(operations))


def _etag(body: bytes) -> bytes:
    return b'"%s"' % hashlib.blake2b(body, digest_size=8).hexdigest().encode()


async def _openapi(request: Request) -> Response:
    from miyabi.tasks.openapi import document  # late: most processes are never asked

    return Response(document(), media_type=JSON)


async def _metrics(request: Request) -> Response:
    check_whole(sight_of(attached(request.scope)))
    body, kind = exposition()
    return Response(body, headers={"content-type": kind})


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise Problem("not-found", f"Nothing is served at {scope['path']}. The API is described at /api/openapi.json.")
