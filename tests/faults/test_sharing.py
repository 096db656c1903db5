"""Who may work on one data folder at once, and who may reach a board."""

from __future__ import annotations

import http.client
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.board import MIYABI, Board, Service, environment

SECRET = "a secret of this test that is long enough".replace(" ", "-")
QUICK = 2.0
"""Seconds within which a service with viewers is expected to have ended."""


def refused(*command: str, data: Path, **env: str) -> str:
    """What a start that must fail says."""
    line = [MIYABI, *command, "--port", "0"]
    done = subprocess.run(line, env=environment(data, **env), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("service", ["tasks", "collector", "gateway"])
def test_a_service_beside_a_board_on_its_folder_is_refused(board: Board, service: str) -> None:
    assert board.url in refused("serve", service, data=board.data)


def test_a_gateway_whose_trail_is_kept_elsewhere_needs_no_folder_for_itself(board: Board) -> None:
    env = environment(board.data, MIYABI_TASKS=board.url, MIYABI_LOGS="http://127.0.0.1:9")
    with closing(Service("serve", "gateway", env=env)) as gateway:
        assert gateway.api.tasks() == []


def test_a_gateway_that_keeps_its_trail_in_a_folder_holds_it_as_others_do(tmp_path: Path) -> None:
    with closing(Service("serve", "gateway", env=environment(tmp_path))):
        assert str(tmp_path) in refused("up", data=tmp_path)
        with closing(Service("serve", "tasks", env=environment(tmp_path))) as tasks:
            assert tasks.api.tasks() == []


def test_services_share_a_folder_and_a_board_beside_them_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with closing(Service("serve", "tasks", env=env)), closing(Service("serve", "collector", env=env)):
        assert str(tmp_path) in refused("up", data=tmp_path)


@pytest.mark.parametrize("command", [("up",), ("serve", "gateway"), ("serve", "tasks"), ("serve", "collector")])
def test_an_address_that_strangers_can_reach_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = refused(*command, "--host", "0.0.0.0", data=tmp_path)
    assert "0.0.0.0" in said
    assert "--insecure" in said


def test_who_insists_serves_strangers(tmp_path: Path) -> None:
    with closing(Service("up", "--host", "0.0.0.0", "--insecure", env=environment(tmp_path))) as board:
        assert board.api.tasks() == []


def test_where_tokens_are_asked_for_strangers_may_reach_the_board_and_get_nothing(tmp_path: Path) -> None:
    env = environment(tmp_path, MIYABI_AUTH_SECRET=SECRET)
    with closing(Service("up", "--host", "0.0.0.0", env=env)) as board:
        assert board.api.request("GET", "/api/tasks").status == 401
        assert board.api.request("GET", "/health").status == 200
        token = subprocess.run([MIYABI, "token", "make", "me"], env=env, capture_output=True, text=True, check=True)
        bearer = {"Authorization": f"Bearer {token.stdout.strip()}"}
        assert board.api.request("GET", "/api/tasks", **bearer).status == 200
        assert "a token was refused" not in board.errors()


@pytest.mark.parametrize("service", ["tasks", "collector", "logs"])
def test_a_service_apart_is_shared_only_where_it_asks_for_tokens(tmp_path: Path, service: str) -> None:
    assert "MIYABI_AUTH_SECRET" in refused("serve", service, "--host", "0.0.0.0", data=tmp_path)
    env = environment(tmp_path, MIYABI_AUTH_SECRET=SECRET)
    with closing(Service("serve", service, "--host", "0.0.0.0", env=env)) as shared:
        assert shared.api.request("GET", "/metrics").status == 401
        assert shared.api.request("GET", "/health").status == 200


def test_a_secret_that_can_be_guessed_is_refused_at_the_start(tmp_path: Path) -> None:
    assert "MIYABI_AUTH_SECRET" in refused("up", data=tmp_path, MIYABI_AUTH_SECRET="secret")


def test_a_gateway_with_viewers_ends_quickly_and_quietly(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with closing(Service("serve", "tasks", env=env)) as tasks:
        door = environment(tmp_path, MIYABI_TASKS=tasks.url)
        with closing(Service("serve", "gateway", env=door)) as gateway:
            viewer = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
            with closing(viewer):
                for _ in range(8):  # connections to the task API that are to be closed, too
                    gateway.api.get("/api/tasks")
                viewer.request("GET", "/api/events")
                assert viewer.getresponse().readline() == b"event: hello\n"
                began = time.monotonic()
                assert gateway.stop() == 0
                assert time.monotonic() - began < QUICK
            assert gateway.errors() == ""
