"""The collector by itself, as a small ASGI application: run it once, push lines to it, ask how it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.collector.deliveries import Deliveries
from miyabi.collector.loop import Loop
from miyabi.counters import exposition
from miyabi.database import DatabaseUnavailable
from miyabi.http import Application, Problem
from miyabi.logs import LogsUnavailable
from miyabi.principal import NEEDS_ALL, attached, sight_of

log = logging.getLogger("miyabi.collector")


class Work(Protocol):
    """What runs until it is cancelled, and then remembers its place in the database."""

    async def run(self) -> None:
        """Work for ever."""

    async def stop(self) -> None:
        """Remember the place. Raises ``DatabaseUnavailable``."""


@asynccontextmanager
async def running(work: Work, name: str = "collector") -> AsyncIterator[None]:
    """The work goes on in the background; ends with it stopped and its place remembered."""
    job = asyncio.create_task(work.run(), name=name)
    try:
        yield
    finally:
        job.cancel()
        with suppress(asyncio.CancelledError):
            await job
        with suppress(DatabaseUnavailable):
            await work.stop()


class CollectorApp(Application):
    """ASGI: ``POST /api/collect``, ``/api/tasks/TASK/reread``, ``GET /health``, ``/metrics``.

    With ``deliveries`` also ``POST /api/collect/deliveries``. The loop runs beside, for as long as the lifespan.
    """

    log = log
    away = (DatabaseUnavailable, LogsUnavailable)

    def __init__(self, loop: Loop, deliveries: Deliveries | None = None) -> None:
        self._loop = loop
        routes = [
            Route("/api/collect", self._collect, methods=["POST"]),
            Route("/api/tasks/{task_id}/reread", self._reread, methods=["POST"]),
            Route("/health", self._health),
            Route("/metrics", _metrics),
        ]
        if deliveries:
            routes.append(Route("/api/collect/deliveries", _Door(deliveries), methods=["POST"]))
        super().__init__(Router(routes, redirect_slashes=False, default=_nothing_here, lifespan=self._lifespan))

    @asynccontextmanager
    async def _lifespan(self, app: ASGIApp) -> AsyncIterator[None]:
        async with running(self._loop):
            yield

    async def _collect(self, request: Request) -> Response:
        _check_whole(request)
        return _json(await self._loop.collect())

    async def _reread(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        result = await self._loop.reread(task_id, sight_of(attached(request.scope)))
        if result is None:
            raise Problem("not-found", f"There is no task `{task_id}`.")
        return _json(result)

    async def _health(self, request: Request) -> Response:
        try:
            await self._loop.ping()
        except RuntimeError as error:
            raise Problem("unavailable", str(error)) from None
        return _json({"status": "ok"})


class _Door:
    """ASGI: one delivery a request."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = await self._deliveries.take(receive, dict(scope["headers"]))
        await _json(taken)(scope, receive, send)


async def _metrics(request: Request) -> Response:
    _check_whole(request)
    body, kind = exposition()
    return Response(body, headers={"content-type": kind})


def _check_whole(request: Request) -> None:
    if not sight_of(attached(request.scope)).whole:
        raise Problem("forbidden", NEEDS_ALL)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise Problem("not-found", f"Nothing is served at {scope['path']}. This is Miyabi's collector.")


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
