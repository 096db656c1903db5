"""CORS: pages of configured origins may ask here, and to nobody else is anything said of it.

Starlette's middleware answers them. Others' requests pass it by: it would tell them methods and headers, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = ("Authorization", "If-None-Match", "Last-Event-ID", "Traceparent", "X-Request-Id")
"""What pages may send; ``Accept`` and ``Content-Type`` they may send anyway."""
SHOWN = (
    "ETag",
    "Location",
    "Retry-After",
    "X-Request-Id",
    *("RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
"""What of an answer's headers their scripts may read."""
MAX_AGE = 7200
"""Seconds a browser may keep what a preflight said: the longest that all of them do."""
_ORIGIN = re.compile(r"https?://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_IMPLIED = (("https://", ":443"), ("http://", ":80"))
EXAMPLE = "write `https://board.example.org`, several with spaces between"


def origins_of(setting: str) -> tuple[str, ...]:
    """The origins in ``setting``, with spaces between, as browsers send them.

    Raises ``ValueError`` for what no browser would send and for ``*``: who may ask here is named.
    """
    return tuple(dict.fromkeys(map(_origin, setting.split())))


def _origin(given: str) -> str:
    origin = given.lower()
    if origin in ("*", "null") or not _ORIGIN.fullmatch(origin):
        raise ValueError(f"`{given[:100]}` is no origin; {EXAMPLE}")
    for scheme, port in _IMPLIED:
        if origin.startswith(scheme) and origin.endswith(port):
            return origin.removesuffix(port)
    return origin


class Cors:
    """ASGI: ``app`` for pages of ``origins``, too. Their preflights are answered here, before a token is asked for."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)
        self._cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=SHOWN,
            max_age=MAX_AGE,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every answer says that it depends on who asks: a cache must not hand one origin's to another."""
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"origin"]
            if len(given) == 1 and given[0] in self._origins:
                await self._cors(scope, receive, send)
                return
            send = _varying(send)
        await self._app(scope, receive, send)


def _varying(send: Send) -> Send:
    async def vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Origin")
        await send(message)

    return vary
