"""Badges are images, which send no header: their token may stand in the address, and goes no further than the door."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import Answer, call
from tests.support.limit import a_limit

from miyabi.gateway.app import Gateway
from miyabi.gateway.auth import Auth, Verified
from miyabi.gateway.guard import Guard
from miyabi.gateway.mint import make_token
from miyabi.principal import Principal, Role, attached
from miyabi.settings import from_environment
from miyabi.wiring.auth import make_verifier, own_tokens, secret_keys

SETTINGS = from_environment({"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough"})
BADGES = ["/api/tasks/a/badge.svg", "/api/projects/a/badge.svg"]


async def shown(scope: Scope, receive: Receive, send: Send) -> None:
    """A task API that answers what reaches it."""
    principal = attached(scope)
    given = [value.decode() for name, value in scope["headers"] if name == b"authorization"]
    said = {"query": scope["query_string"].decode(), "authorization": given}
    await JSONResponse(said | {"projects": principal and principal.projects})(scope, receive, send)


AUTH = Auth(make_verifier(SETTINGS))
DOORS: dict[str, ASGIApp] = {
    "gateway": Gateway(shown, PlainTextResponse(""), Guard("127.0.0.1"), a_limit(), AUTH),
    "task API apart": Verified(shown, AUTH),
}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> ASGIApp:
    return DOORS[request.param]


def token(role: Role = "viewer", projects: tuple[str, ...] | None = ("house",)) -> str:
    principal = Principal("badge", role, projects)
    return make_token(secret_keys(SETTINGS)[0], principal, own_tokens(SETTINGS), int(time.time()), 600)


def ask(door: ASGIApp, target: str, method: str = "GET", **headers: str) -> Answer:
    return asyncio.run(call(door, method, target, headers=headers))


@pytest.mark.parametrize("path", BADGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_badges_token_in_the_address_goes_on_as_a_header(door: ASGIApp, path: str, method: str) -> None:
    given = token()
    answer = ask(door, f"{path}?label=x%26y&token={given}&lang=ja", method)
    assert answer.status == 200
    said = answer.json()
    assert said == {"query": "label=x%26y&lang=ja", "authorization": [f"Bearer {given}"], "projects": ["house"]}


@pytest.mark.parametrize("path", ["/api/tasks", "/api/tasks/a", "/api/tasks/a/logs", "/api/x/badge.svg", "/metrics"])
def test_nothing_but_a_badge_takes_a_token_in_the_address(door: ASGIApp, path: str) -> None:
    assert ask(door, f"{path}?token={token()}").status == 401


def test_a_badge_is_only_read_with_it(door: ASGIApp) -> None:
    assert ask(door, f"{BADGES[0]}?token={token()}", "POST").status == 401


@pytest.mark.parametrize("role", ["developer", "admin"])
def test_only_viewers_tokens_may_stand_in_an_address(door: ASGIApp, role: Role) -> None:
    assert ask(door, f"{BADGES[0]}?token={token(role)}").status == 401
    assert ask(door, BADGES[0], authorization=f"Bearer {token(role)}").status == 200


@pytest.mark.parametrize("query", ["token=", "token=x", "token", "Token={0}", "token={0}&token={0}", "", "x=token"])
def test_no_token_and_a_bad_one_are_refused(door: ASGIApp, query: str) -> None:
    assert ask(door, f"{BADGES[0]}?{query.format(token())}").status == 401


def test_a_token_beside_a_header_is_dropped(door: ASGIApp) -> None:
    given = token("developer")
    said = ask(door, f"{BADGES[0]}?token={token()}", authorization=f"Bearer {given}").json()
    assert (said["query"], said["authorization"]) == ("", [f"Bearer {given}"])


def test_the_token_is_never_logged(door: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    bad = token()[:-4] + "AAAA"
    with caplog.at_level(logging.DEBUG):
        assert ask(door, f"{BADGES[0]}?token={bad}").status == 401
    assert "a token was refused" in caplog.text
    assert bad not in caplog.text


def test_a_service_that_cannot_tell_projects_apart_takes_tokens_of_all_projects_only() -> None:
    door = Verified(shown, AUTH, whole=True)
    assert ask(door, "/logs/read", authorization=f"Bearer {token('admin')}").status == 403
    assert ask(door, "/logs/read", authorization=f"Bearer {token('admin', None)}").status == 200
    assert ask(door, "/health").status == 200
