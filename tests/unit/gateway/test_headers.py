"""The headers of a careful site: what browsers may do with answers, and how long anybody may keep them."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import call
from tests.support.limit import a_limit

from miyabi.gateway.app import Gateway
from miyabi.gateway.guard import Guard
from miyabi.webui.app import page


def headers(
    path: str, host: str = "board.example.org", scheme: str = "https", app: ASGIApp | None = None
) -> dict[str, str]:
    """An answer's headers; ``app`` is the task API."""
    gateway = Gateway(app or PlainTextResponse("{}"), page(), Guard("0.0.0.0"), a_limit())

    async def at(scope: Scope, receive: Receive, send: Send) -> None:
        await gateway({**scope, "scheme": scheme}, receive, send)

    return asyncio.run(call(at, "GET", path, headers={"host": host})).headers


def directives(answered: dict[str, str]) -> dict[str, str]:
    """The Content-Security-Policy by directive."""
    pairs = (each.strip().partition(" ") for each in answered["content-security-policy"].split(";"))
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("path", ["/api/tasks", "/health", "/metrics", "/api/projects/x/badge.svg"])
def test_an_answer_of_the_api_that_is_shown_as_a_document_may_do_nothing(path: str) -> None:
    answered = headers(path)
    assert directives(answered)["default-src"] == "'none'"
    assert "script-src" not in directives(answered)
    assert answered["x-content-type-options"] == "nosniff"
    assert answered["referrer-policy"] == "no-referrer"


def test_no_other_site_may_include_records_but_all_may_show_a_badge() -> None:
    assert headers("/api/tasks")["cross-origin-resource-policy"] == "same-origin"
    assert headers("/api/tasks/x/badge.svg")["cross-origin-resource-policy"] == "cross-origin"


def test_a_badge_that_is_opened_by_itself_may_do_nothing() -> None:
    assert directives(headers("/api/tasks/x/badge.svg")) == {"default-src": "'none'", "sandbox": ""}


def test_the_page_runs_its_own_files_only_and_stands_in_no_frame() -> None:
    policy = directives(headers("/"))
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'",) * 3
    assert not any("unsafe" in value for value in policy.values())


def test_the_page_asks_for_no_device_and_shares_no_window() -> None:
    answered = headers("/")
    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(answered["permissions-policy"].split(", "))
    assert answered["cross-origin-opener-policy"] == "same-origin"
    assert answered["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/api/tasks", "/api/tasks/x/badge.svg"])
def test_a_site_that_answered_by_tls_is_never_asked_without(path: str) -> None:
    assert headers(path)["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(("scheme", "host"), [("http", "board.example.org"), ("https", "localhost:8420")])
def test_that_is_not_said_without_tls_nor_of_every_programs_name(scheme: str, host: str) -> None:
    assert "strict-transport-security" not in headers("/api/tasks", host, scheme)


def test_what_the_api_does_not_say_may_be_kept_is_not() -> None:
    assert headers("/api/tasks")["cache-control"] == "no-store"
    assert headers("/api/tasks", app=Response(status_code=304))["cache-control"] == "no-cache"
    assert headers("/api/tasks", app=Response(headers={"cache-control": "no-cache"}))["cache-control"] == "no-cache"
