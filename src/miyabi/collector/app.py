"""The collector by itself, as a small ASGI application: run it once, push lines to it, ask how it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.collector.deliveries import Deliveries
from miyabi.collector.loop import Loop
from miyabi.database import DatabaseUnavailable
from miyabi.http import ClientGone, Problem
from miyabi.logs import LogsUnavailable


@asynccontextmanager
async def running(loop: Loop) -> AsyncIterator[None]:
    """The loop at work in the background; ends with it stopped and its place remembered."""
    job = asyncio.create_task(loop.run(), name="collector")
    try:
        yield
    finally:
        job.cancel()
        with suppress(asyncio.CancelledError):
            await job
        with suppress(DatabaseUnavailable):
            await loop.stop()


class CollectorApp:
    """ASGI: ``POST /api/collect``, ``/api/collect/deliveries``, ``/api/reread/TASK``, ``GET /health``, ``/metrics``.

    The loop runs beside.
    """

    def __init__(self, loop: Loop, deliveries: Deliveries) -> None:
        self._loop = loop
        self._deliveries = deliveries
        routes = [
            Route("/api/collect", self._collect, methods=["POST"]),
            Route("/api/collect/deliveries", self._deliver, methods=["POST"]),
            Route("/api/reread/{task_id}", self._reread, methods=["POST"]),
            Route("/health", self._health),
            Route("/metrics", _metrics),
        ]
        self._router = Router(routes, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._router(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, app: ASGIApp) -> AsyncIterator[None]:
        async with running(self._loop):
            yield

    async def _collect(self, request: Request) -> Response:
        try:
            return _json(await self._loop.collect())
        except (DatabaseUnavailable, LogsUnavailable) as error:
            return Problem("unavailable", str(error), Retry_After="1").response()

    async def _deliver(self, request: Request) -> Response:
        try:
            return _json(await self._deliveries.take(request.receive, dict(request.scope["headers"])))
        except Problem as problem:
            return problem.response()
        except ClientGone:
            return Response(status_code=400)  # nobody sees it
        except (DatabaseUnavailable, LogsUnavailable) as error:
            return Problem("unavailable", str(error), Retry_After="1").response()

    async def _reread(self, request: Request) -> Response:
        try:
            result = await self._loop.reread(request.path_params["task_id"])
            return _json([result] if result else [])
        except (DatabaseUnavailable, LogsUnavailable) as error:
            return Problem("unavailable", str(error), Retry_After="1").response()

    async def _health(self, request: Request) -> Response:
        try:
            await self._loop.ping()
        except RuntimeError as error:
            return Problem("unavailable", str(error)).response()
        return _json({"status": "ok"})


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
