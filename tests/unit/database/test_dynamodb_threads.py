"""The standard library's HTTP client in threads: what goes wrong on the way is told as it is, and in time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiodynamo.http.types import Request, RequestFailed, Response
from tests.support.ministack import REGION, free_port
from tests.support.talks import Line, Server, Talk

from miyabi.database import DatabaseUnavailable
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_client import Client, Given
from miyabi.database.dynamodb_threads import ThreadedHttp
from miyabi.settings import AwsKeys

from .conftest import Waits

Way = tuple[ThreadedHttp, Server]
LONG = 60.0
"""Seconds that no test takes."""


def ask(url: str, body: bytes = b"{}") -> Request:
    return Request("POST", url, {"Content-Type": "application/json"}, body)


@asynccontextmanager
async def way(
    *talks: Talk, seconds: float = LONG, patience: float = LONG
) -> AsyncIterator[tuple[ThreadedHttp, Server]]:
    """A client, and a server that talks so."""
    async with Server(*talks).running() as server:
        http = ThreadedHttp(seconds, patience)
        try:
            yield http, server
        finally:
            await http.close()


async def once_then_close(line: Line) -> None:
    await line.hear()
    await line.answer()


async def once_then_close_on_the_next(line: Line) -> None:
    await once_then_close(line)
    await line.hear()


async def once_then_reset_on_the_next(line: Line) -> None:
    await once_then_close_on_the_next(line)
    line.reset()


async def close_at_once(line: Line) -> None:
    await line.hear()


async def break_off(line: Line) -> None:
    await line.hear()
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


async def reset_in_mid_answer(line: Line) -> None:
    await break_off(line)
    line.reset()


async def rubbish(line: Line) -> None:
    await line.hear()
    await line.say(b"SSH-2.0-OpenSSH\r\n\r\n")


async def silent(line: Line) -> None:
    await line.hear()
    await line.until_ended()


async def trickle(line: Line) -> None:
    """A byte at a time, and never all of them."""
    await break_off(line)
    while True:
        await line.say(b" ")
        await asyncio.sleep(0.01)


def test_a_connection_is_asked_on_again_and_every_status_is_an_answer() -> None:
    async def refuse(line: Line) -> None:
        assert await line.hear() == b"one"
        await line.answer(b"no", "400 Bad Request")
        await line.serve()

    async def scenario() -> None:
        async with way(refuse) as (http, server):
            assert await http(ask(server.url, b"one")) == Response(400, b"no")
            assert await http(ask(server.url, b"two")) == Response(200, b"two")
            assert len(server.lines) == 1

    asyncio.run(scenario())


def test_many_at_once_have_a_connection_each() -> None:
    async def scenario() -> None:
        async with way(Line.serve) as (http, server):
            bodies = [str(n).encode() for n in range(100)]
            answers = await asyncio.gather(*(http(ask(server.url, body)) for body in bodies))
            assert [answer.body for answer in answers] == bodies
            assert 1 < len(server.lines) <= 32

    asyncio.run(scenario())


@pytest.mark.parametrize("talk", [once_then_close, once_then_close_on_the_next, once_then_reset_on_the_next])
def test_a_kept_connection_that_the_server_closed_is_replaced_unseen(talk: Talk) -> None:
    async def scenario() -> None:
        async with way(talk, Line.serve) as (http, server):
            await http(ask(server.url))
            assert await http(ask(server.url, b"again")) == Response(200, b"again")
            assert len(server.lines) == 2

    asyncio.run(scenario())


def test_a_connection_that_the_server_means_to_close_is_not_kept() -> None:
    async def last(line: Line) -> None:
        await line.hear()
        await line.answer(more="Connection: close\r\n")
        await line.until_ended()

    async def scenario() -> None:
        async with way(last) as (http, server):
            for _ in range(2):
                await http(ask(server.url))
            await server.lines[0].ended.wait()
            assert len(server.lines) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("talk", [close_at_once, break_off, reset_in_mid_answer, rubbish])
def test_an_answer_that_breaks_off_is_a_failure_and_nothing_is_asked_twice(talk: Talk) -> None:
    async def scenario() -> None:
        async with way(talk, Line.serve) as (http, server):
            with pytest.raises(RequestFailed):
                await http(ask(server.url))
            assert len(server.lines) == 1

    asyncio.run(scenario())


def test_a_refused_connection_is_a_failure() -> None:
    async def scenario() -> None:
        with pytest.raises(RequestFailed) as failed:
            await ThreadedHttp()(ask(f"http://127.0.0.1:{free_port()}/"))
        assert isinstance(failed.value.inner, ConnectionRefusedError)

    asyncio.run(scenario())


def test_a_name_that_is_not_found_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def scenario() -> None:
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(RequestFailed) as failed:
            await ThreadedHttp()(ask("http://dynamodb.invalid/"))
        assert isinstance(failed.value.inner, socket.gaierror)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("talk", "seconds", "patience"), [(silent, LONG, 0.1), (silent, 0.1, LONG), (trickle, 0.3, LONG)]
)
def test_what_takes_too_long_ends_in_time_and_its_connection_is_cut(
    talk: Talk, seconds: float, patience: float
) -> None:
    async def scenario() -> None:
        async with way(talk, Line.serve, seconds=seconds, patience=patience) as (http, server):
            with pytest.raises(TimeoutError):
                await http(ask(server.url))
            await server.lines[0].ended.wait()

    asyncio.run(scenario())


def test_who_gives_up_cuts_the_connection() -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def mute(line: Line) -> None:
            await line.hear()
            asked.set()
            await line.until_ended()

        async with way(mute) as (http, server):
            asking = asyncio.ensure_future(http(ask(server.url)))
            await asked.wait()
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()
            await server.lines[0].ended.wait()

    asyncio.run(scenario())


def test_a_thread_that_hangs_holds_up_neither_the_answer_nor_other_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    thawed, find = threading.Event(), socket.getaddrinfo

    def hang(host: str, *arguments: Any, **options: Any) -> Any:
        if host == "dynamodb.invalid":
            thawed.wait(LONG)
            host = "localhost"
        return find(host, *arguments, **options)

    async def scenario() -> None:
        monkeypatch.setattr(socket, "getaddrinfo", hang)
        async with way(Line.serve, seconds=0.5) as (http, server):
            try:
                with pytest.raises(TimeoutError):
                    await http(ask(server.url.replace("localhost", "dynamodb.invalid")))
                assert await http(ask(server.url, b"other")) == Response(200, b"other")
            finally:
                thawed.set()

    asyncio.run(scenario())


def test_when_one_does_not_answer_no_connection_of_its_time_is_asked_on_again() -> None:
    """As after a function was frozen: they may all be dead, and each would cost a timeout of its own."""

    async def scenario() -> None:
        both = asyncio.Barrier(2)

        async def once(line: Line) -> None:
            await line.hear()
            await both.wait()
            await line.answer()
            await silent(line)

        async with way(once, once, Line.serve, patience=0.3) as (http, server):
            await asyncio.gather(http(ask(server.url)), http(ask(server.url)))
            with pytest.raises(TimeoutError):
                await http(ask(server.url))
            assert await http(ask(server.url, b"new")) == Response(200, b"new")
            assert len(server.lines) == 3

    asyncio.run(scenario())


def test_closing_ends_the_kept_connections() -> None:
    async def scenario() -> None:
        async with way(Line.serve) as (http, server):
            await http(ask(server.url))
            await http.close()
            await server.lines[0].ended.wait()

    asyncio.run(scenario())


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_checked(trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    async def scenario() -> None:
        http = ThreadedHttp()
        async with Server(once_then_close, Line.serve, tls=context).running() as server:
            if trusted:
                for body in (b"{}", b"{}", b"{}"):
                    assert await http(ask(server.url, body)) == Response(200, body)
                assert len(server.lines) == 2
            else:
                with pytest.raises(RequestFailed) as failed:
                    await http(ask(server.url))
                assert isinstance(failed.value.inner, ssl.SSLCertVerificationError)
        await http.close()

    asyncio.run(scenario())


async def called(http: ThreadedHttp, url: str, waits: Waits) -> Any:
    """A call's answer."""
    client = Client(http, [Given(AwsKeys("test", "test", None))], REGION, url)
    return await Calls(client, Patience(waits.wait, lambda: 0.5, lambda: waits.time)).call("GetItem", {})


@pytest.mark.parametrize("talk", [close_at_once, break_off, reset_in_mid_answer, rubbish, silent])
def test_a_call_is_made_again_whatever_went_wrong(talk: Talk) -> None:
    async def scenario() -> None:
        waits = Waits()
        async with way(talk, talk, Line.serve, patience=0.2) as (http, server):
            assert await called(http, server.url, waits) == {}
            assert len(waits.pauses) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("ends", [pytest.param(close_at_once, id="closed"), pytest.param(silent, id="silent")])
def test_who_never_answers_is_told_of_so(ends: Callable[[Line], Awaitable[object]]) -> None:
    async def scenario() -> None:
        async with way(ends, patience=0.05) as (http, server):
            with pytest.raises(DatabaseUnavailable, match=r"does not answer: .+\. Check the network"):
                await called(http, server.url, Waits())

    asyncio.run(scenario())
