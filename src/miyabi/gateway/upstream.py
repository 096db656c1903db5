"""The way to task APIs in other processes: requests and answers are streamed through, headers and all."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from miyabi.gateway.passed import send_answer
from miyabi.gateway.pool import Member, Pool
from miyabi.gateway.question import ANSWER_SECONDS, Asker, Lost

if TYPE_CHECKING:
    import ssl

    import aiohttp

log = logging.getLogger("miyabi.gateway")

TRIES = 3
LOOK_SECONDS = 2.0
"""How often each is asked whether it is well, where there are several."""


class Upstream:
    """ASGI. Brings answers from one of the task APIs at ``urls``. ``now`` and ``random`` are the :class:`Pool`'s.

    ``trust`` verifies those with TLS. ``answer_seconds`` are the :class:`Asker`'s.
    """

    def __init__(
        self,
        urls: Sequence[str],
        now: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
        trust: ssl.SSLContext | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.pool = Pool(urls, now, random)
        self._asker = Asker(self.pool, trust, answer_seconds)
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
        looks = asyncio.create_task(self._looks()) if len(self.pool.members) > 1 else None
        while True:
            message = await receive()
            ending = message["type"] == "lifespan.shutdown"
            if ending:
                if looks:
                    looks.cancel()
                await self._asker.close()
            await send({"type": f"{message['type']}.complete"})
            if ending:
                return

    async def _looks(self) -> None:
        while True:
            await asyncio.gather(*(self._asker.look(member) for member in self.pool.members))
            await asyncio.sleep(LOOK_SECONDS)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        tried: list[Member] = []
        while member := self.pool.pick(tried):
            tried.append(member)
            try:
                with member.serving():
                    await self._through(member, scope, receive, send)
                return
            except Lost as lost:
                if len(tried) == TRIES or not self.pool.pick(tried):
                    raise lost.problem from None

    async def _through(self, member: Member, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask ``member`` and pass on what it answers. Raises :class:`Lost` as long as another may be asked."""
        import aiohttp

        async with await self._asker.ask(member, scope, receive) as answer:
            self._answers.add(answer)
            watcher = asyncio.create_task(self._close_with_client(receive, answer))
            try:
                await send_answer(answer, send)
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
