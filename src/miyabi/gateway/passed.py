"""What is passed on between a client and a task API elsewhere: headers and bodies, streamed as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from starlette.types import Receive, Send

from miyabi.http import ClientGone

if TYPE_CHECKING:
    import aiohttp

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)
"""Headers of one connection (RFC 9110, 7.6.1): never passed on."""
JUDGED = frozenset({b"host", b"origin"})
"""What the gateway has looked at; the task API has another address, by which it looks at its own."""

Headers = Iterable[tuple[bytes, bytes]]


def has_body(headers: Headers) -> bool:
    """Whether a body follows a request's ``headers``."""
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in headers)


def asked(headers: Headers) -> list[tuple[str, str]]:
    """The headers of a request to the task API, by those of a client's."""
    return [(k.decode("latin-1"), v.decode("latin-1")) for k, v in _passed(headers) if k not in JUDGED]


async def body_of(receive: Receive) -> AsyncIterator[bytes]:
    """A request's body. Raises :class:`ClientGone` when the client leaves before its end."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def send_answer(answer: aiohttp.ClientResponse, send: Send) -> None:
    """Send the task API's answer on. Raises ``aiohttp.ClientError`` where it breaks off."""
    headers = [(k.lower(), v) for k, v in answer.raw_headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": _passed(headers)})
    async for chunk in answer.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _passed(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Headers without those of one connection, and without those that ``Connection`` names."""
    headers = list(headers)
    named = {
        name.strip().lower() for key, value in headers if key == b"connection" for name in value.split(b",") if name
    }
    return [(key, value) for key, value in headers if key not in HOP_BY_HOP and key not in named]
