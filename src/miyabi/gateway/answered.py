"""What is known of a request once it has been answered, for those who write it down."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.types import Message, Scope, Send

from miyabi.masked import masked
from miyabi.principal import Principal, attached

AddressOf = Callable[[Scope], str]
"""The client's address."""

LONGEST_PATH = 512
LONGEST_WORD = 200
_TRACE = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Answered:
    """Counts what is sent through :meth:`send`. ``status`` is 0 until an answer has begun."""

    __slots__ = ("_send", "size", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.size = 0

    async def send(self, message: Message) -> None:
        """Send and count."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.size += len(message.get("body", b""))
        await self._send(message)


def path_of(scope: Scope) -> str:
    """The path as it was sent, without the query, which may hold anything."""
    raw: bytes = scope["raw_path"]
    return masked(raw.decode("ascii", "replace"))[:LONGEST_PATH]


def word(value: bytes | None) -> str:
    """A header's value, cut where it is long; empty when there is none."""
    return masked(value.decode("latin-1"))[:LONGEST_WORD] if value else ""


def trace_id(traceparent: bytes | None) -> str:
    """What stands in ``traceparent`` (W3C Trace Context); empty when nothing does."""
    found = _TRACE.fullmatch(traceparent) if traceparent else None
    return found[1].decode() if found else ""


def asker_of(scope: Scope) -> Principal | None:
    """Who asked, as far as a good token told."""
    return attached(scope)


def peer(scope: Scope) -> str:
    """The address at the other end of the connection."""
    client = scope.get("client")
    return client[0] if client else ""
