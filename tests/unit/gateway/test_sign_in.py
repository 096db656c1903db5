"""How to sign in, told to everyone; and who a token stands for, told to who sends it."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing

import pytest
from starlette.responses import PlainTextResponse
from tests.support.asgi import Answer, call
from tests.support.issuer import IssuerServer, claims, signed

from miyabi.gateway.mint import make_token
from miyabi.principal import Principal, Role
from miyabi.settings import Settings, SettingsError, from_environment
from miyabi.wiring.auth import own_tokens, secret_keys, sign_in_origins
from miyabi.wiring.gateway import make_gateway

OPEN = from_environment({})
SECRET = from_environment({"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough"})
ISSUER = {"MIYABI_AUTH_ISSUER": "https://login.example.org/board", "MIYABI_AUTH_AUDIENCE": "board"}
OIDC = from_environment(ISSUER | {"MIYABI_AUTH_CLIENT": "page"})


def ask(settings: Settings, given: str | None = None, method: str = "GET") -> Answer:
    headers = {} if given is None else {"authorization": f"Bearer {given}"}
    app = make_gateway(settings, PlainTextResponse("tasks"))
    return asyncio.run(call(app, method, "/api/sign-in", headers=headers))


def token(role: Role, seconds: int = 600) -> str:
    principal = Principal("ann", role, groups=("/ci",) if role == "ingest" else ())
    return make_token(secret_keys(SECRET)[0], principal, own_tokens(SECRET), int(time.time()), seconds)


@pytest.mark.parametrize(
    ("settings", "ways"),
    [
        (OPEN, {"oidc": None, "token": False}),
        (SECRET, {"oidc": None, "token": True}),
        (from_environment(ISSUER), {"oidc": None, "token": True}),
        (
            OIDC,
            {
                "oidc": {
                    "issuer": "https://login.example.org/board",
                    "client_id": "page",
                    "scopes": "openid email profile",
                },
                "token": True,
            },
        ),
    ],
)
def test_everyone_is_told_how_to_sign_in(settings: Settings, ways: dict[str, object]) -> None:
    told = ask(settings)
    assert told.status == 200
    assert told.json() == ways | {"user": None}
    assert told.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("role", ["viewer", "developer", "admin", "ingest"])
def test_who_sends_a_good_token_is_told_who_that_is(role: Role) -> None:
    assert ask(SECRET, token(role)).json()["user"] == {"subject": "ann", "role": role}


@pytest.mark.parametrize("bad", ["", "no.real.token", token("admin", -100), token("admin")[:-6] + "AAAAAA"])
def test_who_sends_a_bad_token_is_told_the_ways_and_not_why_it_is_bad(bad: str) -> None:
    told = ask(SECRET, bad)
    assert told.status == 200
    assert told.json() == {"oidc": None, "token": True, "user": None}


def test_an_issuers_token_is_known_too_and_one_that_cant_be_verified_is_not_called_bad() -> None:
    with closing(IssuerServer()) as issuer:
        settings = from_environment({"MIYABI_AUTH_ISSUER": issuer.url, "MIYABI_AUTH_AUDIENCE": "board"})
        assert ask(settings, signed(claims(issuer.url))).json()["user"] == {"subject": "ann", "role": "developer"}
        issuer.mood = "broken"
        away = ask(settings, signed(claims(issuer.url)))
        assert (away.status, away.headers["retry-after"]) == (503, "5")
        assert ask(settings).status == 200


def test_nothing_can_be_written_there() -> None:
    refused = ask(SECRET, method="POST")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def page_policy(settings: Settings) -> str:
    answer = asyncio.run(call(make_gateway(settings, PlainTextResponse("tasks")), "GET", "/"))
    return answer.headers["content-security-policy"]


def test_the_page_may_talk_to_the_issuer_it_signs_in_at_and_to_nobody_else() -> None:
    assert "connect-src 'self';" in page_policy(from_environment(ISSUER))
    assert "connect-src 'self' https://login.example.org;" in page_policy(OIDC)
    cognito = from_environment(
        ISSUER | {"MIYABI_AUTH_CLIENT": "page", "MIYABI_AUTH_ORIGINS": "https://board.auth.example.com/oauth2"}
    )
    assert "connect-src 'self' https://login.example.org https://board.auth.example.com;" in page_policy(cognito)


@pytest.mark.parametrize("origin", ["http://login.example.org", "https://*", "https://a.example;x", "https://a b'"])
def test_an_origin_that_would_open_the_policy_is_refused_at_the_start(origin: str) -> None:
    settings = from_environment(ISSUER | {"MIYABI_AUTH_CLIENT": "page", "MIYABI_AUTH_ORIGINS": origin})
    with pytest.raises(SettingsError, match="MIYABI_AUTH_ORIGINS"):
        sign_in_origins(settings)


def test_a_client_without_its_issuer_is_refused_at_the_start() -> None:
    secret = {"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough", "MIYABI_AUTH_CLIENT": "page"}
    with pytest.raises(SettingsError, match="MIYABI_AUTH_ISSUER"):
        make_gateway(from_environment(secret), PlainTextResponse("tasks"))


def test_a_role_that_may_not_is_told_which_one_may() -> None:
    app = make_gateway(SECRET, PlainTextResponse("tasks"))
    for method, needed in (("PATCH", "developer"), ("DELETE", "admin")):
        headers = {"authorization": f"Bearer {token('viewer')}"}
        refused = asyncio.run(call(app, method, "/api/tasks/x", headers=headers))
        assert refused.status == 403
        assert f"`{needed}` may" in refused.json()["detail"]
