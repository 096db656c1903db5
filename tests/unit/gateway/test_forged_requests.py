"""Forged and misused tokens at every door: the gateway, the services that run apart, and badges' addresses."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from typing import Any, cast
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import Answer, call
from tests.support.issuer import private_key, segment

from miyabi.settings import from_environment
from miyabi.tasks.api import Api
from miyabi.tasks.app import TasksApp
from miyabi.wiring.gateway import make_gateway
from miyabi.wiring.guarded import guarded

SECRET = "a-secret-of-this-test-that-is-long-enough"
SETTINGS = from_environment({"MIYABI_AUTH_SECRET": SECRET, "MIYABI_RATE_LIMIT": "0"})
BADGE = "/api/tasks/a/badge.svg"
GROUPS = ("/miyabi/ci",)
LINES = {"events": [{"timestamp": 1, "message": "one"}]}


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    """What nobody with a bad token comes to."""
    await PlainTextResponse("inside")(scope, receive, send)


DOORS: dict[str, ASGIApp] = {
    "gateway": make_gateway(SETTINGS, inside),
    "task API apart": guarded(inside, SETTINGS, "The task API", whole=False),
    "log service or collector apart": guarded(inside, SETTINGS, "The collector"),
}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> ASGIApp:
    return DOORS[request.param]


def made(key: str | bytes = SECRET, header: dict[str, Any] | None = None, **more: Any) -> str:
    """A token by hand; ``more`` changes its claims, ``None`` leaves one out."""
    now = int(time.time())
    said = {"iss": "miyabi", "aud": "miyabi", "sub": "ann", "role": "viewer", "iat": now, "exp": now + 600} | more
    claims = {name: value for name, value in said.items() if value is not None}
    text = f"{segment({'alg': 'HS256', 'typ': 'JWT'} | (header or {}))}.{segment(claims)}"
    raw = key.encode() if isinstance(key, str) else key
    return f"{text}.{segment(hmac.digest(raw, text.encode(), hashlib.sha256))}"


def swapped(token: str, **more: Any) -> str:
    """The signature of one token below the claims of another."""
    header, payload, _ = made(**more).split(".")
    return ".".join((header, payload, token.rpartition(".")[2]))


PUBLIC = private_key("RS256").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
FORGED = {
    "no algorithm": made(header={"alg": "none"}),
    "no algorithm and no signature": made(header={"alg": "none"}).rpartition(".")[0] + ".",
    "no algorithm in capitals": made(header={"alg": "NONE"}).rpartition(".")[0] + ".",
    "a public key as secret": made(PUBLIC, {"kid": "RS256"}),
    "a secret as public key": made(header={"alg": "RS256"}),
    "a key of an empty file": made(b"", {"kid": "../../../../dev/null"}),
    "a key out of a query": made("x", {"kid": "' UNION SELECT 'x"}),
    "a key that it brings": made("x", {"jwk": {"kty": "oct", "k": segment(b"x")}}),
    "a key that it points to": made("x", {"jku": "https://evil.example/keys", "kid": "https://evil.example/keys"}),
    "expired": made(exp=int(time.time()) - 3600),
    "without an end": made(exp=None),
    "not good yet": made(nbf=int(time.time()) + 3600),
    "another audience": made(aud="another"),
    "no audience": made(aud=None),
    "another issuer": made(iss="https://evil.example"),
    "no issuer": made(iss=None),
    "another deployment's": made("another-secret-that-is-as-long-as-it-should-be"),
    "more than its role": swapped(made(), role="admin"),
    "another project": swapped(made(projects=["mine"]), projects=["theirs"]),
    "another group": swapped(made(role="ingest", groups=["/mine"]), role="ingest", groups=["/theirs"]),
    "a role that is none": made(role="root"),
}


def ask(app: ASGIApp, target: str, token: str, method: str = "GET", body: object = b"") -> Answer:
    """With the token in the header."""
    return asyncio.run(call(app, method, target, body, {"authorization": f"Bearer {token}"}))


def test_a_good_token_made_the_same_way_is_let_in(door: ASGIApp) -> None:
    assert ask(door, "/api/tasks", made()).body == b"inside"
    assert asyncio.run(call(door, "GET", f"{BADGE}?token={made()}")).body == b"inside"


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_is_let_in_by_no_door(door: ASGIApp, kind: str) -> None:
    for answer in (
        ask(door, "/api/tasks", FORGED[kind]),
        ask(door, "/logs/read", FORGED[kind], "POST"),
        ask(door, BADGE, FORGED[kind]),
        asyncio.run(call(door, "GET", f"{BADGE}?token={FORGED[kind]}")),
    ):
        # Whatever is not of the API is the page at the gateway: files that are no secret.
        assert answer.status in ((401, 405) if door is DOORS["gateway"] else (401,))
        assert answer.body != b"inside"


def test_a_token_of_some_projects_opens_no_service_that_cannot_tell_them_apart() -> None:
    for role in ("viewer", "developer", "admin"):
        answer = ask(DOORS["log service or collector apart"], "/x", made(role=role, projects=["mine"]))
        assert answer.status == 403


@pytest.mark.parametrize(
    "target", ["/logs/append", "/logs/read", "/collect", "/deliveries", "/api/collect", "/metrics"]
)
def test_an_ingest_token_is_good_for_nothing_at_the_services_behind(target: str) -> None:
    token = made(role="ingest", groups=list(GROUPS))
    for name in ("task API apart", "log service or collector apart"):
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert ask(DOORS[name], target, token, method).status == 403


class Appends:
    """A log service that notes to which groups lines come, and a task service that lets them."""

    def __init__(self) -> None:
        self.groups: list[str] = []

    async def append(self, group: str, stream: str, *rest: object) -> int:
        """Note it."""
        self.groups.append(group)
        return 1

    async def check_append(self, *rest: object) -> None:
        """All right."""


class Routed:
    """The task API's own routes, reached by an ingest token as the gateway lets it through."""

    def __init__(self) -> None:
        self.appends = Appends()
        api = Api(cast(Any, self.appends), cast(Any, self.appends), cast(Any, None), cast(Any, None), {})
        self.door = guarded(TasksApp(api, cast(Any, None)), SETTINGS, "The task API", whole=False)
        self.token = made(role="ingest", groups=list(GROUPS))

    def status(self, method: str, path: str) -> int:
        """Of one request."""
        return ask(self.door, path, self.token, method, LINES).status


PIECES = ("/api", "/logs", "/", "//", "miyabi", "/ci", "ci", "/CI", "jobs", "/tasks", "/collect", "s", "..", "/../",
          "/./", "%2F", "%2f", "%2e%2e", "%2E%2E%2F", "%252e%252e", "%252F", "%5c", "\\", ";", "%3b", "%00", "%20",
          "%0a", "%ff", "%c4%b1", "%EF%BC%8F", "%6cogs", "%63i", "%3F", "%23")  # fmt: skip
BEGINS = ("/api/logs/miyabi/ci", "/api/logs/%2Fmiyabi%2Fci/", "/api/logs/", "/api/logs", "/api/", "//api/logs/", "/")


@given(
    st.sampled_from(BEGINS), st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["POST", "GET", "PATCH"])
)
@example("/api/logs/miyabi/ci", ["/../", "jobs", "/", "s"], "POST")
@example("/api/logs/miyabi/ci", ["%2F", "%2e%2e", "%2f", "jobs", "/", "s"], "POST")
@example("/api/logs/", ["%2e%2e", "/tasks"], "POST")
@example("/api/logs/", ["/", "miyabi", "//", "ci", "/", "s"], "POST")
@example("/api/logs/miyabi/ci", ["/", "..", "%2F", "..", "%2F", "collect"], "POST")
@settings(deadline=None, max_examples=300)
def test_however_its_path_is_written_an_ingest_token_appends_to_its_groups_or_does_nothing(
    begin: str, pieces: list[str], method: str
) -> None:
    routed, path = Routed(), begin + "".join(pieces)
    status = routed.status(method, path)
    assert set(routed.appends.groups) <= set(GROUPS)
    assert status in (200, 400, 403, 404), path
    assert (status == 200) == bool(routed.appends.groups)
    if status == 200:
        assert method == "POST"
        assert unquote(path).startswith("/api/logs/")


def test_it_appends_where_it_may() -> None:
    routed = Routed()
    assert routed.status("POST", "/api/logs/miyabi/ci/s") == 200
    assert routed.status("POST", "/api/logs/miyabi/jobs/s") == 403
    assert routed.appends.groups == ["/miyabi/ci"]
