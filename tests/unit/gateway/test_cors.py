"""CORS: a configured origin's pages may ask; to others nothing is said."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from tests.support.asgi import Answer, call

from miyabi.gateway.cors import origins_of
from miyabi.settings import SettingsError, from_environment
from miyabi.wiring.gateway import make_gateway

OURS, OTHERS = "https://wall.example.org", "https://evil.example"
SECRET = "s" * 40


async def tasks(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("tasks", headers={"vary": "accept-encoding"})(scope, receive, send)


def ask(method: str, origin: str | None, allowed: str = OURS, secret: str = "", **headers: str) -> Answer:
    """One request to the task list."""
    settings = from_environment({"MIYABI_ORIGINS": allowed, "MIYABI_AUTH_SECRET": secret})
    given = {name.replace("_", "-"): value for name, value in headers.items()} | ({"origin": origin} if origin else {})
    return asyncio.run(call(make_gateway(settings, tasks), method, "/api/tasks", headers=given))


def preflight(origin: str, method: str = "PATCH", **more: str) -> Answer:
    return ask("OPTIONS", origin, secret=SECRET, access_control_request_method=method, **more)


def allowed(answer: Answer) -> list[str]:
    """The names of the answer's CORS headers."""
    return [name for name in answer.headers if name.startswith("access-control-")]


def test_a_configured_origin_may_read_and_change() -> None:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        answer = ask(method, OURS)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, OURS)


def test_its_scripts_may_read_what_a_client_needs() -> None:
    shown = ask("GET", OURS).headers["access-control-expose-headers"].lower()
    assert {"x-request-id", "etag", "retry-after", "ratelimit"} <= set(shown.split(", "))


def test_a_refusal_can_be_read_by_it_too() -> None:
    answer = ask("GET", OURS, secret=SECRET)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, OURS)


def test_a_preflight_needs_no_token_and_is_kept() -> None:
    answer = preflight(OURS, access_control_request_headers="authorization, content-type, last-event-id")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, OURS)
    assert int(answer.headers["access-control-max-age"]) >= 600
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert {"Authorization", "Last-Event-ID"} <= set(answer.headers["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize("more", [{"access_control_request_headers": "x-forged"}, {"method": "TRACE"}])
def test_a_preflight_for_more_than_that_is_refused(more: dict[str, str]) -> None:
    assert preflight(OURS, **more).status == 400


@pytest.mark.parametrize(
    "origin",
    [OTHERS, "null", "http://wall.example.org", f"{OURS}:8443", f"{OURS}.evil.example", "https://xwall.example.org"],
)
def test_to_another_origin_nothing_is_said_and_it_changes_nothing(origin: str) -> None:
    assert allowed(preflight(origin)) == []
    assert allowed(ask("GET", origin)) == []
    changed = ask("POST", origin)
    assert (changed.status, allowed(changed)) == (403, [])


@pytest.mark.parametrize("origin", [OURS, OTHERS, None])
def test_caches_keep_origins_apart(origin: str | None) -> None:
    assert {"origin", "accept-encoding"} <= set(ask("GET", origin).headers["vary"].lower().split(", "))


def test_credentials_and_everybody_are_never_allowed() -> None:
    for answer in (ask("GET", OURS), preflight(OURS)):
        assert "access-control-allow-credentials" not in answer.headers
        assert "*" not in answer.headers["access-control-allow-origin"]


def test_without_a_configured_origin_there_is_no_cors() -> None:
    answer = ask("GET", OURS, allowed="")
    assert (answer.status, allowed(answer)) == (200, [])
    assert ask("POST", OURS, allowed="").status == 403


def test_origins_are_taken_as_browsers_send_them() -> None:
    given = "https://Wall.Example.org https://a.example:443 http://127.0.0.1:5173 http://[::1]:80 https://a.example"
    assert origins_of(given) == (OURS, "https://a.example", "http://127.0.0.1:5173", "http://[::1]")


@pytest.mark.parametrize(
    "bad",
    ["*", "null", "wall.example.org", f"{OURS}/", f"{OURS}/x", "https://*.example.org", "ftp://a.example", "https://",
     "https://u@a.example", "https://a.example,https://b.example", "https://a.example:0", "https://日本.example"],
)  # fmt: skip
def test_what_is_no_origin_is_refused_at_the_start_with_what_to_write(bad: str) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_ORIGINS: .*write `https://board\.example\.org`"):
        make_gateway(from_environment({"MIYABI_ORIGINS": bad}), tasks)
