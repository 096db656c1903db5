"""The log service as whoever speaks HTTP to it sees it: what it refuses, and in which words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message
from tests.support.asgi import Answer, call

from miyabi.logs import Logs, LogsFull, LogsUnavailable, wire
from miyabi.logs.app import LogsApp
from miyabi.logs.local import open_logs
from miyabi.model import NewEvent, Writer
from miyabi.settings import Settings, SettingsError
from miyabi.wiring.apart import open_log_service

EVENT = {"timestamp": 1_795_000_000_000, "message": "1/2"}
BATCH = {"group": "/miyabi/jobs", "stream": "job", "events": [EVENT]}


def told(folder: Path, story: Callable[[ASGIApp], Awaitable[None]]) -> None:
    """A story of a service over an empty store, behind its guard."""

    async def run() -> None:
        async with open_log_service(Settings(data=folder)) as (_, guarded):
            await story(guarded)

    asyncio.run(run())


def answer(folder: Path, method: str, target: str, body: bytes | object = b"", **headers: str) -> Answer:
    """One request to it."""
    answers: list[Answer] = []

    async def story(app: ASGIApp) -> None:
        answers.append(await call(app, method, target, body, headers))

    told(folder, story)
    return answers[0]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 415, "application/json"),
        (b"{", 415, "application/json"),
        ({}, 400, "group"),
        ([], 400, "object"),
        (BATCH | {"more": 1}, 400, "`more` is not known here; known are `group`, `stream`, `events`, `writer`"),
        (BATCH | {"events": [EVENT] * 10_001}, 400, "10000"),
        (BATCH | {"events": [EVENT | {"timestamp": -1}]}, 400, "timestamp"),
        (BATCH | {"events": [EVENT | {"message": None}]}, 400, "message"),
        (BATCH | {"writer": {"id": "a b", "sequence": 0}}, 400, "writer.id"),
    ],
)
def test_a_batch_that_is_none_is_refused_with_what_is_wrong_with_it(
    tmp_path: Path, body: object, status: int, words: str
) -> None:
    refused = answer(tmp_path, "POST", wire.APPEND, body)
    assert refused.status == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert words in refused.json()["detail"]


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    for body in (b"{", b"\xff", b"[" * 100_000):
        refused = answer(tmp_path, "POST", wire.READ, body, **{"content-type": "application/json"})
        assert refused.status == 400


def test_a_body_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    size = str(wire.MAX_BODY + 1)
    refused = answer(tmp_path, "POST", wire.APPEND, b"", **{"content-length": size, "content-type": "application/json"})
    assert refused.status == 413
    assert "32,000,000" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/", "/api/logs/miyabi/jobs/job", "/logs", "/logs/append/", "/index.html"])
def test_nothing_else_is_here(tmp_path: Path, path: str) -> None:
    nothing = answer(tmp_path, "POST", path, {})
    assert nothing.status == 404
    assert "log service" in nothing.json()["detail"]


def test_a_call_is_a_post(tmp_path: Path) -> None:
    refused = answer(tmp_path, "GET", wire.READ)
    assert (refused.status, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        (wire.READ, {"group": "g", "stream": "s", "after": "x"}, "after"),
        (wire.READ, {"group": "g", "stream": "s", "before": "x"}, "before"),
        (wire.CHANGED, {"after": "x"}, "after"),
        (wire.WAIT, {"after": "x"}, "after"),
    ],
)
def test_a_position_that_is_none_is_refused_by_its_name(tmp_path: Path, path: str, body: object, name: str) -> None:
    refused = answer(tmp_path, "POST", path, body)
    assert refused.status == 400
    assert refused.json()["parameter"] == name
    assert "position" in refused.json()["detail"]


def test_health_and_metrics_are_served(tmp_path: Path) -> None:
    assert answer(tmp_path, "POST", wire.APPEND, BATCH).json() == {"stored": 1}
    assert answer(tmp_path, "GET", "/health").json() == {"service": "logs", "status": "ok"}
    assert b"miyabi_logs_lines_total" in answer(tmp_path, "GET", "/metrics").body


@pytest.mark.parametrize(
    "headers", [{"host": "rebound.example:8423"}, {"origin": "https://elsewhere.example"}, {"origin": "null"}]
)
def test_a_page_of_another_site_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    refused = answer(tmp_path, "POST", wire.APPEND, BATCH, **headers)
    assert refused.status == 403
    assert answer(tmp_path, "POST", wire.CHANGED, {}).json() == []


def test_a_log_service_keeps_lines_and_does_not_fetch_them_from_another(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_log_service(Settings(data=tmp_path, logs="http://127.0.0.1:8423")):
            pytest.fail("it would ask itself")

    with pytest.raises(SettingsError, match=r"MIYABI_LOGS: .*`local:`"):
        asyncio.run(scenario())


class Failing:
    """Logs whose appends fail."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None = None) -> int:
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "retry_after", "words"),
    [
        (LogsFull("no room; free some"), 507, "5", "no room; free some"),
        (LogsUnavailable("locked; wait"), 503, "1", "locked; wait"),
        (KeyError("nobody foresaw this"), 500, None, "It was logged"),
    ],
)
def test_what_the_store_raises_is_answered_with_when_to_try_again(
    error: Exception, status: int, retry_after: str | None, words: str
) -> None:
    logs: Any = Failing(error)
    refused = asyncio.run(call(LogsApp(logs), "POST", wire.APPEND, BATCH))
    assert (refused.status, refused.headers.get("retry-after")) == (status, retry_after)
    assert words in refused.json()["detail"]


async def poll(app: ASGIApp, leave: asyncio.Event) -> list[Message]:
    """A long poll by a client that goes when ``leave`` is set."""
    sent: list[Message] = []
    incoming: list[Message] = [{"type": "http.request", "body": b'{"timeout":20}', "more_body": False}]

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": wire.WAIT, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return sent


class Counting:
    """Logs for whose news nobody ever waits to the end; ``waiting`` is set while somebody does."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self.waiting, self.given_up = asyncio.Event(), asyncio.Event()

    async def wait(self, after: str, timeout: float) -> bool:
        self.waiting.set()
        try:
            return await self._logs.wait(after, timeout)
        except asyncio.CancelledError:
            self.given_up.set()
            raise


@pytest.mark.parametrize("who", ["the client", "the service"])
def test_a_poll_ends_when_one_of_both_goes(tmp_path: Path, who: str) -> None:
    async def scenario() -> None:
        local, leave = await open_logs(tmp_path), asyncio.Event()
        logs: Any = Counting(local)
        app = LogsApp(logs)
        polling = asyncio.create_task(poll(app, leave))
        await logs.waiting.wait()
        leave.set() if who == "the client" else app.close()
        sent = await polling
        assert logs.given_up.is_set()
        assert sent[-1]["body"] == b'{"changed":false}'
        await local.close()

    asyncio.run(scenario())
