"""The audit trail: who changed what, and who was not let."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import call

from miyabi.gateway.answered import peer
from miyabi.gateway.audit import Audit
from miyabi.model import iso
from miyabi.principal import Principal, Role, attach

NOW = 1_795_000_000_000
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
ADA = Principal("ada", "developer")


def answering(answer: ASGIApp, who: Principal | None = ADA) -> ASGIApp:
    """An app that knows who asks."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if who:
            attach(scope, who)
        await answer(scope, receive, send)

    return app


def lines(
    method: str,
    target: str,
    status: int = 200,
    who: Principal | None = ADA,
    answer: ASGIApp | None = None,
    **headers: str,
) -> list[dict[str, Any]]:
    """What one request leaves behind."""
    found: list[str] = []
    app = answering(answer or PlainTextResponse("", status), who)
    audit = Audit(app, lambda when, line: found.append(line), peer, lambda: NOW)
    asyncio.run(call(audit, method, target, headers={name.replace("_", "-"): value for name, value in headers.items()}))
    return [json.loads(line) for line in found]


def test_a_change_says_who_what_when_and_how_it_ended() -> None:
    assert lines("PATCH", "/api/tasks/build-1", x_request_id="one", user_agent="curl/8") == [
        {
            "time": iso(NOW),
            "method": "PATCH",
            "path": "/api/tasks/build-1",
            "status": 200,
            "client": "127.0.0.1",
            "subject": "ada",
            "role": "developer",
            "task_id": "build-1",
            "request_id": "one",
            "agent": "curl/8",
        }
    ]


def test_what_is_made_is_named_by_its_record() -> None:
    record = JSONResponse({"task_id": "build-7", "project_id": "web", "task_name": "x"}, 201)
    (line,) = lines("POST", "/api/tasks", answer=record)
    assert (line["task_id"], line["project_id"]) == ("build-7", "web")


@pytest.mark.parametrize("answer", [JSONResponse([1]), JSONResponse({"task_id": 1}), PlainTextResponse("x" * 100_000)])
def test_an_answer_that_is_no_record_names_nothing(answer: ASGIApp) -> None:
    (line,) = lines("POST", "/api/tasks", answer=answer)
    assert "task_id" not in line


def test_a_refusal_is_written_too() -> None:
    (line,) = lines("DELETE", "/api/projects/web", 403, Principal("eve", "viewer"))
    assert (line["status"], line["subject"], line["role"], line["project_id"]) == (403, "eve", "viewer", "web")


def test_strangers_can_not_fill_it() -> None:
    assert lines("POST", "/api/tasks", 403, None) == []
    assert lines("POST", "/api/tasks", 401, None) == []
    assert lines("POST", "/api/tasks", 429) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_is_only_read_is_not_written(method: str) -> None:
    assert lines(method, "/api/tasks") == []


@pytest.mark.parametrize("role", ["ingest", "developer"])
def test_lines_that_are_appended_are_not_written_but_refusals_are(role: Role) -> None:
    path = "/api/logs/%2Fmiyabi%2Fjobs/x"
    assert lines("POST", path, who=Principal("ci", role)) == []
    (line,) = lines("POST", path, 403, Principal("ci", role))
    assert (line["subject"], line["path"]) == ("ci", path)


def test_without_sign_in_the_address_is_what_is_known() -> None:
    (line,) = lines("PATCH", "/api/tasks/a", who=None)
    assert "subject" not in line
    assert line["client"] == "127.0.0.1"


def test_no_secret_is_written() -> None:
    sent = {"authorization": f"Bearer {TOKEN}", "user_agent": TOKEN, "x_request_id": TOKEN}
    for path in (f"/api/tasks/{TOKEN}", f"/api/projects/{TOKEN}/x", f"/api/tasks/a?token={TOKEN}"):
        (line,) = lines("PATCH", path, 200, ADA, None, **sent)
        assert "eyJ" not in json.dumps(line)
