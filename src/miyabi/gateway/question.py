"""One question to one task API: until its answer begins, or it is known why none does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.types import Message, Receive, Scope

from miyabi.gateway.guard import SAFE
from miyabi.gateway.passed import asked, body_of, has_body
from miyabi.gateway.pool import Member, Pool
from miyabi.http import ClientGone, Problem

if TYPE_CHECKING:
    import ssl

    import aiohttp

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 30.0
PATIENCE_SECONDS = 2.0
"""How long one may take to say whether it is well."""


class Lost(Exception):
    """No answer came, and another may be asked. The problem is what to answer when there is no other."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class Asker:
    """Asks members of ``pool``, which is told how they do. ``trust`` verifies those with TLS.

    One has ``answer_seconds`` to begin an answer from when it was sent the request, and to take more of its body.
    """

    def __init__(self, pool: Pool, trust: ssl.SSLContext | None, answer_seconds: float) -> None:
        self._pool, self._trust, self._seconds = pool, trust, answer_seconds
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of connections."""
        if self._session:
            await self._session.close()

    async def look(self, member: Member) -> None:
        """Ask one whether it is well. That the database is away is no fault of its own."""
        asked_at = self._pool.now()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._client().get(f"{member.url}/health") as answer:
                await answer.read()
        except Exception as error:  # whatever it is: this one does not answer
            self._pool.failed(member, str(error) or "it does not answer")
        else:
            self._pool.answered(member, asked_at)

    async def ask(self, member: Member, scope: Scope, receive: Receive) -> aiohttp.ClientResponse:
        """The beginning of an answer. Only what was never sent, or changes nothing, is lost and may go to another.

        A client that goes before its body is whole raises :class:`ClientGone`: that is nobody's failure.
        """
        import aiohttp

        again = scope["method"] in SAFE and not has_body(scope["headers"])
        asked_at = self._pool.now()
        limit = asyncio.timeout(self._seconds)
        task = asyncio.create_task(self._sent(member, scope, self._paced(receive, limit)))
        try:
            async with limit:
                if again:
                    with member.retriable(task):
                        answer = await task
                else:
                    answer = await task
        except TimeoutError:
            raise Problem("timeout", "The task API did not answer in time. Try again.") from None
        except aiohttp.ClientConnectorError as error:
            self._pool.failed(member, str(error))
            detail = f"The task API at {member.url} can't be reached: {error.strerror or error}."
            raise Lost(Problem("unavailable", detail, Retry_After="1")) from None
        except aiohttp.ClientError as error:
            if isinstance(error.__cause__, ClientGone):  # aiohttp's word for a body that ended early
                raise ClientGone from None
            problem = Problem("bad-gateway", f"The task API broke off: {error}.")
            self._pool.failed(member, f"it broke off: {error}")
            raise (Lost(problem) if again else problem) from None
        except asyncio.CancelledError:
            task.cancel()
            if not again or not task.cancelled() or _cancelled():
                raise
            raise Lost(Problem("unavailable", "The task API does not answer. Try again.", Retry_After="1")) from None
        self._pool.answered(member, asked_at)
        return answer

    def _paced(self, receive: Receive, limit: asyncio.Timeout) -> Receive:
        """``receive`` that stops the clock while the client is waited for: how long that may take, the door says."""

        async def received() -> Message:
            with suppress(RuntimeError):  # the answer has begun already
                limit.reschedule(None)
            message = await receive()
            with suppress(RuntimeError):
                limit.reschedule(asyncio.get_running_loop().time() + self._seconds)
            return message

        return received

    def _client(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                connector=aiohttp.TCPConnector(limit=0, ssl=self._trust or True),
            )
        return self._session

    async def _sent(self, member: Member, scope: Scope, receive: Receive) -> aiohttp.ClientResponse:
        from yarl import URL

        query = scope["query_string"].decode("ascii", "replace")
        target = member.url + scope["raw_path"].decode("ascii") + ("?" + query if query else "")
        return await self._client().request(
            scope["method"],
            URL(target, encoded=True),
            headers=asked(scope["headers"]),
            data=body_of(receive) if has_body(scope["headers"]) else None,
            allow_redirects=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )


def _cancelled() -> bool:
    """Whether it is the request itself that was cancelled, and not only the question to one task API."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
