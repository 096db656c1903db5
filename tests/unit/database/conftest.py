"""DynamoDB databases for tests of what only they do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.http.aiohttp import AIOHTTP
from msgspec import Struct
from tests.support import ministack
from tests.support.clock import Clock
from tests.support.faulty import FaultyHttp

from miyabi.database.dynamodb import DynamoDatabase, Timing
from miyabi.database.dynamodb_aiohttp import new_session
from miyabi.database.dynamodb_calls import Patience
from miyabi.database.dynamodb_client import Client
from miyabi.database.dynamodb_feed import Pace
from miyabi.database.dynamodb_items import Tables

QUICK = Pace(poll=0.03, rest=0.0)


class Waits:
    """Waits that take no time but are counted: a clock in seconds that only they move."""

    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    async def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.pauses.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class Bench(Struct):
    """A database with everything about it in our hands."""

    database: DynamoDatabase
    http: FaultyHttp
    waits: Waits


class Place:
    """Tables of one test, and databases on them."""

    def __init__(self, endpoint: str, runner: asyncio.Runner) -> None:
        self.endpoint, self.runner = endpoint, runner
        self.tables = ""
        self.clock = Clock()
        self._opened: list[DynamoDatabase] = []
        self.renew()

    def renew(self) -> None:
        """Close what was opened and go on with new tables."""
        self.close()
        self.tables = f"test-{uuid4().hex[:12]}"
        self.runner.run(ministack.make_tables(self.endpoint, self.tables))

    def open(self, *, skew: int = 0, seconds: float = 10.0, seed: int = 0, pace: Pace = QUICK) -> Bench:
        """A database whose clock goes ``skew`` ms wrong and that gives up after ``seconds``."""
        return self.runner.run(self._open(skew, seconds, seed, pace))

    async def _open(self, skew: int, seconds: float, seed: int, pace: Pace) -> Bench:
        session, waits = new_session(), Waits()
        http = FaultyHttp(AIOHTTP(session), seed=seed)
        credentials = StaticCredentials(Key("test", "test"))
        client = Client(http, [credentials], ministack.REGION, self.endpoint)
        patience = Patience(waits.wait, http.random.random, lambda: waits.time, seconds)
        timing = Timing(now=lambda: self.clock() + skew, pace=pace, patience=patience)
        database = DynamoDatabase(client, Tables.of(self.tables), timing, session)
        self._opened.append(database)
        return Bench(database, http, waits)

    def close(self) -> None:
        """Close what was opened."""
        while self._opened:
            self.runner.run(self._opened.pop().close())


@pytest.fixture
def place(dynamodb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Tables of the test's own, and a loop to use them on."""
    for name, value in ministack.KEYS.items():
        monkeypatch.setenv(name, value)
    with asyncio.Runner() as runner:
        place = Place(dynamodb, runner)
        yield place
        place.close()
