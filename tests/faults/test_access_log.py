"""The access log of a real board: there when it is asked for, and never in the way."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

from tests.support.board import Board, Service, environment
from tests.support.until import until


def test_a_board_on_a_terminal_of_ones_own_is_quiet(tmp_path: Path) -> None:
    with closing(Board(tmp_path / "data")) as board:
        board.api.get("/api/tasks")
        board.stop()
        assert board.errors() == ""


def test_each_answer_is_a_line_of_json(tmp_path: Path) -> None:
    with closing(Board(tmp_path / "data", MIYABI_ACCESS_LOG="yes")) as board:
        for number in range(3):
            board.api.request("GET", f"/api/tasks/none-{number}?token=hidden")
        board.stop()
        lines = [json.loads(line) for line in board.errors().splitlines()]
    assert [line["path"] for line in lines] == [f"/api/tasks/none-{number}" for number in range(3)]
    assert {line["status"] for line in lines} == {400}
    assert all(line["request_id"] for line in lines)


def test_whoever_reads_the_log_and_stands_still_holds_up_nobody(tmp_path: Path) -> None:
    read, write = os.pipe()
    try:
        env = environment(tmp_path / "data", MIYABI_ACCESS_LOG="yes")
        with closing(Service("up", env=env, errors=write)) as board:
            full = os.fpathconf(write, "PC_PIPE_BUF")
            for _ in range(65536 // 200 + full // 200):
                board.api.request("GET", "/api/tasks", **{"user-agent": "x" * 200})
            until(lambda: board.api.request("GET", "/health").status == 200, "it answers")
            assert board.stop() == 0
    finally:
        os.close(read)
        os.close(write)
