"""The gateway with sign-in: who gets through, what they may do, and what those behind it are told of them."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from tests.support.asgi import Answer, call
from tests.support.issuer import IssuerServer, claims, signed
from tests.support.limit import a_limit
from tests.support.redis import free_port

from miyabi.gateway.app import Gateway
from miyabi.gateway.auth import Auth
from miyabi.gateway.guard import Guard
from miyabi.gateway.mint import make_token
from miyabi.principal import ROLES, Principal, Role, attached
from miyabi.settings import Settings, from_environment
from miyabi.wiring.auth import make_verifier, own_tokens, secret_keys

SETTINGS = from_environment({"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough"})
GROUPS = "/miyabi/ci", "/miyabi/nightly"


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    """A task API that answers who asks."""
    principal = attached(scope)
    shown = principal and {"subject": principal.subject, "role": principal.role, "projects": principal.projects}
    await JSONResponse(shown)(scope, receive, send)


def gateway(settings: Settings = SETTINGS) -> Gateway:
    auth = Auth(make_verifier(settings)) if settings.signs_in else None
    return Gateway(who, PlainTextResponse("page"), Guard("127.0.0.1"), a_limit(), auth)


def token(role: Role = "viewer", groups: tuple[str, ...] = (), projects: tuple[str, ...] | None = None) -> str:
    principal = Principal("ann", role, projects, groups)
    return make_token(secret_keys(SETTINGS)[0], principal, own_tokens(SETTINGS), int(time.time()), 600)


def ask(method: str, target: str, given: str | None = None, app: Gateway | None = None, **headers: str) -> Answer:
    if given is not None:
        headers["authorization"] = f"Bearer {given}"
    return asyncio.run(call(app or gateway(), method, target, headers=headers))


@pytest.mark.parametrize(
    "path", ["/api/tasks", "/metrics", "/api/openapi.json", "/health/", "/health/x", "/api/../health"]
)
def test_what_the_api_tells_needs_a_token(path: str) -> None:
    refused = ask("GET", path)
    assert refused.status == 401
    assert refused.json()["type"] == "urn:miyabi:problem:unauthorized"
    assert refused.headers["www-authenticate"] == 'Bearer realm="miyabi"'
    assert ask("GET", path, token()).status == 200


@pytest.mark.parametrize("path", ["/health", "/", "/tasks/x", "/assets/a.js"])
def test_health_and_the_pages_files_need_none(path: str) -> None:
    assert ask("GET", path).status == 200


def test_without_sign_in_nobody_needs_a_token_and_nobody_is_told_of() -> None:
    assert ask("GET", "/api/tasks", app=gateway(from_environment({}))).json() is None


def test_those_behind_are_told_who_asks_by_the_token_and_by_nothing_else() -> None:
    lies = {"x-miyabi-principal": "admin", "x-forwarded-user": "root", "miyabi.principal": "admin"}
    told = ask("GET", "/api/tasks", token(projects=("one", "two")), None, **lies)
    assert told.json() == {"subject": "ann", "role": "viewer", "projects": ["one", "two"]}


MAY = {
    "viewer": {"GET", "HEAD", "OPTIONS"},
    "developer": {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"},
    "admin": {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"},
    "service": {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"},
    "ingest": set[str](),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_it_may(role: Role) -> None:
    given = token(role, GROUPS if role == "ingest" else ())
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "XYZ"):
        answer = ask(method, "/api/tasks", given)
        assert answer.status == (200 if method in MAY[role] else 403), (role, method)
        if answer.status == 403:
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/logs/miyabi/ci/s",
        "/api/logs/%2Fmiyabi%2Fci/s",
        "/api/logs/miyabi%2fnightly/a%2Fb",
        "/api/logs//miyabi/ci/s",
    ],
)
def test_an_ingest_token_appends_to_its_groups(path: str) -> None:
    assert ask("POST", path, token("ingest", GROUPS)).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/logs/miyabi/jobs/s"),
        ("POST", "/api/logs/miyabi/s"),
        ("POST", "/api/logs/miyabi/ci"),
        ("POST", "/api/logs/miyabi/ci/../jobs/s"),
        ("POST", "/api/logs/miyabi/ci%2F..%2Fjobs/s"),
        ("POST", "/api/logs/miyabi/ci/x/s"),
        ("POST", "/api/logs/miyabi/cı/s"),
        ("POST", "/api/%6Cogs/miyabi/ci/s"),
        ("POST", "/api/logs"),
        ("POST", "/api/logs/"),
        ("POST", "/api/tasks"),
        ("POST", "/api/collect"),
        ("GET", "/api/logs/miyabi/ci/s"),
        ("GET", "/api/tasks"),
        ("PUT", "/api/logs/miyabi/ci/s"),
        ("PATCH", "/api/tasks/x"),
        ("GET", "/metrics"),
    ],
)
def test_an_ingest_token_does_nothing_else(method: str, path: str) -> None:
    assert ask(method, path, token("ingest", GROUPS)).status == 403


def test_the_answer_to_a_bad_token_is_the_same_whatever_is_wrong_and_the_log_says_what(
    caplog: pytest.LogCaptureFixture,
) -> None:
    expired = make_token(secret_keys(SETTINGS)[0], Principal("ann", "admin"), own_tokens(SETTINGS), 0, 600)
    answers = [ask("GET", "/api/tasks", bad) for bad in (expired, token()[:-9], "x.y.z", "", "x" * 100_000)]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert {answer.headers["www-authenticate"] for answer in answers} == {
        'Bearer realm="miyabi", error="invalid_token"'
    }
    assert "expired" in caplog.text
    assert "signature" in caplog.text
    assert expired not in caplog.text
    assert "\n" not in "".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "BearerBearer", "Bearer Bearer"])
def test_another_scheme_is_not_taken_for_a_token(scheme: str) -> None:
    assert ask("GET", "/api/tasks", authorization=f"{scheme} {token()}").status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    assert ask("GET", "/api/tasks", authorization=f"{scheme} {token()}").status == 200


def test_two_authorization_headers_are_none() -> None:
    good = b"Bearer " + token("admin").encode()
    for pair in ((good, good), (b"Bearer x", good), (good, b"")):
        assert status([(b"authorization", value) for value in pair]) == 401


def test_bytes_that_are_no_text_are_no_token() -> None:
    assert status([(b"authorization", b"Bearer \xff\xfe.\x00.\x80")]) == 401


def status(headers: list[tuple[bytes, bytes]]) -> int:
    """The status of a request with just these headers, and a host."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    path: dict[str, Any] = {"path": "/api/tasks", "raw_path": b"/api/tasks", "query_string": b""}
    headers = [(b"host", b"127.0.0.1"), *headers]
    asyncio.run(gateway()({"type": "http", "method": "GET", "headers": headers, **path}, receive, send))
    return int(sent[0]["status"])


def test_a_token_in_the_address_or_a_cookie_is_none() -> None:
    assert ask("GET", f"/api/tasks?access_token={token()}").status == 401
    assert ask("GET", "/api/tasks", cookie=f"authorization=Bearer {token()}; token={token()}").status == 401


def test_an_issuers_token_is_let_in_and_while_its_keys_can_not_be_had_the_answer_is_503() -> None:
    with closing(IssuerServer()) as issuer:
        given = {"MIYABI_AUTH_ISSUER": issuer.url, "MIYABI_AUTH_AUDIENCE": "board"}
        good = signed(claims(issuer.url))
        assert ask("GET", "/api/tasks", good, gateway(from_environment(given))).json()["role"] == "developer"
        nobody = f"http://127.0.0.1:{free_port()}"
        refused = ask("GET", "/api/tasks", good, gateway(from_environment(given | {"MIYABI_AUTH_ISSUER": nobody})))
        assert refused.status == 503
        assert nobody not in refused.body.decode()
