"""Pushed lines over HTTP: what is answered to a forwarder and to Firehose, and what is refused."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp
from tests.support.asgi import Answer, call
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch, failure
from tests.support.cloudwatch_logs import process
from tests.support.deliveries import GROUP, STREAM, delivery, firehose, message

from miyabi.cache.memory import MemoryCache
from miyabi.collector.deliveries import MAX_BODY
from miyabi.database import Database
from miyabi.database.sqlite import open_database
from miyabi.logs import local
from miyabi.model import NewEvent, Writer
from miyabi.settings import Settings
from miyabi.wiring.apart import make_collector
from miyabi.wiring.stores import Stores

PATH = "/api/collect/deliveries"
JSON = {"content-type": "application/json"}


class Story:
    """A collector by itself over CloudWatch Logs, and lines that somebody else writes there."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.clock = Clock()
        self.cloud = FakeCloudWatch(self.clock)
        self._writer = process(self.cloud, self.clock)
        self._database = database
        self._stores = Stores(process(self.cloud, self.clock), database, MemoryCache())
        self.app: ASGIApp = make_collector(Settings(data=folder), self._stores)

    async def write(self, *numbers: int) -> dict[str, object]:
        """Lines, and the message that tells of them."""
        events = [NewEvent(self.clock.forward(10), f"[{number}/100] Building") for number in numbers]
        await self._writer.append(GROUP, STREAM, events, Writer("w", numbers[0] - 1))
        stored = self.cloud.groups[GROUP].streams[STREAM][-len(numbers) :]
        return message(*({"id": e.event_id, "timestamp": e.time, "message": e.message} for e in stored))

    async def post(self, body: object, **headers: str) -> Answer:
        return await call(self.app, "POST", PATH, body, headers)

    async def shown(self) -> object:
        """The task's progress."""
        current = (await self._database.get([STREAM]))[0]
        return current and current.task.progress.current


def told(folder: Path, story: Callable[[Story], Awaitable[None]]) -> None:
    async def run() -> None:
        database = await open_database(folder)
        try:
            await story(Story(folder, database))
        finally:
            await database.close()

    asyncio.run(run())


def test_a_lambdas_event_is_answered_with_what_was_read(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        answer = await s.post(delivery(await s.write(1, 2)))
        assert (answer.status, answer.json()) == (200, {"streams": 1, "lines": 2, "damaged": []})
        assert await s.shown() == 2

    told(tmp_path, story)


def test_what_firehose_sends_is_answered_with_its_id_and_the_time_and_nothing_else(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        sent = firehose(await s.write(1), await s.write(2, 3))
        answer = await s.post(sent)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json().keys() == {"requestId", "timestamp"}
        assert answer.json()["requestId"] == sent["requestId"]
        assert isinstance(answer.json()["timestamp"], int)
        assert await s.shown() == 3

    told(tmp_path, story)


def test_a_body_may_be_compressed(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        body = gzip.compress(json.dumps(firehose(await s.write(1))).encode())
        assert (await s.post(body, **JSON, **{"content-encoding": "gzip"})).status == 200
        assert await s.shown() == 1

    told(tmp_path, story)


def test_lines_whose_place_is_known_are_not_read_again(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        await s.post(delivery(await s.write(1)))
        payload = delivery(await s.write(2))
        s.cloud.calls.clear()
        assert (await s.post(payload)).json()["lines"] == 1
        assert s.cloud.count("filter_log_events") == 0

    told(tmp_path, story)


def test_a_log_service_that_can_not_tell_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        database, logs = await open_database(tmp_path), await local.open_logs(tmp_path)
        app = make_collector(Settings(data=tmp_path), Stores(logs, database, MemoryCache()))
        await logs.append(GROUP, STREAM, [NewEvent(1_795_000_000_000, "1/2")])
        event = {"id": "1", "timestamp": 1_795_000_000_000, "message": "1/2"}
        answer = await call(app, "POST", PATH, delivery(message(event)))
        assert answer.json() == {"streams": 1, "lines": 1, "damaged": []}
        await logs.close()
        await database.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {}, 415),
        (b"{}", JSON | {"content-encoding": "br"}, 415),
        (b"{}", JSON | {"content-encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-9], JSON | {"content-encoding": "gzip"}, 400),
        (gzip.compress(bytes(MAX_BODY + 1)), JSON | {"content-encoding": "gzip"}, 413),
        (b"{}", JSON | {"content-length": str(MAX_BODY + 1)}, 413),
        (b"{}", JSON | {"host": "rebound.example"}, 403),
        (b"{}", JSON | {"origin": "https://elsewhere.example"}, 403),
    ],
)
def test_what_can_not_be_a_delivery_is_refused(
    tmp_path: Path, body: bytes, headers: dict[str, str], status: int
) -> None:
    async def story(s: Story) -> None:
        answer = await s.post(body, **headers)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert not s.cloud.calls

    told(tmp_path, story)


@pytest.mark.parametrize("payload", [{}, [], 5, None, {"records": 5}, {"awslogs": {"data": "§"}}])
def test_json_that_tells_of_nothing_is_set_aside(tmp_path: Path, payload: object) -> None:
    async def story(s: Story) -> None:
        answer = await s.post(payload)
        assert answer.status == 200
        assert (answer.json()["lines"], len(answer.json()["damaged"])) == (0, 0 if payload == [] else 1)

    told(tmp_path, story)


def test_a_damaged_record_is_reported_and_the_others_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(s: Story) -> None:
        answer = await s.post([{"awslogs": {"data": "abc"}}, delivery(await s.write(1))])
        (damaged,) = answer.json()["damaged"]
        assert damaged["where"] == "record 1"
        assert "Base64" in damaged["reason"]
        broken: dict[str, Any] = firehose(await s.write(2))
        broken["records"].insert(0, {"data": "abc"})
        assert (await s.post(broken)).json().keys() == {"requestId", "timestamp"}
        assert await s.shown() == 2
        assert "set aside record 1 of a delivery" in caplog.text

    told(tmp_path, story)


def test_while_a_store_is_away_the_delivery_shall_be_made_again(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        sent = firehose(await s.write(1))
        s.cloud.fault = lambda operation: failure("ThrottlingException")
        answer = await s.post(sent)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        s.cloud.fault = lambda operation: None
        assert (await s.post(sent)).status == 200
        assert await s.shown() == 1

    told(tmp_path, story)
