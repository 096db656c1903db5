"""Making the tables while answers get lost."""

from __future__ import annotations

import json
from uuid import uuid4

import aiohttp
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.http.aiohttp import AIOHTTP
from aiodynamo.http.types import HttpImplementation, Request, RequestFailed, Response
from tests.support import ministack

from miyabi.database.dynamodb_aiohttp import new_session
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_client import Client
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_tables import Admin, Capacity

from .conftest import Place, Waits

ALREADY = json.dumps({"__type": "x#ValidationException", "message": "TimeToLive is already enabled"}).encode()


class Forgetful:
    """Carries out every change, but its first answer gets lost; what is on can't be turned on, as on AWS."""

    def __init__(self, inner: HttpImplementation) -> None:
        self.inner = inner
        self.done: set[bytes] = set()

    async def __call__(self, request: Request) -> Response:
        """Answer, or not."""
        action = (request.headers or {})["X-Amz-Target"].partition(".")[2]
        change = action.encode() + (request.body or b"")
        if action == "UpdateTimeToLive" and change in self.done:
            return Response(400, ALREADY)
        response = await self.inner(request)
        if action.startswith(("Create", "Update")) and change not in self.done:
            self.done.add(change)
            raise RequestFailed(aiohttp.ClientConnectionError("connection lost"))
        return response


def test_tables_are_made_though_every_answer_gets_lost_once(place: Place) -> None:
    async def scenario() -> None:
        async with new_session() as session:
            http, waits = Forgetful(AIOHTTP(session)), Waits()
            client = Client(http, [StaticCredentials(Key("test", "test"))], ministack.REGION, place.endpoint)
            calls = Calls(client, Patience(waits.wait, lambda: 0.5, lambda: waits.time))
            admin = Admin(calls, Tables.of(f"test-{uuid4().hex[:12]}"), Capacity())
            await admin.create()
            assert [row for row in await admin.describe() if not row.same] == []
            assert len(http.done) == 5

    place.runner.run(scenario())
