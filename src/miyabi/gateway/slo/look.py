"""How the services are, by ``GET /health`` of the task API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Message

from miyabi.gateway.slo.watch import State

PATIENCE_SECONDS = 5.0


class _Health(Struct):
    services: dict[str, State]


class Looker:
    """Asks ``tasks``, which serves here or elsewhere, and whether the ``page`` is there, which the gateway has."""

    def __init__(self, tasks: ASGIApp, page: Callable[[], Awaitable[None]]) -> None:
        self._tasks, self._page = tasks, page

    async def __call__(self) -> Mapping[str, State]:
        """The gateway is up: it asks."""
        return {**await self._behind(), "gateway": State("ok"), "webui": await _state(self._page)}

    async def _behind(self) -> Mapping[str, State]:
        """What the task API says. While it says nothing, nobody knows how those behind it are."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return msgspec.json.decode(await get(self._tasks, "/health"), type=_Health).services
        except Exception:  # whatever it is: the task API does not answer as it should
            return {"tasks": State("down")}


async def _state(probe: Callable[[], Awaitable[None]]) -> State:
    try:
        await probe()
    except Exception:
        return State("down")
    return State("ok")


async def get(app: ASGIApp, path: str) -> bytes:
    """The body that ``app`` answers ``GET path`` with, whatever the status."""
    body = bytearray()
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        body.extend(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
    }
    await app(scope, receive, send)
    return bytes(body)
