"""The gateway as an ASGI application: the API to the task API, everything else to the page."""

from __future__ import annotations

import itertools
import secrets
import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miyabi.gateway.guard import Guard
from miyabi.gateway.limit import Bucket
from miyabi.http import Problem

API = ("/api/", "/health", "/metrics")

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
]
"""On every answer that does not say otherwise itself, as the page does: it knows what it needs."""

REQUESTS = Counter("miyabi_gateway_requests_total", "Answers of the gateway by class of status", ["status"])
BY_CLASS = {digit: REQUESTS.labels(f"{digit}xx") for digit in range(1, 6)}
SECONDS = Histogram(
    "miyabi_gateway_seconds",
    "Time to the start of an answer",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


class Gateway:
    """ASGI. ``tasks`` serves the API in this process or brings it from another; ``page`` serves the rest."""

    def __init__(self, tasks: ASGIApp, page: ASGIApp, guard: Guard, bucket: Bucket) -> None:
        self._tasks = tasks
        self._page = page
        self._guard = guard
        self._bucket = bucket
        self._prefix = secrets.token_hex(4).encode()
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard, limit, route; every answer gets a request id and the headers of a careful site."""
        if scope["type"] != "http":
            await self._tasks(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id", b"")
        if not 0 < len(request_id) <= 128:
            request_id = b"%s-%x" % (self._prefix, next(self._numbers))
            scope["headers"] = [*scope["headers"], (b"x-request-id", request_id)]
        send = _finished(send, request_id, time.perf_counter())
        try:
            await self._routed(scope, headers)(scope, receive, send)
        except Problem as problem:
            await problem.response()(scope, receive, send)

    def _routed(self, scope: Scope, headers: dict[bytes, bytes]) -> ASGIApp:
        self._guard.check(scope["method"], headers)
        if not scope["path"].startswith(API):
            return self._page
        if wait := self._bucket.take():
            detail = "The board takes no more requests this second. Wait, then send the same again."
            raise Problem("rate-limited", detail, Retry_After=self._bucket.retry_after(wait))
        return self._tasks


def _finished(send: Send, request_id: bytes, began: float) -> Send:
    """``send`` that adds the headers of every answer and counts it."""

    async def finish(message: Message) -> None:
        if message["type"] == "http.response.start":
            SECONDS.observe(time.perf_counter() - began)
            BY_CLASS[message["status"] // 100].inc()
            headers = message.get("headers", ())
            said = {name for name, _ in headers}
            ours = [header for header in HEADERS if header[0] not in said]
            message["headers"] = [*headers, *ours, (b"x-request-id", request_id)]
        await send(message)

    return finish
