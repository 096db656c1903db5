"""The gateway as an ASGI application: the API to the task API, everything else to the page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miyabi.gateway.guard import Guard, name_of
from miyabi.gateway.headers import API, careful, kept
from miyabi.gateway.limited import Header, RateLimit
from miyabi.gateway.request_id import RequestIds
from miyabi.gateway.sign_in import PATH as SIGN_IN
from miyabi.gateway.sign_in import Ways
from miyabi.gateway.sign_in_app import SignInApp
from miyabi.http import Problem

if TYPE_CHECKING:
    from miyabi.gateway.auth import Auth

OPEN = "/health"
"""What is told without a token, too, and beyond any limit: a load balancer has none. The page's files are no secret
either, and cost too little to count them."""

SECONDS = Histogram(
    "miyabi_gateway_seconds",
    "Time to the start of an answer, by class of status",
    ["status"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
BY_CLASS = {digit: SECONDS.labels(f"{digit}xx") for digit in range(1, 6)}


class Gateway:
    """ASGI. ``tasks`` serves the API in this process or brings it from another; ``page`` serves the rest.

    Without ``auth`` nobody needs a token; ``ways`` says how people get one.
    """

    def __init__(
        self,
        tasks: ASGIApp,
        page: ASGIApp,
        guard: Guard,
        limit: RateLimit,
        auth: Auth | None = None,
        ways: Ways | None = None,
    ) -> None:
        self._tasks = tasks
        self._page = page
        self._guard = guard
        self._limit = limit
        self._auth = auth
        self._sign_in = SignInApp(ways or Ways(token=auth is not None), auth.verifier if auth else None)
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard, identify, limit, route; every answer gets a request id and the headers of a careful site."""
        if scope["type"] != "http":
            await self._tasks(scope, receive, send)
            await self._limit.close()
            return
        headers = dict(scope["headers"])
        request_id, scope["headers"] = self._ids.of(scope["headers"])
        added = [*careful(scope, name_of(headers)), (b"x-request-id", request_id)]
        send = _finished(send, scope, added, time.perf_counter())
        try:
            app = self._routed(scope, headers)
            if app is not self._page and scope["path"] != OPEN:
                await self._admit(scope, self._auth if app is self._tasks else None, added)
            await app(scope, receive, send)
        except Problem as problem:
            await problem.response()(scope, receive, send)

    async def _admit(self, scope: Scope, auth: Auth | None, added: list[Header]) -> None:
        """Find out who asks and whether that is within the limit. ``added`` are the headers of the answer."""
        if auth is None:
            added += await self._limit.admit(scope, None)
            return
        try:
            principal = await auth.identify(scope)
        except Problem:
            added += await self._limit.refuse(scope)
            raise
        added += await self._limit.admit(scope, principal.subject)
        auth.allow(principal, scope)

    def _routed(self, scope: Scope, headers: dict[bytes, bytes]) -> ASGIApp:
        self._guard.check(scope["method"], headers)
        if not scope["path"].startswith(API):
            return self._page
        return self._sign_in if scope["path"] == SIGN_IN else self._tasks


def _finished(send: Send, scope: Scope, headers: list[Header], began: float) -> Send:
    """``send`` that adds ``headers`` to an answer and notes when it began."""

    async def finish(message: Message) -> None:
        if message["type"] == "http.response.start":
            BY_CLASS[message["status"] // 100].observe(time.perf_counter() - began)
            given = list(message.get("headers", ()))
            message["headers"] = [*given, *kept(scope, message["status"], given), *headers]
        await send(message)

    return finish
