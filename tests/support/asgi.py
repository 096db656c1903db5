"""Calls an ASGI application without a network, and answers what a client would see."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp, Message


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


async def call(
    app: ASGIApp, method: str, target: str, body: bytes | object = b"", headers: dict[str, str] | None = None
) -> Answer:
    """One request. A ``body`` that is no bytes is sent as JSON; ``target`` is a path with its query."""
    given = {"host": "127.0.0.1:8420", **(headers or {})}
    if not isinstance(body, bytes):
        body = msgspec.json.encode(body)
        given.setdefault("content-type", "application/json")
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
        "server": ("127.0.0.1", 8420),
        "client": ("127.0.0.1", 50000),
    }
    sent: list[Message] = []
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not incoming:
            await asyncio.Event().wait()  # the client stays for the whole answer
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    answered: dict[str, str] = {}
    for name, value in start["headers"]:
        known = answered.get(name.decode())
        answered[name.decode()] = f"{known}, {value.decode()}" if known else value.decode()
    return Answer(start["status"], answered, b"".join(part.get("body", b"") for part in rest))
