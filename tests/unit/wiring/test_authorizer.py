"""The authorizer on AWS: the gateway's check of tokens, answered as a policy, and who asks told to those behind it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatchcase
from typing import Any

import jwt
import pytest
from mangum import Mangum
from moto import mock_aws
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from tests.support.function import request
from tests.support.issuer import IssuerServer, claims, signed

from miyabi.principal import ROLES, Principal, attached
from miyabi.wiring.aws_lambda import authorizer, sign_in
from miyabi.wiring.aws_lambda.admission import admitted
from miyabi.wiring.aws_lambda.identity import context_of, principal_of

SECRET = "a-secret-of-this-test-that-is-long-enough"
STAGE = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/live"
BY = "/api/logs/"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test is a new process of the function, with a secret in its environment."""
    monkeypatch.setenv("MIYABI_AUTH_SECRET", SECRET)
    yield
    authorizer._verifier.cache_clear()
    if authorizer._loop.cache_info().currsize:
        authorizer._loop().close()
    authorizer._loop.cache_clear()
    sign_in._ways.cache_clear()


def token(role: str = "viewer", **more: Any) -> str:
    return jwt.encode(claims("miyabi", aud="miyabi", role=role, **more), SECRET, "HS256")


def ask(value: str, method: str = "GET", path: str = "/api/tasks") -> dict[str, Any]:
    """As API Gateway asks a TOKEN authorizer about the request."""
    event = {"type": "TOKEN", "methodArn": f"{STAGE}/{method}{path}", "authorizationToken": value}
    return authorizer.handler(event, None)


def allows(policy: dict[str, Any], method: str, path: str) -> bool:
    """As IAM decides: a denial goes before, and what is not allowed is denied."""
    effects = {
        statement["Effect"]
        for statement in policy["policyDocument"]["Statement"]
        for resource in statement["Resource"]
        if fnmatchcase(f"{STAGE}/{method}{path}", resource)
    }
    return effects == {"Allow"}


MAY = {
    "viewer": {"GET"},
    "developer": {"GET", "POST", "PUT", "PATCH"},
    "admin": {"GET", "POST", "PUT", "PATCH", "DELETE"},
}


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("first", [("GET", "/api/tasks"), ("DELETE", "/api/tasks/x"), ("POST", "/api/logs/a/b")])
def test_the_policy_holds_for_every_request_with_the_token_whichever_came_first(
    role: str, first: tuple[str, str]
) -> None:
    policy = ask(f"Bearer {token(role)}", method=first[0], path=first[1])
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for path in ("/api/tasks", "/api/logs/miyabi/jobs/s", "/api/projects/x", "/metrics"):
            assert allows(policy, method, path) == (method in MAY[role]), (method, path)


def test_an_ingest_tokens_policy_is_for_appending_only() -> None:
    policy = ask(f"Bearer {token('ingest', groups=['/miyabi/ci'])}")
    assert allows(policy, "POST", "/api/logs/miyabi/ci/s")
    for method, path in (
        ("GET", "/api/tasks"),
        ("POST", "/api/tasks"),
        ("POST", "/api/collect"),
        ("PUT", "/api/logs/a/b"),
    ):
        assert not allows(policy, method, path)


def test_the_policy_is_of_the_documented_shape_and_for_this_stage_only() -> None:
    policy = ask(f"Bearer {token()}")
    assert policy["principalId"] == "ann"
    assert policy["policyDocument"]["Version"] == "2012-10-17"
    for statement in policy["policyDocument"]["Statement"]:
        assert statement.keys() == {"Action", "Effect", "Resource"}
        assert statement["Action"] == "execute-api:Invoke"
        assert all(resource.startswith(f"{STAGE}/") for resource in statement["Resource"])
    assert all(isinstance(value, str) for value in policy["context"].values())
    assert json.loads(json.dumps(policy)) == policy


BAD = {
    "empty": "",
    "scheme only": "Bearer",
    "another scheme": "Basic YTpi",
    "no token": "Bearer x",
    "two in one": f"Bearer {token('admin')}, Bearer {token('admin')}",
    "alg none": f"Bearer {jwt.encode(claims('miyabi', aud='miyabi'), '', 'none')}",
    "expired": f"Bearer {token('admin', exp=int(time.time()) - 60)}",
    "another audience": f"Bearer {jwt.encode(claims('miyabi', aud='x'), SECRET, 'HS256')}",
    "another secret": f"Bearer {jwt.encode(claims('miyabi', aud='miyabi'), 'x' * 40, 'HS256')}",
    "huge": "Bearer " + "x" * 50_000,
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_bad_token_is_401(value: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(value)


def ask_for_badge(**parameters: str) -> dict[str, Any]:
    """As API Gateway asks a REQUEST authorizer about a badge."""
    event = {"type": "REQUEST", "methodArn": f"{STAGE}/GET/api/tasks/a/badge.svg", "headers": {}}
    return authorizer.handler({**event, "queryStringParameters": parameters or None}, None)


def test_a_badges_token_is_looked_for_in_its_address() -> None:
    answer = ask_for_badge(token=token(projects=["house"]), label="x")
    assert answer["context"]["projects"] == '["house"]'
    assert allows(answer, "GET", "/api/tasks/a/badge.svg")
    assert not allows(answer, "POST", "/api/tasks")


@pytest.mark.parametrize("parameters", [{}, {"token": ""}, {"token": "x"}, {"token": "admin's"}])
def test_a_badge_without_a_good_token_of_a_viewer_is_401(parameters: dict[str, str]) -> None:
    given = {name: token("admin") if value == "admin's" else value for name, value in parameters.items()}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask_for_badge(**given)


def test_an_issuers_keys_are_kept_from_one_event_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(IssuerServer()) as issuer:
        monkeypatch.setenv("MIYABI_AUTH_ISSUER", issuer.url)
        monkeypatch.setenv("MIYABI_AUTH_AUDIENCE", "board")
        monkeypatch.delenv("MIYABI_AUTH_SECRET")
        for _ in range(3):
            assert ask(f"Bearer {signed(claims(issuer.url))}")["context"]["role"] == "developer"
        assert len(issuer.asked) == 2


def test_while_no_keys_can_be_had_it_is_no_401(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(IssuerServer()) as issuer:
        issuer.mood = "broken"
        monkeypatch.setenv("MIYABI_AUTH_ISSUER", issuer.url)
        monkeypatch.setenv("MIYABI_AUTH_AUDIENCE", "board")
        with pytest.raises(Exception, match="can't be had"):
            ask(f"Bearer {signed(claims(issuer.url))}")


def test_a_secret_in_a_parameter_is_read_once_at_the_first_event(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("MIYABI_AUTH_SECRET", "ssm:/miyabi/secret")
    with mock_aws():
        ssm = boto3.client("ssm")
        ssm.put_parameter(Name="/miyabi/secret", Value=SECRET, Type="SecureString")
        assert ask(f"Bearer {token()}")["principalId"] == "ann"
        ssm.delete_parameter(Name="/miyabi/secret")
        assert ask(f"Bearer {token()}")["principalId"] == "ann"


def test_its_import_brings_no_aws_and_no_http_server() -> None:
    heavy = {"boto3", "botocore", "starlette", "uvicorn", "aiohttp", "redis", "prometheus_client", "mangum"}
    code = f"import sys, miyabi.wiring.aws_lambda.authorizer; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


PRINCIPALS = [
    *(Principal("ann", role) for role in ROLES if role != "ingest"),
    Principal("ann", "viewer", ()),
    Principal('a "b" ü', "developer", ("one", "two")),
    Principal("ci", "ingest", None, ("/miyabi/ci", "/miyabi/nightly")),
]


def behind(principal: Principal | None) -> dict[str, Any]:
    """The proxy integration's event, in which API Gateway has put the authorizer's context."""
    given = request("GET", "/api/tasks", Authorization=f"Bearer {token('admin')}")
    context = principal and {**context_of(principal), "principalId": principal.subject, "integrationLatency": 12}
    given["requestContext"] |= {"authorizer": context} if context else {}
    return given


@pytest.mark.parametrize("principal", [*PRINCIPALS, None])
def test_who_asks_comes_through_the_authorizers_context_whole(principal: Principal | None) -> None:
    assert principal_of(behind(principal)) == principal


@pytest.mark.parametrize("principal", [*PRINCIPALS[:-1], None])
def test_the_application_is_told_who_asks(principal: Principal | None) -> None:
    seen: list[Principal | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(attached(scope))
        await JSONResponse(None)(scope, receive, send)

    assert call(app, behind(principal))["statusCode"] == 200
    assert seen == [principal]


@pytest.mark.parametrize(
    ("path", "status"), [(f"{BY}miyabi/ci/s", 200), (f"{BY}%2Fmiyabi%2Fci/s", 200), (f"{BY}miyabi/jobs/s", 403)]
)
def test_an_ingest_token_is_held_to_its_groups_here(path: str, status: int) -> None:
    given = behind(PRINCIPALS[-1]) | {"path": path, "httpMethod": "POST"}
    assert call(JSONResponse(None), given)["statusCode"] == status


def test_a_context_that_is_not_ours_lets_nobody_in() -> None:
    for context in (
        {"principalId": "x"},
        {"sub": "x", "role": "owner"},
        {"sub": "x", "role": "admin", "projects": "*"},
    ):
        given = behind(None)
        given["requestContext"]["authorizer"] = context
        assert call(JSONResponse(None), given)["statusCode"] == 403


def call(app: Any, given: dict[str, Any]) -> Any:
    """What the function answers to the event."""

    async def with_raw_path(scope: Scope, receive: Receive, send: Send) -> None:
        await admitted(app)({**scope, "raw_path": given["path"].encode()}, receive, send)

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return Mangum(with_raw_path, lifespan="off")(given, None)  # type: ignore[arg-type]
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_every_role_has_a_policy() -> None:
    for role in ROLES:
        groups = {"groups": ["/miyabi/ci"]} if role == "ingest" else {}
        assert ask(f"Bearer {token(role, **groups)}")["context"]["role"] == role


def proxied(*values: str) -> dict[str, Any]:
    """``GET /api/sign-in`` as API Gateway's proxy integration passes it on, on a route without an authorizer."""
    asked = request("GET", "/api/sign-in")
    if values:
        asked["multiValueHeaders"]["Authorization"] = list(values)
    return asked


def test_the_function_tells_how_to_sign_in_and_who_a_token_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIYABI_AUTH_ISSUER", "https://login.example.org")
    monkeypatch.setenv("MIYABI_AUTH_AUDIENCE", "miyabi")
    monkeypatch.setenv("MIYABI_AUTH_CLIENT", "page")
    oidc = {"issuer": "https://login.example.org", "client_id": "page", "scopes": "openid email profile"}
    users = {(): None, (f"Bearer {token()}",): {"subject": "ann", "role": "viewer"}, ("Bearer a.b.c",): None}
    for values, user in users.items():
        answer = authorizer.handler(proxied(*values), None)
        assert answer["statusCode"] == 200
        assert json.loads(answer["body"]) == {"oidc": oidc, "token": True, "user": user}


def test_a_token_that_cant_be_verified_just_now_is_not_called_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(IssuerServer()) as issuer:
        monkeypatch.setenv("MIYABI_AUTH_ISSUER", issuer.url)
        monkeypatch.setenv("MIYABI_AUTH_AUDIENCE", "board")
        issuer.mood = "broken"
        answer = authorizer.handler(proxied(f"Bearer {signed(claims(issuer.url))}"), None)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "5")
