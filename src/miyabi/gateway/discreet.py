"""What those are told of services that are unwell who may not know where these are: which, and no more.

``/health`` answers everybody, and what a driver says of a server that is away begins with its address. A token for some
projects may stand in a public page, for its badge. Who sees all of the board is told all, and so is the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miyabi.gateway.headers import OPEN
from miyabi.http import Problem, respond
from miyabi.principal import attached

if TYPE_CHECKING:
    from miyabi.gateway.auth import Auth

log = logging.getLogger("miyabi.gateway")

UNWELL = frozenset({502, 503})
"""Answers that say why a service does not answer."""
NOT_OURS = range(300, 500)
"""Answers that say nothing of services: unchanged, or the request's own fault."""
NOT_OF_THIS = frozenset({b"content-length", b"etag"})


class Discreet:
    """ASGI: ``app``, called ``service`` ("The task API"), where sign-in is configured.

    ``auth`` looks for a good token on ``/health``, where nobody in front has; without it, nobody there is known.
    """

    def __init__(self, app: ASGIApp, service: str, auth: Auth | None = None) -> None:
        self._app, self._service, self._auth = app, service, auth
        self._said = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as far as who asks may know."""
        if scope["type"] != "http" or await self._may_know(scope):
            await self._app(scope, receive, send)
            return
        if scope["path"] == OPEN and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # the server drops the body, whose length must be known
        telling = _Telling(send, self._without_places, all_of_it=scope["path"] == OPEN)
        try:
            await self._app(scope, receive, telling.send)
        except Problem as problem:
            if telling.begun:
                raise
            await problem.response()(scope, receive, telling.send)

    async def _may_know(self, scope: Scope) -> bool:
        """Whether who asks sees all of the board. By other paths than ``/health`` nobody comes who was not let in."""
        if scope["path"] == OPEN and self._auth:
            await self._auth.recognise(scope)
        principal = attached(scope)
        if principal is None:
            return bool(scope["path"] != OPEN)
        return principal.projects is None and principal.role != "ingest"

    def _without_places(self, body: bytes) -> bytes:
        """Problem details, or the services' states, without their details; nothing of what is neither."""
        try:
            told = msgspec.json.decode(body, type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return b""
        if "detail" in told:
            self._say_once(str(told["detail"]))
            told["detail"] = f"{self._service} is not well. Who sends a token for all projects is told why."
        services = told.get("services")
        for state in services.values() if isinstance(services, dict) else ():
            if isinstance(state, dict):
                state.pop("detail", None)
        return msgspec.json.encode(told)

    def _say_once(self, detail: str) -> None:
        """In the log, until it is something else."""
        if detail != self._said:
            log.warning("%s is not well: %s", self._service, detail)
        self._said = detail


class _Telling:
    """Sends an answer on. That of what is unwell (or any, ``all_of_it``) waits until it is whole, and tells less."""

    def __init__(self, send: Send, less: Callable[[bytes], bytes], *, all_of_it: bool) -> None:
        self._send, self._less, self._all = send, less, all_of_it
        self._held: Message | None = None
        self._body = b""
        self.begun = False

    async def send(self, message: Message) -> None:
        """Send a part, or keep it until the rest is there."""
        if message["type"] == "http.response.start":
            self.begun = True
            if message["status"] in UNWELL or (self._all and message["status"] not in NOT_OURS):
                self._held = message
                return
        elif self._held:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._let_go(self._held)
            return
        await self._send(message)

    async def _let_go(self, held: Message) -> None:
        headers = [each for each in held["headers"] if each[0].lower() not in NOT_OF_THIS]
        await respond(self._send, held["status"], headers, self._less(self._body))
