"""What strangers are told of services that are unwell: which, and neither where they are nor why."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import Answer, call
from tests.support.limit import a_limit

from miyabi.gateway.app import Gateway
from miyabi.gateway.auth import Auth, Verified
from miyabi.gateway.discreet import Discreet
from miyabi.gateway.guard import Guard
from miyabi.gateway.mint import make_token
from miyabi.http import Problem
from miyabi.principal import Principal, Role
from miyabi.settings import from_environment
from miyabi.wiring.auth import make_verifier, own_tokens, secret_keys

SETTINGS = from_environment({"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough"})
AUTH = Auth(make_verifier(SETTINGS))
WHERE = "10.1.2.3:6379"
HEALTH: dict[str, Any] = {
    "status": "degraded",
    "services": {
        "cache": {"status": "down", "detail": f"Error 111 connecting to {WHERE}."},
        "tasks": {"status": "ok", "milliseconds": 0.1},
    },
}


def token(role: Role = "viewer", projects: tuple[str, ...] | None = None, groups: tuple[str, ...] = ()) -> str:
    principal = Principal("ann", role, projects, groups)
    return make_token(secret_keys(SETTINGS)[0], principal, own_tokens(SETTINGS), int(time.time()), 600)


def door(tasks: ASGIApp) -> ASGIApp:
    return Gateway(
        Discreet(tasks, "The task API", AUTH), PlainTextResponse("page"), Guard("127.0.0.1"), a_limit(), AUTH
    )


def ask(app: ASGIApp, path: str, given: str | None = None, method: str = "GET") -> Answer:
    headers = {} if given is None else {"authorization": f"Bearer {given}"}
    return asyncio.run(call(app, method, path, headers=headers))


async def degraded(scope: Scope, receive: Receive, send: Send) -> None:
    """A task API whose cache is away."""
    await JSONResponse(HEALTH, headers={"etag": '"of-all-of-it"'})(scope, receive, send)


async def away(scope: Scope, receive: Receive, send: Send) -> None:
    """A task API that can't be reached."""
    raise Problem("unavailable", f"The task API at http://{WHERE} can't be reached.", Retry_After="1")


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """A task API without its database."""
    await Problem("unavailable", f"No connection to {WHERE}.", Retry_After="1").response()(scope, receive, send)


STRANGERS = {
    "nobody": None,
    "a forged token": token() + "x",
    "a badge's token, which stands on pages": token(projects=("house",)),
    "a job's": token("ingest", groups=("/ci",)),
}


@pytest.mark.parametrize("given", STRANGERS.values(), ids=STRANGERS)
def test_health_tells_strangers_which_service_is_unwell_and_not_where_it_is(given: str | None) -> None:
    told = ask(door(degraded), "/health", given)
    assert told.status == 200
    assert told.json() == {
        "status": "degraded",
        "services": {"cache": {"status": "down"}, "tasks": HEALTH["services"]["tasks"]},
    }
    assert "etag" not in told.headers, "that is another text's"
    assert int(told.headers["content-length"]) == len(told.body)


def test_health_tells_who_has_signed_in_all_of_it() -> None:
    assert ask(door(degraded), "/health", token()).json() == HEALTH


@pytest.mark.parametrize("behind", [away, broken])
def test_strangers_hear_that_the_task_api_is_away_and_not_where_it_should_be(behind: ASGIApp) -> None:
    told = ask(door(behind), "/health")
    assert (told.status, told.headers["retry-after"]) == (503, "1")
    assert told.json()["type"] == "urn:miyabi:problem:unavailable"
    assert told.json()["detail"].startswith("The task API is not well.")
    assert WHERE.encode() not in told.body
    assert WHERE.encode() in ask(door(behind), "/health", token()).body


@pytest.mark.parametrize("behind", [away, broken])
def test_a_token_for_some_projects_hears_no_address_on_any_path(behind: ASGIApp) -> None:
    limited = ask(door(behind), "/api/projects/house/badge.svg", token(projects=("house",)))
    assert limited.status == 503
    assert WHERE.encode() not in limited.body
    assert WHERE.encode() in ask(door(behind), "/api/tasks", token()).body


def test_what_cannot_be_read_is_not_passed_on_to_strangers() -> None:
    proxy = Response(f"<h1>no answer from {WHERE}</h1>", 502, media_type="text/html")
    told = ask(door(proxy), "/health")
    assert (told.status, told.body) == (502, b"")


def test_other_answers_pass_as_they_come() -> None:
    async def parts() -> Any:
        yield b"one "
        yield b"two"

    told = ask(door(StreamingResponse(parts())), "/api/events", token(projects=("house",)))
    assert told.body == b"one two"


def test_who_asks_wrongly_is_told_what_is_wrong() -> None:
    async def refused(scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem("invalid-parameter", "There is no `x`.")

    assert ask(door(refused), "/health?x=1").json()["detail"] == "There is no `x`."


def test_a_head_says_what_a_get_would() -> None:
    lengths = {ask(door(degraded), "/health", method=method).headers["content-length"] for method in ("GET", "HEAD")}
    assert len(lengths) == 1


def test_each_service_by_itself_does_the_same_and_says_it_once_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    app = Verified(broken, AUTH, "The log service")
    assert ask(app, "/health").json()["detail"].startswith("The log service is not well.")
    ask(app, "/health")
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"The log service is not well: No connection to {WHERE}."]
    assert WHERE.encode() in ask(app, "/health", token()).body
