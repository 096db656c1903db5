"""The audit trail: who changed what, and when; and who was not let.

Lines that jobs append are the product's traffic and are not written down one by one, only those that were refused.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miyabi.context import REQUEST
from miyabi.gateway.answered import LONGEST_WORD, AddressOf, Answered, asker_of, path_of, word
from miyabi.masked import masked
from miyabi.model import iso
from miyabi.principal import INGEST_PATH, READ

FORBIDDEN = 403
UNKNOWN = frozenset({0, 401, 404, 405, 429})
"""Without an answer, without a name, nowhere, or too often: nothing was changed, and nobody is known to have tried."""
NAMED_BYTES = 65_536
"""An answer up to here is looked at for the id of what was made."""


class Change(Struct, frozen=True, omit_defaults=True):
    """A line. ``subject`` and ``role`` are empty where no sign-in is configured or the token was not good."""

    time: str
    method: str
    path: str
    status: int
    client: str
    subject: str = ""
    role: str = ""
    task_id: str = ""
    project_id: str = ""
    request_id: str = ""
    agent: str = ""


class Made(Struct):
    """What an answer says it is about."""

    task_id: str = ""
    project_id: str = ""


class Audit:
    """ASGI: ``app``, and ``write`` is given a line for each change. ``now`` gives milliseconds."""

    def __init__(
        self, app: ASGIApp, write: Callable[[int, str], None], address: AddressOf, now: Callable[[], int]
    ) -> None:
        self._app, self._write, self._address, self._now = app, write, address, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then write: when (ms), and the line."""
        if scope["type"] != "http" or scope["method"] in READ or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        answer = _Read(send)
        try:
            await self._app(scope, receive, answer.send)
        finally:
            if _counts(scope, answer.status):
                now = self._now()
                self._write(now, msgspec.json.encode(self._change(scope, answer, now)).decode())

    def _change(self, scope: Scope, answer: _Read, now: int) -> Change:
        headers = dict(scope["headers"])
        who, made = asker_of(scope), _named(scope["path"]) or answer.made()
        return Change(
            iso(now),
            scope["method"],
            path_of(scope),
            answer.status,
            self._address(scope),
            who.subject[:LONGEST_WORD] if who else "",
            who.role if who else "",
            masked(made.task_id)[:LONGEST_WORD],
            masked(made.project_id)[:LONGEST_WORD],
            word(headers.get(b"x-request-id")) or REQUEST.get(),
            word(headers.get(b"user-agent")),
        )


class _Read(Answered):
    """Keeps the beginning of the answer, too."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._body = b""

    async def send(self, message: Message) -> None:
        if self.size <= NAMED_BYTES:
            self._body += message.get("body", b"")
        await super().send(message)

    def made(self) -> Made:
        """What was made, where the answer is its record."""
        if self.status not in (200, 201):
            return Made()
        try:
            return msgspec.json.decode(self._body, type=Made)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Made()


def _counts(scope: Scope, status: int) -> bool:
    """Whether the answer was to a change, or a refusal to somebody known: strangers shall not fill the trail."""
    if status == FORBIDDEN and asker_of(scope) is None:
        return False
    if scope["path"].startswith(INGEST_PATH):
        return status == FORBIDDEN
    return status not in UNKNOWN


def _named(path: str) -> Made | None:
    """The task or project in a path."""
    match path.split("/")[2:4]:
        case ["tasks", task_id]:
            return Made(task_id=task_id)
        case ["projects", project_id]:
            return Made(project_id=project_id)
    return None
