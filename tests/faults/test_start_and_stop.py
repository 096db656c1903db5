"""What `miyabi up` says when it can't start, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.board import MIYABI, Board, environment

QUICK = 2.0
"""Seconds within which a board with viewers is expected to have ended."""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


def start(data: Path, *options: str, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail at once."""
    command = [*prefix, MIYABI, "up", *options]
    return subprocess.run(command, env=environment(data), capture_output=True, text=True, timeout=20, check=False)


def test_a_second_board_on_the_same_port_is_told_of_another_port(board: Board, tmp_path: Path) -> None:
    second = start(tmp_path / "other", "--port", str(board.port))
    assert second.returncode == 1
    assert f"127.0.0.1:{board.port}" in second.stderr
    assert f"--port {board.port + 1}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_second_board_on_the_same_folder_is_told_where_the_first_one_is(board: Board) -> None:
    second = start(board.data, "--port", "0")
    assert second.returncode == 1
    assert board.url in second.stderr
    assert "--data" in second.stderr
    assert board.api.get("/health")["status"] == "ok"


def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    prefix: Sequence[str] = ()
    if os.geteuid() == 0:  # root writes anywhere: somebody else has to try
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        prefix = NOBODY
    refused = start(locked / "data", "--port", "0", prefix=prefix)
    assert refused.returncode == 1
    assert str(locked / "data") in refused.stderr
    assert "--data" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_data_folder_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused = start(tmp_path / "file" / "data", "--port", "0")
    assert refused.returncode == 1
    assert "--data" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_is_no_database_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "tasks.db").write_bytes(b"these are somebody's notes " * 400)
    refused = start(tmp_path, "--port", "0")
    assert refused.returncode == 1
    assert str(tmp_path / "tasks.db") in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (tmp_path / "tasks.db").read_bytes() == b"these are somebody's notes " * 400


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_board_with_viewers_ends_quickly_and_with_0(board: Board, number: int) -> None:
    viewers = [viewer(board) for _ in range(20)]
    began = time.monotonic()
    code = board.stop(number)
    took = time.monotonic() - began
    for each in viewers:
        each.close()
    assert code == 0
    assert took < QUICK
    assert board.errors() == ""
    assert not (board.data / "board.json").exists()


def test_a_stopped_board_starts_again_on_the_same_port_at_once(board: Board) -> None:
    board.api.post("/api/tasks", {"task_id": "kept", "task_name": "Kept"})
    with closing(viewer(board)):
        assert board.stop() == 0
        board.restart()
    task = board.api.task("kept")
    assert task is not None
    assert task["task_name"] == "Kept"


def viewer(board: Board) -> socket.socket:
    """An open stream of events, as a page holds one."""
    sock = socket.create_connection(("127.0.0.1", board.port), timeout=10)
    sock.sendall(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    heard = b""
    while b"event: hello" not in heard:
        piece = sock.recv(4096)
        assert piece, "the stream of events ended before its first event"
        heard += piece
    return sock
