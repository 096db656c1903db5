"""DynamoDB as a function opens it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.support.ministack import KEYS, REGION
from tests.support.talks import Line, Server

from miyabi.database.dynamodb_client import Options
from miyabi.wiring.dynamodb_light import open_light

ROLE = {"AccessKeyId": "ROLE", "SecretAccessKey": "b", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials but those that a test sets."""
    for name in (*KEYS, "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


async def heads(server: Server) -> list[bytes]:
    """The heads of what it is sent when a memo is read."""
    database = await open_light(Options(region=REGION, endpoint=server.url))
    assert await database.memo("any") == ""
    await database.close()
    return [head for line in server.lines for head in line.heads]


def test_it_signs_with_what_lambda_puts_into_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**KEYS, "AWS_ACCESS_KEY_ID": "GIVEN", "AWS_SESSION_TOKEN": "session"}.items():
        monkeypatch.setenv(name, value)

    async def empty(line: Line) -> None:
        await line.hear()
        await line.answer()

    async def scenario() -> None:
        async with Server(empty).running() as server:
            (head,) = await heads(server)
            assert b"Credential=GIVEN/" in head
            assert b"X-Amz-Security-Token: session\r\n" in head

    asyncio.run(scenario())


def test_started_from_a_snapshot_it_asks_for_the_roles_credentials_by_the_same_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def role_then_table(line: Line) -> None:
        await line.hear()
        await line.answer(json.dumps(ROLE).encode())
        await line.hear()
        await line.answer()

    async def scenario() -> None:
        async with Server(role_then_table).running() as server:
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}v1/credentials?x=1")
            monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me in")
            asked, signed = await heads(server)
            assert asked.startswith(b"GET /v1/credentials?x=1 HTTP/1.1\r\n")
            assert b"Authorization: let me in\r\n" in asked
            assert b"Credential=ROLE/" in signed

    asyncio.run(scenario())
