"""How long a task API elsewhere is waited for: from when it has the whole request, however long that took to come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Message

from miyabi.gateway.upstream import Upstream
from miyabi.http import Problem

SECONDS = 0.5
PIECE = b"x" * 1000


@asynccontextmanager
async def listening(*, reads: bool, answers: bool) -> AsyncIterator[str]:
    """A task API that reads what it is sent, or does not, and answers once it has ten pieces, or never does."""
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got = b""
        while reads and got.count(b"x") < 10 * len(PIECE) and (more := await reader.read(65536)):
            got += more
        if answers:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1024)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            over.set()


async def asked(url: str, pieces: list[bytes], pause: float = 0.0) -> list[Message]:
    """What a client is sent whose body comes in ``pieces`` with a ``pause`` of seconds before each."""
    sent: list[Message] = []
    left = list(pieces)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "raw_path": b"/api/tasks",
        "path": "/api/tasks",
        "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
    }
    upstream = Upstream([url], answer_seconds=SECONDS)
    try:
        await upstream(scope, receive, send)
    finally:
        await upstream({"type": "lifespan"}, _shutdown, _ignore)
    return sent


async def _shutdown() -> Message:
    return {"type": "lifespan.shutdown"}


async def _ignore(message: Message) -> None: ...


def test_a_body_may_take_longer_to_come_than_an_answer_may() -> None:
    async def scenario() -> None:
        async with listening(reads=True, answers=True) as url:
            sent = await asked(url, [PIECE] * 10, pause=SECONDS / 5)
        assert sent[0]["status"] == 200

    asyncio.run(scenario())


def test_a_client_that_pauses_is_not_the_task_apis_fault() -> None:
    async def scenario() -> None:
        async with listening(reads=True, answers=True) as url:
            sent = await asked(url, [PIECE * 5, PIECE * 5], pause=1.5 * SECONDS)
        assert sent[0]["status"] == 200

    asyncio.run(scenario())


@pytest.mark.parametrize("reads", [True, False])
def test_a_task_api_that_takes_nothing_more_or_never_answers_is_given_up(reads: bool) -> None:
    """What it does not read fills the buffers between, and then stands still."""

    async def scenario() -> None:
        async with listening(reads=reads, answers=False) as url, asyncio.timeout(30):
            with pytest.raises(Problem) as problem:
                await asked(url, [PIECE * 10] if reads else [PIECE * 1000] * 50)
        assert problem.value.status == 504

    asyncio.run(scenario())


def test_an_answer_that_comes_before_the_end_of_the_body_is_passed_on() -> None:
    async def scenario() -> None:
        async with listening(reads=False, answers=True) as url:
            sent = await asked(url, [PIECE] * 3, pause=SECONDS / 5)
        assert sent[0]["status"] == 200
        assert b"".join(part["body"] for part in sent[1:]) == b"ok"

    asyncio.run(scenario())
