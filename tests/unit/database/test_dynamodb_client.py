"""Requests to DynamoDB, and the credentials that they are signed with."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from aiodynamo.credentials import ContainerMetadataCredentials, Credentials, Key, StaticCredentials
from aiodynamo.http.types import Request, Response

from miyabi.database import DatabaseUnavailable
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_client import Client

KEYS = {"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}
STATIC = StaticCredentials(Key("test", "test"))


class Container:
    """A role's endpoint in a container, before a DynamoDB that gives ``answer``."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        self.open, self.reached = asyncio.Event(), asyncio.Event()
        self.asked = 0

    async def __call__(self, request: Request) -> Response:
        """Answer, the role's endpoint not before it is open."""
        if request.method != "GET":
            return self.answer
        self.asked += 1
        self.reached.set()
        await self.open.wait()
        return Response(200, json.dumps(KEYS).encode())


def role() -> Credentials:
    return ContainerMetadataCredentials(relative_uri="/v2/role")


def error(kind: str) -> Response:
    return Response(400, json.dumps({"__type": f"com.amazon.coral.service#{kind}", "message": "it says"}).encode())


def calls(client: Client, seconds: float = 0.0) -> Calls:
    return Calls(client, Patience(seconds=seconds))


def test_who_gives_up_takes_no_credentials_away_from_others_who_wait_for_them() -> None:
    async def scenario() -> None:
        http = Container(Response(200, b"{}"))
        client = Client(http, [role()], "eu-west-1", None)
        impatient, patient = (asyncio.create_task(client.send("GetItem", {})) for _ in range(2))
        await http.reached.wait()
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        http.open.set()
        assert await patient == {}
        assert http.asked == 1

    asyncio.run(scenario())


def test_credentials_that_have_expired_are_fetched_anew() -> None:
    async def scenario() -> None:
        http = Container(error("ExpiredTokenException"))
        http.open.set()
        client = Client(http, [role()], "eu-west-1", None)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match="have expired"):
                await calls(client).call("GetItem", {})
        assert http.asked == 2

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (error("ExpiredTokenException"), "have expired. Renew"),
        (error("InvalidSignatureException"), "AWS_SECRET_ACCESS_KEY, and this machine's clock: .*it says"),
        (error("UnrecognizedClientException"), "refuses these credentials: it says"),
        (error("AccessDeniedException"), "refuses these credentials: it says"),
        (error("SomethingNew"), "refused the request: .*it says"),
        (Response(200, b"<html>Sign in to the wireless network"), "does not answer"),
    ],
)
def test_what_an_answer_means_is_told(answer: Response, said: str) -> None:
    async def scenario() -> None:
        client = Client(Container(answer), [STATIC], "eu-west-1", None)
        with pytest.raises(DatabaseUnavailable, match=said):
            await calls(client).call("GetItem", {})

    asyncio.run(scenario())


def test_without_credentials_it_says_how_to_set_them() -> None:
    async def scenario() -> None:
        client = Client(Container(Response(200, b"{}")), [], "eu-west-1", None)
        with pytest.raises(DatabaseUnavailable, match="Set AWS_ACCESS_KEY_ID"):
            await calls(client).call("GetItem", {})

    asyncio.run(scenario())


def test_no_more_of_aiodynamo_is_imported_than_is_used() -> None:
    heavy = "{'aiodynamo.client', 'aiodynamo.expressions', 'aiodynamo.models', 'boto3'}"
    code = f"import sys, miyabi.wiring.dynamodb; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
