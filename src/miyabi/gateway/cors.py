"""CORS: pages of configured origins may ask here, and to nobody else is anything said of it.

Starlette's middleware answers their preflights. Others' pass it by: it would tell them methods and headers, too. All
else is two headers more, which it would take longer to add than the gateway takes for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miyabi.masked import kind_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = ("Authorization", "If-None-Match", "Last-Event-ID", "Traceparent", "X-Request-Id")
"""What pages may send; ``Accept`` and ``Content-Type`` they may send anyway."""
SHOWN = (
    "ETag",
    "Location",
    "Retry-After",
    "X-Request-Id",
    "RateLimit",
    "RateLimit-Policy",
)
"""What of an answer's headers their scripts may read."""
ASKS = b"access-control-request-method"
"""What makes a request a preflight."""
_SHOWN = (b"access-control-expose-headers", ", ".join(SHOWN).encode())
_VARY = (b"vary", b"Origin")
MAX_AGE = 7200
"""Seconds a browser may keep what a preflight said: the longest that all of them do."""
_ORIGIN = re.compile(r"https?://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_IMPLIED = (("https://", ":443"), ("http://", ":80"))
EXAMPLE = "write `https://board.example.org`, several with spaces between"


def origins_of(setting: str) -> tuple[str, ...]:
    """The origins in ``setting``, with spaces between, as browsers send them.

    Raises ``ValueError`` for what no browser would send and for ``*``: who may ask here is named.
    """
    return tuple(dict.fromkeys(_origin(given, number) for number, given in enumerate(setting.split(), 1)))


def _origin(given: str, number: int) -> str:
    origin = given.lower()
    if origin in ("*", "null") or not _ORIGIN.fullmatch(origin):
        shown = given if given == "*" else kind_of(given)
        raise ValueError(f"origin {number}, `{shown}`, is none; {EXAMPLE}")
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
            max_age=MAX_AGE,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every answer says that it depends on who asks: a cache must not hand one origin's to another."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"origin"]
        allowed = len(given) == 1 and given[0] in self._origins
        if allowed and scope["method"] == "OPTIONS" and any(name == ASKS for name, _ in scope["headers"]):
            await self._cors(scope, receive, send)
            return
        headers = [(b"access-control-allow-origin", given[0]), _SHOWN, _VARY] if allowed else [_VARY]
        await self._app(scope, receive, _with(headers, send))


def _with(headers: list[tuple[bytes, bytes]], send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return sending
