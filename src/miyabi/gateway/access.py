"""The access log: one line for each request that was answered, when its answer has ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.gateway.answered import LONGEST_WORD, AddressOf, Answered, asker_of, header_of, path_of, trace_of
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


class AccessLog:
    """ASGI: ``app``, and ``write`` is given a line of JSON for each of its answers. ``now`` gives milliseconds."""

    def __init__(
        self, app: ASGIApp, write: Callable[[bytes], None], address: AddressOf, now: Callable[[], int]
    ) -> None:
        self._app, self._write, self._address, self._now = app, write, address, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then write."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered, began = Answered(send), time.perf_counter()
        try:
            await self._app(scope, receive, answered.send)
        finally:
            self._write(msgspec.json.encode(self._line(scope, answered, time.perf_counter() - began)) + b"\n")

    def _line(self, scope: Scope, answered: Answered, seconds: float) -> Access:
        who = asker_of(scope)
        return Access(
            iso(self._now()),
            "INFO",
            "gateway",
            "miyabi.access",
            self._address(scope),
            scope["method"],
            path_of(scope),
            answered.status,
            answered.size,
            round(seconds, 6),
            header_of(scope, b"x-request-id"),
            who.subject[:LONGEST_WORD] if who else "",
            header_of(scope, b"user-agent"),
            trace_of(scope),
        )
