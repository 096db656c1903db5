"""The gateway as an ASGI application: the API to the task API, everything else to the page."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miyabi.counters import Histogram
from miyabi.gateway.guard import Guard
from miyabi.gateway.headers import API, OPEN, Header, careful, kept
from miyabi.gateway.limited import RateLimit
from miyabi.gateway.request_id import RequestIds
from miyabi.gateway.sign_in import PATH as SIGN_IN
from miyabi.gateway.sign_in import Ways
from miyabi.gateway.sign_in_app import SignInApp
from miyabi.http import NOT_FORESEEN, ClientGone, Problem

if TYPE_CHECKING:
    from miyabi.gateway.auth import Auth
    from miyabi.gateway.slo.ledger import Ledger

log = logging.getLogger("miyabi.gateway")

FAILED = 500
"""Statuses from here on are a service's fault, not a client's."""
EMPTY: Mapping[str, ASGIApp] = MappingProxyType({})
BY_CLASS = {
    digit: Histogram(
        "miyabi_gateway_seconds", "Time to the start of an answer, by class of status", status=f"{digit}xx"
    )
    for digit in range(1, 6)
}


class Gateway:
    """ASGI. ``tasks`` serves the API in this process or brings it from another; ``page`` serves the rest.

    Without ``auth`` nobody needs a token; ``ways`` says how people get one. ``own`` is what the gateway itself answers,
    by path; ``ledger`` counts what every service does.
    """

    def __init__(
        self,
        tasks: ASGIApp,
        page: ASGIApp,
        guard: Guard,
        limit: RateLimit,
        auth: Auth | None = None,
        ways: Ways | None = None,
        own: Mapping[str, ASGIApp] = EMPTY,
        ledger: Ledger | None = None,
    ) -> None:
        self._tasks = tasks
        self._page = page
        self._guard = guard
        self._limit = limit
        self._auth = auth
        self._sign_in = SignInApp(ways or Ways(token=auth is not None), auth.verifier if auth else None)
        self._own: dict[str, ASGIApp] = {SIGN_IN: self._sign_in, **own}
        self._ledger = ledger
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard, identify, limit, route; every answer gets a request id and the headers of a careful site."""
        if scope["type"] != "http":
            await self._tasks(scope, receive, send)
            await self._limit.close()
            return
        headers = dict(scope["headers"])
        request_id, scope["headers"] = self._ids.of(scope["headers"])
        added = [*careful(scope, headers), (b"x-request-id", request_id)]
        answer = Answer(send, scope, added, self._ledger)
        try:
            app = self._routed(scope, headers)
            if app is not self._page and scope["path"] != OPEN:
                await self._admit(scope, None if app is self._sign_in else self._auth, added)
            if app in (self._tasks, self._page):
                answer.handed("tasks" if app is self._tasks else "webui")
            await app(scope, answer.heard(receive), answer)
        except ClientGone:
            return
        except Problem as problem:
            await problem.response()(scope, receive, answer)
        except Exception:
            if answer.begun:
                raise
            log.exception("a request failed")
            await Problem("internal", NOT_FORESEEN).response()(scope, receive, answer)

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
        return self._own.get(scope["path"], self._tasks)


class Answer:
    """``send`` that adds ``headers`` to an answer and notes when it began, and who took how long until then."""

    __slots__ = ("_began", "_handed", "_headers", "_ledger", "_scope", "_send", "_to", "_whole", "begun")

    def __init__(self, send: Send, scope: Scope, headers: list[Header], ledger: Ledger | None) -> None:
        self._send, self._scope, self._headers, self._ledger = send, scope, headers, ledger
        self.begun = False
        self._began = time.perf_counter()
        self._handed = self._whole = 0.0
        self._to = ""

    def handed(self, service: str) -> None:
        """The gateway has done its part; ``service`` begins."""
        self._handed, self._to = time.perf_counter(), service

    def heard(self, receive: Receive) -> Receive:
        """``receive`` that notes when the request was whole: a client that sends slowly is no fault of a service."""

        async def noted() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                self._whole = time.perf_counter()
            return message

        return noted

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            self._note(message["status"])
            given = list(message.get("headers", ()))
            message["headers"] = [*given, *kept(self._scope, message["status"], given), *self._headers]
        await self._send(message)

    def _note(self, status: int) -> None:
        now = time.perf_counter()
        BY_CLASS[status // 100].observe(now - self._began)
        if self._ledger:
            failed = status >= FAILED
            self._ledger.call("gateway", (self._handed or now) - self._began, failed=failed and not self._to)
            if self._to:
                self._ledger.call(self._to, now - max(self._handed, self._whole), failed=failed)
