"""The gateway over HTTP: what a task API in another process answers comes through as it is."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.limit import a_limit
from yarl import URL

from miyabi.gateway.app import Gateway
from miyabi.gateway.guard import Guard
from miyabi.gateway.slo.ledger import Ledger
from miyabi.gateway.upstream import Upstream

Talk = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """``app`` on a free port."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    job = asyncio.create_task(server.serve([sock]))
    try:
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await job
        sock.close()


def through_the_gateway(behind: ASGIApp, talk: Talk) -> None:
    async def run() -> None:
        async with served(_with_lifespan(behind)) as upstream:
            door = Gateway(Upstream([upstream]), behind, Guard("127.0.0.1"), a_limit())
            async with served(door) as url, aiohttp.ClientSession() as session:
                await talk(session, url)

    asyncio.run(run())


def _with_lifespan(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)
            return
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    return serve


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers what it was sent: the target, the headers, the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    lines = [scope["raw_path"] + b"?" + scope["query_string"]] + [k + b": " + v for k, v in scope["headers"]]
    await send({"type": "http.response.start", "status": 207, "headers": [(b"x-kept", b"1"), (b"set-cookie", b"a=1")]})
    await send({"type": "http.response.body", "body": b"\n".join(lines) + b"\n\n" + body})


def test_target_headers_and_body_come_through() -> None:
    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        headers = {"Authorization": "Bearer x", "Connection": "x-private", "X-Private": "1"}
        target = URL(f"{url}/api/logs/%2Fmiyabi%2Fjobs/a?x=%20y", encoded=True)
        async with session.post(target, data=b"body" * 50_000, headers=headers) as answer:
            text = await answer.text()
        assert answer.status == 207
        assert answer.headers["x-kept"] == "1"
        assert text.startswith("/api/logs/%2Fmiyabi%2Fjobs/a?x=%20y\n")
        assert "authorization: Bearer x" in text
        assert "x-private" not in text
        assert text.endswith("body" * 50_000)

    through_the_gateway(echo, talk)


def test_an_endless_answer_comes_through_as_it_is_written_and_ends_with_its_reader(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = asyncio.Event()

    async def ticks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one\n", "more_body": True})
        await receive()
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.set()

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/api/events") as answer:
            assert await answer.content.readline() == b"one\n"
        await asyncio.wait_for(ended.wait(), 5)

    through_the_gateway(ticks, talk)
    assert not caplog.records, "it is the reader who left"


def test_a_client_that_goes_before_its_request_is_whole_is_no_failure_of_the_task_api(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """That would put it aside, and break off what others wait for there."""

    async def run() -> Upstream:
        begun, gone = asyncio.Event(), asyncio.Event()

        async def reads(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            begun.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()

        async with served(_with_lifespan(reads)) as behind:
            upstream = Upstream([behind])
            door = Gateway(upstream, reads, Guard("127.0.0.1"), a_limit(), ledger=ledger)
            async with served(door) as url, asyncio.timeout(20):
                _, writer = await asyncio.open_connection("127.0.0.1", URL(url).port)
                writer.write(b"POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nfour")
                await begun.wait()
                writer.close()
                await gone.wait()
        return upstream

    ledger = Ledger(time.time)
    assert asyncio.run(run()).pool.members[0].failures == 0
    assert not caplog.records
    assert ledger.counts("tasks", 60).failed == 0


def test_closing_ends_what_would_never_end(caplog: pytest.LogCaptureFixture) -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async def run() -> None:
        async with served(_with_lifespan(endless)) as url:
            upstream = Upstream([url])
            door = Gateway(upstream, endless, Guard("127.0.0.1"), a_limit())
            async with served(door) as way, aiohttp.ClientSession() as session, session.get(f"{way}/api/x") as answer:
                assert await answer.content.readexactly(5) == b"hello"
                upstream.close()
                async with asyncio.timeout(10):
                    assert await answer.read() == b""

    asyncio.run(run())
    assert not caplog.records


def test_an_answer_that_breaks_off_is_not_passed_for_whole() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/api/tasks") as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()

    through_the_gateway(breaks, talk)


def test_a_task_api_that_is_not_there_is_503_with_its_address() -> None:
    async def run() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
            door = Gateway(Upstream([nobody]), echo, Guard("127.0.0.1"), a_limit())
            async with served(door) as url, aiohttp.ClientSession() as session, session.get(f"{url}/health") as answer:
                details = await answer.json(content_type=None)
        assert answer.status == 503
        assert nobody in details["detail"]

    asyncio.run(run())
