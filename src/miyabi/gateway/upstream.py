"""The way to a task API in another process: requests and answers are streamed through, headers and all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from miyabi.http import ClientGone, Problem

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger("miyabi.gateway")

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 30.0
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)
"""Headers of one connection (RFC 9110, 7.6.1): never passed on."""

OURS = (b"host", b"origin")
"""What the gateway has looked at; the task API has another address, by which it looks at its own."""

Headers = Iterable[tuple[bytes, bytes]]


class Upstream:
    """ASGI. Brings answers from the task API at ``url``."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._answers: set[aiohttp.ClientResponse] = set()

    def close(self) -> None:
        """End the answers that are under way: streams of events would never end by themselves."""
        for answer in self._answers:
            answer.close()
        self._answers.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and its answer back as it comes."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            ending = message["type"] == "lifespan.shutdown"
            if ending and self._session:
                await self._session.close()
            await send({"type": f"{message['type']}.complete"})
            if ending:
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        import aiohttp

        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(
                timeout=timeout, auto_decompress=False, connector=aiohttp.TCPConnector(limit=0)
            )
        query = scope["query_string"].decode("ascii", "replace")
        target = self._url + scope["raw_path"].decode("ascii") + ("?" + query if query else "")
        try:
            answer = await asyncio.wait_for(self._ask(self._session, scope, receive, target), ANSWER_SECONDS)
        except TimeoutError:
            raise Problem("timeout", "The task API did not answer in time. Try again.") from None
        except aiohttp.ClientConnectorError as error:
            detail = f"The task API at {self._url} can't be reached: {error.strerror or error}."
            raise Problem("unavailable", detail, Retry_After="1") from None
        except aiohttp.ClientError as error:
            raise Problem("bad-gateway", f"The task API broke off: {error}.") from None
        async with answer:
            self._answers.add(answer)
            watcher = asyncio.create_task(_close_with_client(receive, answer))
            try:
                await _answer(answer, send)
            except aiohttp.ClientError as error:
                if answer in self._answers:
                    log.warning("the task API at %s broke off an answer: %s", self._url, error)
                elif answer.content_type == "text/event-stream":
                    await send({"type": "http.response.body", "body": b""})
            finally:
                self._answers.discard(answer)
                watcher.cancel()

    async def _ask(
        self, session: aiohttp.ClientSession, scope: Scope, receive: Receive, target: str
    ) -> aiohttp.ClientResponse:
        from yarl import URL

        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in _passed(scope["headers"]) if k not in OURS]
        has_body = any(k in (b"content-length", b"transfer-encoding") for k, _ in scope["headers"])
        return await session.request(
            scope["method"],
            URL(target, encoded=True),
            headers=headers,
            data=_body(receive) if has_body else None,
            allow_redirects=False,
        )


async def _close_with_client(receive: Receive, answer: aiohttp.ClientResponse) -> None:
    """An endless answer ends when nobody listens any more; sending alone would not notice."""
    while (await receive())["type"] != "http.disconnect":
        pass
    answer.close()


async def _answer(answer: aiohttp.ClientResponse, send: Send) -> None:
    headers = [(k.lower(), v) for k, v in answer.raw_headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": _passed(headers)})
    async for chunk in answer.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def _passed(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Headers without those of one connection, and without those that ``Connection`` names."""
    headers = list(headers)
    named = {
        name.strip().lower() for key, value in headers if key == b"connection" for name in value.split(b",") if name
    }
    return [(key, value) for key, value in headers if key not in HOP_BY_HOP and key not in named]
