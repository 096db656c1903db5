"""No token comes into any log, wherever a client puts it and whatever becomes of the request."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.board import Board
from tests.support.until import until
from tests.support.wire import talk

from miyabi.gateway.keys import secret_key
from miyabi.gateway.mint import make_token
from miyabi.principal import Principal, Role
from miyabi.settings import from_environment
from miyabi.wiring.auth import own_tokens
from miyabi.wiring.stores import now

SECRET = "a secret of the deployment that nobody may read anywhere".replace(" ", "-")
PATHS = (
    "/api/tasks/{}",
    "/api/projects/{}",
    "/api/logs/{}/{}",
    "/api/{}",
    "/{}",
    "/api/tasks?token={}",
    "/?q={}",
    "/metrics?{}",
    "/api/tasks/none/badge.svg?token={}",
)


def token(role: Role, secret: str = SECRET) -> str:
    """A token of that role."""
    return make_token(
        secret_key(secret), Principal(f"the-{role}", role), own_tokens(from_environment({})), now() // 1000, 600
    )


@pytest.fixture(scope="module")
def tokens() -> list[str]:
    """Good ones, one of another deployment, and rubbish that looks like one."""
    good = [token(role) for role in ("viewer", "developer", "admin")]
    return [*good, token("admin", "another-secret-" * 4), good[0][:-4], good[0] + ".x"]


def send_everywhere(board: Board, given: str) -> None:
    """Every place of a request that can hold a token, with good and bad ways to show who asks."""
    ask = board.api.request
    for shown in (
        {},
        {"authorization": f"Bearer {given}"},
        {"authorization": given},
        {"authorization": f"Basic {given}"},
    ):
        for path in PATHS:
            for method in ("GET", "PATCH", "DELETE"):
                ask(method, path.format(given, given), **shown)
        ask("POST", "/api/tasks", {"task_name": given, "token": given}, **shown)
        ask("POST", "/api/tasks", given.encode(), **shown)
        more = {"user-agent": given, "x-request-id": given, "traceparent": given, "referer": given, "cookie": given}
        ask("PATCH", "/api/tasks/none", {}, **shown, **more)
    raw = given.encode()
    talk(board.port, b"GET /" + raw + b" " + raw + b" HTTP/1.1\r\n\r\n")
    talk(board.port, b"GET / HTTP/1.1\r\nHost: " + raw + b"\r\n" + raw + b"\r\n\r\n")


def system_lines(data: Path) -> list[dict[str, Any]]:
    """The audit trail as it is stored."""
    from miyabi.logs.chunks import unpack

    with closing(sqlite3.connect(data / "logs.db")) as connection:
        rows = connection.execute(
            """SELECT data FROM chunks, streams JOIN groups ON groups.id = group_id
            WHERE chunks.id >> 32 = streams.id AND groups.name = '/miyabi/system' ORDER BY chunks.id"""
        ).fetchall()
    return [json.loads(event.message) for (data,) in rows for event in unpack(data, 0)]


def test_no_token_comes_into_any_log(tmp_path: Path, tokens: list[str]) -> None:
    settings = {"MIYABI_AUTH_SECRET": SECRET, "MIYABI_ACCESS_LOG": "yes"}
    with closing(Board(tmp_path / "data", **settings)) as board:
        for given in tokens:
            send_everywhere(board, given)
        board.stop()
        written = board.errors()
        trail = system_lines(board.data)
    assert len(written.splitlines()) > 500, "there is an access log"
    assert "a token was refused" in written
    assert {line["subject"] for line in trail} == {"the-viewer", "the-developer", "the-admin"}
    assert {line["status"] for line in trail} >= {403, 400}
    everything = written + json.dumps(trail)
    assert SECRET not in everything
    for given in tokens:
        for part in (given, *given.split(".")):
            assert len(part) < 20 or part not in everything


def test_the_trail_is_no_task_and_nobody_writes_into_it(tmp_path: Path) -> None:
    with closing(Board(tmp_path / "data")) as board:
        board.api.post("/api/tasks", {"task_id": "one", "task_name": "one"})
        day = until(lambda: [line["time"][:10] for line in system_lines(board.data)], "the change is written down")[0]
        forged = {"events": [{"timestamp": 1, "message": "forged"}]}
        assert board.api.request("POST", f"/api/logs/%2Fmiyabi%2Fsystem/audit-{day}", forged).status == 403
        board.api.post("/api/collect", {})
        assert [task["task_id"] for task in board.api.tasks()] == ["one"]
