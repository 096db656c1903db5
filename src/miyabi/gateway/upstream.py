"""The way to task APIs in other processes: requests and answers are streamed through, headers and all."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from miyabi.gateway.guard import SAFE
from miyabi.gateway.pool import Member, Pool
from miyabi.http import ClientGone, Problem

if TYPE_CHECKING:
    import ssl

    import aiohttp

log = logging.getLogger("miyabi.gateway")

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 30.0
TRIES = 3
LOOK_SECONDS, PATIENCE_SECONDS = 2.0, 2.0
"""How often each is asked whether it is well, where there are several, and how long it may take to say so."""
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)
"""Headers of one connection (RFC 9110, 7.6.1): never passed on."""
JUDGED = frozenset({b"host", b"origin"})
"""What the gateway has looked at; the task API has another address, by which it looks at its own."""

Headers = Iterable[tuple[bytes, bytes]]


class _Lost(Exception):
    """No answer came, and another may be asked. The problem is what to answer when there is no other."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class Upstream:
    """ASGI. Brings answers from one of the task APIs at ``urls``. ``now`` and ``random`` are the :class:`Pool`'s.

    ``trust`` verifies those with TLS.
    """

    def __init__(
        self,
        urls: Sequence[str],
        now: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._trust = trust
        self.pool = Pool(urls, now, random)
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

    async def look(self, member: Member) -> None:
        """Ask one whether it is well. That the database is away is no fault of its own."""
        asked_at = self.pool.now()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._client().get(f"{member.url}/health") as answer:
                await answer.read()
        except Exception as error:  # whatever it is: this one does not answer
            self.pool.failed(member, str(error) or "it does not answer")
        else:
            self.pool.answered(member, asked_at)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        looks = asyncio.create_task(self._looks()) if len(self.pool.members) > 1 else None
        while True:
            message = await receive()
            ending = message["type"] == "lifespan.shutdown"
            if ending:
                if looks:
                    looks.cancel()
                if self._session:
                    await self._session.close()
            await send({"type": f"{message['type']}.complete"})
            if ending:
                return

    async def _looks(self) -> None:
        while True:
            await asyncio.gather(*(self.look(member) for member in self.pool.members))
            await asyncio.sleep(LOOK_SECONDS)

    def _client(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                connector=aiohttp.TCPConnector(limit=0, ssl=self._trust or True),
            )
        return self._session

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        tried: list[Member] = []
        while member := self.pool.pick(tried):
            tried.append(member)
            try:
                with member.serving():
                    await self._through(member, scope, receive, send)
                return
            except _Lost as lost:
                if len(tried) == TRIES or not self.pool.pick(tried):
                    raise lost.problem from None

    async def _through(self, member: Member, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask ``member`` and pass on what it answers. Raises :class:`_Lost` as long as another may be asked."""
        import aiohttp

        async with await self._answered(member, scope, receive) as answer:
            self._answers.add(answer)
            watcher = asyncio.create_task(self._close_with_client(receive, answer))
            try:
                await _answer(answer, send)
            except aiohttp.ClientError as error:
                if answer in self._answers:
                    log.warning("the task API at %s broke off an answer: %s", member.url, error)
                elif answer.content_type == "text/event-stream":
                    await send({"type": "http.response.body", "body": b""})
            finally:
                self._answers.discard(answer)
                watcher.cancel()

    async def _close_with_client(self, receive: Receive, answer: aiohttp.ClientResponse) -> None:
        """An endless answer ends when nobody listens any more; sending alone would not notice."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._answers.discard(answer)
        answer.close()

    async def _answered(self, member: Member, scope: Scope, receive: Receive) -> aiohttp.ClientResponse:
        """The beginning of an answer. Only what was never sent, or changes nothing, is lost and may go to another.

        A client that goes before its body is whole raises :class:`ClientGone`: that is nobody's failure.
        """
        import aiohttp

        has_body = any(k in (b"content-length", b"transfer-encoding") for k, _ in scope["headers"])
        again = scope["method"] in SAFE and not has_body
        asked_at = self.pool.now()
        task = asyncio.create_task(self._ask(member, scope, receive, has_body))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if again:
                    with member.retriable(task):
                        answer = await task
                else:
                    answer = await task
        except TimeoutError:
            raise Problem("timeout", "The task API did not answer in time. Try again.") from None
        except aiohttp.ClientConnectorError as error:
            self.pool.failed(member, str(error))
            detail = f"The task API at {member.url} can't be reached: {error.strerror or error}."
            raise _Lost(Problem("unavailable", detail, Retry_After="1")) from None
        except aiohttp.ClientError as error:
            if isinstance(error.__cause__, ClientGone):  # aiohttp's word for a body that ended early
                raise ClientGone from None
            problem = Problem("bad-gateway", f"The task API broke off: {error}.")
            self.pool.failed(member, f"it broke off: {error}")
            raise (_Lost(problem) if again else problem) from None
        except asyncio.CancelledError:
            task.cancel()
            if not again or not task.cancelled() or _cancelled():
                raise
            raise _Lost(Problem("unavailable", "The task API does not answer. Try again.", Retry_After="1")) from None
        self.pool.answered(member, asked_at)
        return answer

    async def _ask(self, member: Member, scope: Scope, receive: Receive, has_body: bool) -> aiohttp.ClientResponse:
        from yarl import URL

        query = scope["query_string"].decode("ascii", "replace")
        target = member.url + scope["raw_path"].decode("ascii") + ("?" + query if query else "")
        passed = [(key, value) for key, value in _passed(scope["headers"]) if key not in JUDGED]
        return await self._client().request(
            scope["method"],
            URL(target, encoded=True),
            headers=[(key.decode("latin-1"), value.decode("latin-1")) for key, value in passed],
            data=_body(receive) if has_body else None,
            allow_redirects=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )


def _cancelled() -> bool:
    """Whether it is the request itself that was cancelled, and not only the question to one task API."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


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
