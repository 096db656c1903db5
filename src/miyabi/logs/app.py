"""The log service by itself, as a small ASGI application over any of the other backends."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from miyabi.counters import Counter, Histogram, exposition
from miyabi.http import ASKS_FOR_ONE, Application, Problem, parse_body, read_body, respond
from miyabi.logs import Logs, LogsFull, LogsUnavailable, is_audit, wire
from miyabi.principal import WRITES_AUDIT, Principal, attached

log = logging.getLogger("miyabi.logs")

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
STORED = Counter("miyabi_logs_lines", "Lines stored by the log service")

Call = Callable[[Any, Receive], Awaitable[object]]


class LogsApp(Application):
    """ASGI: the calls of :mod:`miyabi.logs.wire`, ``GET /health`` and ``/metrics``, over ``logs``."""

    log = log
    full = (LogsFull,)
    away = (LogsUnavailable,)

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._stopping = asyncio.Event()
        calls: list[tuple[str, type, Call]] = [
            (wire.APPEND, wire.Append, self._append),
            (wire.READ, wire.Read, self._read),
            (wire.CHANGED, wire.Changed, self._changed),
            (wire.WAIT, wire.Wait, self._wait),
            (wire.GROUPS, wire.Nothing, self._groups),
            (wire.PING, wire.Nothing, self._ping),
        ]
        routes = [Route(path, _Endpoint(path, shape, call), methods=["POST"]) for path, shape, call in calls]
        routes += [Route("/health", self._health), Route("/metrics", _metrics)]
        super().__init__(Router(routes, redirect_slashes=False, default=_nothing_here))

    def close(self) -> None:
        """End the waits that are under way: nothing new will come from here."""
        self._stopping.set()

    async def _append(self, asked: wire.Append, receive: Receive) -> object:
        stored = await self._logs.append(asked.group, asked.stream, asked.events, asked.writer)
        STORED.inc(stored)
        return wire.Appended(stored)

    async def _read(self, asked: wire.Read, receive: Receive) -> object:
        with _a_position("after" if asked.before is None else "before"):
            return await self._logs.read(
                asked.group, asked.stream, after=asked.after, before=asked.before, limit=asked.limit
            )

    async def _changed(self, asked: wire.Changed, receive: Receive) -> object:
        with _a_position("after"):
            return list(await self._logs.changed(asked.after, asked.limit))

    async def _wait(self, asked: wire.Wait, receive: Receive) -> object:
        with _a_position("after"):
            found = self._logs.wait(asked.after, asked.timeout)
            return wire.Waited(await _unless(found, _gone(receive), self._stopping.wait()))

    async def _groups(self, asked: wire.Nothing, receive: Receive) -> object:
        return list(await self._logs.groups())

    async def _ping(self, asked: wire.Nothing, receive: Receive) -> object:
        await self._logs.ping()
        return wire.Pong("logs")

    async def _health(self, request: Request) -> Response:
        await self._logs.ping()
        return Response(msgspec.json.encode(wire.Pong("logs")), media_type="application/json")


class _Endpoint:
    """One call: its arguments out of the body, its result as JSON."""

    def __init__(self, path: str, shape: type, call: Call) -> None:
        self._shape = shape
        self._call = call
        self._seconds = None if path == wire.WAIT else _seconds(path.rpartition("/")[2])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        raw = await read_body(receive, headers, wire.MAX_BODY)
        began = time.perf_counter()
        asked: Any = parse_body(raw, headers.get(b"content-type", b"").decode("latin-1"), self._shape)
        if isinstance(asked, wire.Append):
            _check_audit(asked, attached(scope))
        body = msgspec.json.encode(await self._call(asked, receive))
        if self._seconds:
            self._seconds.observe(time.perf_counter() - began)
        await respond(send, 200, HEADERS, body)


@cache
def _seconds(call: str) -> Histogram:
    return Histogram("miyabi_logs_seconds", "Time to answer a call of the log service", call=call)


def _check_audit(asked: wire.Append, principal: Principal | None) -> None:
    """Raise :class:`Problem` ``forbidden`` where a person would write into the audit trail."""
    if is_audit(asked.group, asked.stream) and principal and principal.role != WRITES_AUDIT:
        raise Problem("forbidden", f"The audit trail is written by the services alone. {ASKS_FOR_ONE}")


@contextmanager
def _a_position(name: str) -> Iterator[None]:
    """A position that the store did not make is the caller's mistake."""
    try:
        yield
    except ValueError as error:
        raise Problem("invalid-parameter", str(error), parameter=name) from None


async def _unless(work: Coroutine[Any, Any, bool], *ends: Coroutine[Any, Any, Any]) -> bool:
    """What ``work`` gives; ``False`` when one of ``ends`` is over before it."""
    tasks = [asyncio.ensure_future(each) for each in (work, *ends)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].done() and tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _metrics(request: Request) -> Response:
    body, kind = exposition()
    return Response(body, headers={"content-type": kind})


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise Problem("not-found", f"Nothing is served at {scope['path']}. This is Miyabi's log service.")
