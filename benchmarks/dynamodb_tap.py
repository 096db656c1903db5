"""What our backend says to DynamoDB and hears from it, at the HTTP layer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiodynamo.client import Client as BareClient
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.http.aiohttp import AIOHTTP
from aiodynamo.http.types import Request, Response
from tests.support.ministack import KEYS, REGION
from yarl import URL

from miyabi.database.dynamodb import DynamoDatabase, Timing, now_ms
from miyabi.database.dynamodb_aiohttp import new_session
from miyabi.database.dynamodb_client import Client
from miyabi.database.dynamodb_items import Tables

PREFIX = "bench"
TABLES = Tables.of(PREFIX)
CREDENTIALS = StaticCredentials(Key(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"]))


class Said(NamedTuple):
    """One request that was answered."""

    action: str
    request: bytes
    answer: bytes

    @property
    def asked(self) -> dict[str, Any]:
        """The request's parameters."""
        asked: dict[str, Any] = json.loads(self.request)
        return asked

    @property
    def answered(self) -> dict[str, Any]:
        """The answer's parts."""
        answered: dict[str, Any] = json.loads(self.answer)
        return answered


class Counted(Client):
    """Asks with each request for the units that the server counts."""

    async def send(self, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return await super().send(action, {**request, "ReturnConsumedCapacity": "INDEXES"})


class Tap:
    """Sends by another, and keeps what was said in ``said``."""

    def __init__(self, http: AIOHTTP) -> None:
        self._http = http
        self.said: list[Said] = []

    async def __call__(self, request: Request) -> Response:
        response = await self._http(request)
        assert request.headers is not None
        if response.status == 200:
            action = request.headers["X-Amz-Target"].rpartition(".")[2]
            self.said.append(Said(action, request.body or b"", response.body))
        return response

    def taken(self) -> list[Said]:
        """What was said since the last look."""
        said, self.said = self.said, []
        return said


@asynccontextmanager
async def tapped(
    endpoint: str, now: Callable[[], int] = now_ms, client: type[Client] = Client
) -> AsyncIterator[tuple[DynamoDatabase, Tap]]:
    """Our database there, and its tap; ``now`` in ms."""
    session = new_session()
    tap = Tap(AIOHTTP(session))
    sender = client(tap, [CREDENTIALS], REGION, endpoint)
    database = DynamoDatabase(sender, TABLES, Timing(now=now), session)
    try:
        yield database, tap
    finally:
        await database.close()


@asynccontextmanager
async def bare(endpoint: str) -> AsyncIterator[BareClient]:
    """aiodynamo by itself."""
    async with new_session() as session:
        yield BareClient(AIOHTTP(session), CREDENTIALS, REGION, URL(endpoint))
