"""The log service over HTTP when something is wrong with it or on the way there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from tests.support.cable import Cable
from tests.support.log_server import LogServer, served

from miyabi.logs import LogsUnavailable, http
from miyabi.logs.http import HttpLogs
from miyabi.model import NewEvent, Writer
from miyabi.settings import Settings, SettingsError
from miyabi.wiring import open_logs

GROUP, STREAM = "/miyabi/jobs", "job"
LINES = [NewEvent(1_795_000_000_000 + number, f"line {number}") for number in range(5)]
SOON = 20.0
"""Seconds within which something surely happens on a busy machine."""
HTML = "<!doctype html><title>Miyabi</title>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LogServer]:
    with closing(LogServer(tmp_path)) as server:
        yield server


def told(server: LogServer, story: Callable[[Cable, HttpLogs], Awaitable[None]], answer_seconds: float = SOON) -> None:
    """A story of a client whose cable to the server can be cut."""

    async def run() -> None:
        async with Cable(server.url) as cable:
            logs = HttpLogs(cable.url, answer_seconds=answer_seconds)
            try:
                await story(cable, logs)
            finally:
                await logs.close()

    asyncio.run(run())


async def stored(server: LogServer) -> list[str]:
    """What the server has, asked without the cable."""
    logs = HttpLogs(server.url)
    try:
        return [event.message for event in (await logs.read(GROUP, STREAM)).events]
    finally:
        await logs.close()


def test_an_append_with_a_writer_whose_answer_is_lost_is_sent_again_and_stored_once(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        cable.lose_answers = 2
        await logs.append(GROUP, STREAM, LINES, Writer("w", 0))
        assert cable.lose_answers == 0
        assert await stored(server) == [event.message for event in LINES]

    told(server, story)


def test_an_append_without_a_writer_whose_answer_is_lost_is_not_sent_again_and_the_error_says_so(
    server: LogServer,
) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        cable.lose_answers = 1
        with pytest.raises(LogsUnavailable, match=r"127\.0\.0\.1.* not known.*writer"):
            await logs.append(GROUP, STREAM, LINES)
        assert cable.requests == 1
        assert len(await stored(server)) == 5

    told(server, story)


def test_a_service_that_went_and_came_back_between_two_calls_is_found_again(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        await logs.append(GROUP, STREAM, LINES[:2])
        await cable.cut()
        with pytest.raises(LogsUnavailable, match=r"127\.0\.0\.1:\d+ does not answer.*miyabi serve logs.*MIYABI_LOGS"):
            await logs.append(GROUP, STREAM, LINES[2:])
        with pytest.raises(LogsUnavailable, match="miyabi serve logs"):
            await logs.ping()
        await cable.mend()
        await logs.append(GROUP, STREAM, LINES[2:])
        assert await stored(server) == [event.message for event in LINES]

    told(server, story)


def test_a_service_that_is_just_being_started_is_asked_again_even_without_a_writer(server: LogServer) -> None:
    async def scenario() -> None:
        cable, waits = Cable(server.url), list[float]()
        async with cable:
            await cable.cut()

            async def sleep(seconds: float) -> None:
                waits.append(seconds)
                await cable.mend()

            logs = HttpLogs(cable.url, sleep)
            assert await logs.append(GROUP, STREAM, LINES) == 5
            await logs.close()
        assert waits == [http.PAUSES[0]]

    asyncio.run(scenario())


def test_a_service_that_falls_silent_is_given_up(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        cable.silent = True
        for call in (logs.read(GROUP, STREAM), logs.wait("", 0.1), logs.append(GROUP, STREAM, LINES, Writer("w", 0))):
            with pytest.raises(LogsUnavailable, match="not in time"):
                await call
        with pytest.raises(LogsUnavailable, match="not known"):
            await logs.append(GROUP, STREAM, LINES)

    told(server, story, answer_seconds=0.3)


def test_a_wait_ends_when_the_service_dies(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        waiting = asyncio.create_task(logs.wait("", 1000))
        await cable.asked.wait()
        await cable.cut()
        with pytest.raises(LogsUnavailable, match="does not answer"):
            await waiting

    told(server, story)


def test_a_wait_whose_connection_breaks_goes_on_over_the_next_one(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        waiting = asyncio.create_task(logs.wait("", 1000))
        await cable.asked.wait()
        await cable.drop()
        await logs.append(GROUP, STREAM, LINES, Writer("w", 0))
        assert await waiting

    told(server, story)


def test_a_wait_that_is_longer_than_one_poll_asks_on(server: LogServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        waiting = asyncio.create_task(logs.wait("", 1000))
        for _ in range(4):
            cable.asked.clear()
            await cable.asked.wait()
        assert not waiting.done()
        await logs.close()
        with pytest.raises(LogsUnavailable, match="closed"):
            await waiting

    monkeypatch.setattr("miyabi.logs.wire.LONGEST_WAIT", 0.05)
    told(server, story)


def test_closing_ends_who_waits(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        waiting = asyncio.create_task(logs.wait("", 1000))
        await cable.asked.wait()
        await logs.close()
        with pytest.raises(LogsUnavailable, match="closed"):
            await waiting

    told(server, story)


def test_an_old_position_is_refused_by_the_word_of_the_store(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        for call in (logs.read(GROUP, STREAM, after="v9!"), logs.changed("v9!"), logs.wait("v9!", 1)):
            with pytest.raises(ValueError, match="`v9!` is no position of these logs; take one from an earlier answer"):
                await call

    told(server, story)


def test_a_line_that_no_log_takes_is_a_mistake_of_the_caller(server: LogServer) -> None:
    async def story(cable: Cable, logs: HttpLogs) -> None:
        with pytest.raises(ValueError, match="timestamp"):
            await logs.append(GROUP, STREAM, [NewEvent(-1, "before the epoch")])

    told(server, story)


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse(HTML),
        HTMLResponse(HTML, 404),
        HTMLResponse("<h1>Bad Gateway</h1>", 502),
        JSONResponse({"status": "ok", "services": {}}),
        JSONResponse([[[]]]),
        JSONResponse({"type": "urn:miyabi:problem:not-found", "title": "Nothing is here", "status": 404}, 404),
        RedirectResponse("https://example.com/"),
        Response(b"\xff\xfe"),
        Response(b"[" * 100_000),
        Response(),
    ],
)
def test_what_is_no_log_service_is_told_from_one(answer: Response) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope, receive, send)

    async def scenario(url: str) -> None:
        logs = HttpLogs(url)
        calls = (
            logs.ping(), logs.groups(), logs.changed(), logs.wait("", 0), logs.read(GROUP, STREAM),
            logs.append(GROUP, STREAM, LINES),
        )  # fmt: skip
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, LogsUnavailable)
            assert f"What listens at {url} is no log service" in str(error)
        await logs.close()

    with served(app) as url:
        asyncio.run(scenario(url))


def test_what_is_no_http_at_all_is_told_too() -> None:
    greeted = list[asyncio.Future[None]]()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeted.append(asyncio.ensure_future(talk(reader, writer)))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        with suppress(OSError):
            await reader.read()
        writer.close()

    async def scenario() -> None:
        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            logs = HttpLogs(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            with pytest.raises(LogsUnavailable, match="is no log service"):
                await logs.ping()
            await logs.close()
            await asyncio.gather(*greeted)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url", ["http:", "http://", "http://host:99999", "https://host?x=1", "http://host/#x", "http://[::1"]
)
def test_an_address_that_is_none_is_refused_with_the_settings_name(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_LOGS: .*http://127\.0\.0\.1:8423"):
        asyncio.run(open_logs(Settings(data=tmp_path, logs=url)))


def test_a_service_that_nobody_knows_is_answered_with_what_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"`local:`, `http://127\.0\.0\.1:8423` or `cloudwatch:"):
        asyncio.run(open_logs(Settings(data=tmp_path, logs="kafka:")))


def test_the_settings_choose_it_with_a_path_and_no_password_is_shown(server: LogServer, tmp_path: Path) -> None:
    async def scenario() -> None:
        logs = await open_logs(Settings(data=tmp_path, logs=f"{server.url.replace('//', '//user:secret@')}/behind/"))
        with pytest.raises(LogsUnavailable, match=r"http://127\.0\.0\.1:\d+/behind is no log") as caught:
            await logs.ping()
        assert "secret" not in str(caught.value)
        await logs.close()
        logs = await open_logs(Settings(data=tmp_path, logs=server.url + "/"))
        await logs.ping()
        await logs.close()

    asyncio.run(scenario())


def test_the_client_of_http_is_imported_only_where_it_is_used() -> None:
    code = "import sys, miyabi.cli; from miyabi.wiring import collector, tasks; print('aiohttp' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
