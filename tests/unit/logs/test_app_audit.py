"""The log service keeps the audit trail's streams for the services: who may change things can't write what they did."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.support.asgi import Answer, call

from miyabi.gateway.mint import make_token
from miyabi.logs import AUDIT_STREAM, wire
from miyabi.model import SYSTEM_GROUP
from miyabi.principal import Principal, Role
from miyabi.settings import Settings, from_environment
from miyabi.wiring.apart import open_log_service
from miyabi.wiring.auth import own_tokens, secret_keys

TRAIL = f"{AUDIT_STREAM}2026-11-28"


def append(data: Path, stream: str, role: Role | None, group: str = SYSTEM_GROUP) -> Answer:
    """One line into ``stream``, by a token of ``role``; without one where nobody signs in."""
    secret = {"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough"} if role else {}
    settings = from_environment(secret, data=data)
    headers = {"authorization": f"Bearer {token(settings, role)}"} if role else {}
    batch = {"group": group, "stream": stream, "events": [{"timestamp": 1, "message": "forged?"}]}

    async def run() -> Answer:
        async with open_log_service(settings) as (_, guarded):
            return await call(guarded, "POST", wire.APPEND, batch, headers)

    return asyncio.run(run())


def token(settings: Settings, role: Role) -> str:
    return make_token(secret_keys(settings)[0], Principal("ann", role), own_tokens(settings), int(time.time()), 600)


@pytest.mark.parametrize("role", ["developer", "admin"])
def test_no_person_writes_into_the_audit_trail(tmp_path: Path, role: Role) -> None:
    refused = append(tmp_path, TRAIL, role)
    assert (refused.status, refused.json()["type"]) == (403, "urn:miyabi:problem:forbidden")
    assert "`service`" in refused.json()["detail"]


def test_a_service_does(tmp_path: Path) -> None:
    assert append(tmp_path, TRAIL, "service").json() == {"stored": 1}


@pytest.mark.parametrize(("group", "stream"), [(SYSTEM_GROUP, "miyabi-tasks"), ("/miyabi/jobs", TRAIL)])
def test_other_streams_are_a_developers(tmp_path: Path, group: str, stream: str) -> None:
    assert append(tmp_path, stream, "developer", group).status == 200


def test_where_nobody_signs_in_the_gateway_needs_no_token_for_it(tmp_path: Path) -> None:
    assert append(tmp_path, TRAIL, None).status == 200
