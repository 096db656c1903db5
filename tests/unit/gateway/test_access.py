"""The access log: one line of JSON for each answer, bounded and without secrets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import call

from miyabi.gateway.access import AccessLog, Seen
from miyabi.gateway.access import line as line_of
from miyabi.gateway.answered import peer
from miyabi.model import iso
from miyabi.principal import Principal, attach
from miyabi.settings import SettingsError, from_environment
from miyabi.wiring.recorded import writes_access

NOW = 1_795_000_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


def line(target: str = "/api/tasks", app: ASGIApp | None = None, method: str = "GET", **headers: str) -> dict[str, Any]:
    """The line of one request."""
    answers: list[Seen] = []
    log = AccessLog(app or PlainTextResponse("hello", 201), answers.append, lambda: NOW)
    asyncio.run(call(log, method, target, headers={name.replace("_", "-"): value for name, value in headers.items()}))
    (written,) = (line_of(seen, peer) for seen in answers)
    assert written.count(b"\n") == 1
    found: dict[str, Any] = json.loads(written)
    return found


def test_it_says_who_asked_for_what_and_what_was_answered() -> None:
    found = line(x_request_id="one", user_agent="curl/8", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    assert found.pop("seconds") >= 0
    assert found == {
        "time": iso(NOW),
        "level": "INFO",
        "service": "gateway",
        "logger": "miyabi.access",
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/api/tasks",
        "status": 201,
        "bytes": 5,
        "request_id": "one",
        "agent": "curl/8",
        "trace_id": TRACE,
    }


def test_a_head_has_no_bytes_whatever_the_server_drops() -> None:
    assert (line(method="HEAD")["status"], line(method="HEAD")["bytes"]) == (201, 0)


def test_it_says_whose_token_it_was() -> None:
    async def known(scope: Scope, receive: Receive, send: Send) -> None:
        attach(scope, Principal("ada", "viewer"))
        await PlainTextResponse("")(scope, receive, send)

    assert line(app=known)["subject"] == "ada"


@pytest.mark.parametrize("target", [f"/api/tasks?token={TOKEN}", "/api/tasks?access_token=abc", "/api/tasks?q=private"])
def test_a_query_is_not_written(target: str) -> None:
    assert line(target)["path"] == "/api/tasks"


def test_a_token_in_a_path_or_a_header_is_not_written() -> None:
    found = json.dumps(line(f"/api/tasks/{TOKEN}", user_agent=f"x {TOKEN}", authorization=f"Bearer {TOKEN}"))
    assert "eyJ" not in found
    assert "***" in found


def test_what_a_client_sends_is_cut() -> None:
    found = line("/" + "a" * 8000, user_agent="b" * 8000)
    assert (len(found["path"]), len(found["agent"])) == (512, 200)


@pytest.mark.parametrize("forged", ['a"}\t{"b', "a\\nb", "\x1b[31mred"])
def test_what_a_client_sends_can_end_no_line(forged: str) -> None:
    assert line(user_agent=forged)["agent"] == forged


@pytest.mark.parametrize("bad", ["", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "00-xyz-b7ad6b7169203331-01", TRACE])
def test_what_is_no_trace_is_left_out(bad: str) -> None:
    assert "trace_id" not in line(traceparent=bad)


def test_a_failure_is_written_and_goes_on() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    answers: list[Seen] = []
    with pytest.raises(RuntimeError):
        asyncio.run(call(AccessLog(failing, answers.append, lambda: NOW), "GET", "/"))
    assert json.loads(line_of(answers[0], peer))["status"] == 0


@pytest.mark.parametrize(
    ("host", "setting", "terminal", "writes"),
    [
        ("127.0.0.1", "auto", False, False),
        ("0.0.0.0", "auto", False, True),
        ("0.0.0.0", "auto", True, False),
        ("127.0.0.1", "yes", True, True),
        ("0.0.0.0", "no", False, False),
    ],
)
def test_by_itself_it_is_written_where_others_can_ask_and_nobody_watches(
    host: str, setting: str, terminal: bool, writes: bool
) -> None:
    settings = from_environment({"MIYABI_HOST": host, "MIYABI_ACCESS_LOG": setting})
    assert writes_access(settings, terminal=terminal) is writes


def test_another_choice_is_refused() -> None:
    with pytest.raises(SettingsError, match="MIYABI_ACCESS_LOG"):
        from_environment({"MIYABI_ACCESS_LOG": "maybe"})
