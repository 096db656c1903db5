"""Who may work on one data folder at once, and what is said of an address that strangers can reach."""

from __future__ import annotations

import http.client
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.board import MIYABI, Board, Service, environment

QUICK = 2.0
"""Seconds within which a service with viewers is expected to have ended."""


def refused(*command: str, data: Path) -> str:
    """What a start that must fail says."""
    line = [MIYABI, *command, "--port", "0"]
    done = subprocess.run(line, env=environment(data), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("service", ["tasks", "collector"])
def test_a_service_beside_a_board_on_its_folder_is_refused(board: Board, service: str) -> None:
    assert board.url in refused("serve", service, data=board.data)


def test_services_share_a_folder_and_a_board_beside_them_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with closing(Service("serve", "tasks", env=env)), closing(Service("serve", "collector", env=env)):
        assert str(tmp_path) in refused("up", data=tmp_path)


def test_an_address_that_strangers_can_reach_is_warned_of(tmp_path: Path) -> None:
    with closing(Service("up", "--host", "0.0.0.0", env=environment(tmp_path))) as board:
        assert "there is no sign-in yet" in board.errors()


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
