"""The access log: one line for each request that was answered, when its answer has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.gateway.answered import LONGEST_WORD, AddressOf, Answered, asker_of, path_of, trace_id, word
from miyabi.model import iso


class Access(Struct, frozen=True, omit_defaults=True):
    """A line. ``seconds`` are those to the end of the answer; ``status`` 0 is a client that had gone before it."""

    time: str
    level: str
    service: str
    logger: str
    client: str
    method: str
    path: str
    status: int
    bytes: int
    seconds: float
    request_id: str = ""
    subject: str = ""
    agent: str = ""
    trace_id: str = ""


class Seen(NamedTuple):
    """What a line is made of: the epoch ms at which an answer ended, after how long, and to whom."""

    now: int
    seconds: float
    scope: Scope
    status: int
    size: int


class AccessLog:
    """ASGI: ``app``, and ``write`` is given what was seen of each of its answers. ``now`` gives milliseconds.

    A line is made later, many at once: that costs a third of making it between two requests.
    """

    def __init__(self, app: ASGIApp, write: Callable[[Seen], None], now: Callable[[], int]) -> None:
        self._app, self._write, self._now = app, write, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then hand over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered, began = Answered(send), time.perf_counter()
        try:
            await self._app(scope, receive, answered.send)
        finally:
            seconds = time.perf_counter() - began
            self._write(Seen(self._now(), seconds, scope, answered.status, answered.size))


def line(seen: Seen, address: AddressOf) -> bytes:
    """What is written down of it, with its newline."""
    scope, headers = seen.scope, dict(seen.scope["headers"])
    who = asker_of(scope)
    access = Access(
        iso(seen.now),
        "INFO",
        "gateway",
        "miyabi.access",
        address(scope),
        scope["method"],
        path_of(scope),
        seen.status,
        seen.size if scope["method"] != "HEAD" else 0,  # the server drops what an application sends
        round(seen.seconds, 6),
        word(headers.get(b"x-request-id")),
        who.subject[:LONGEST_WORD] if who else "",
        word(headers.get(b"user-agent")),
        trace_id(headers.get(b"traceparent")),
    )
    return msgspec.json.encode(access) + b"\n"
