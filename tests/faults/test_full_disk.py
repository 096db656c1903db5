"""A board whose disk is full: it says so, keeps what it acknowledged, and goes on when there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest
from tests.support.board import Board
from tests.support.disk import fill, small_disk
from tests.support.until import until

LINES = "/api/logs/miyabi/jobs/kept"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    with small_disk(tmp_path / "disk", "12m") as disk:
        yield disk


@pytest.fixture
def full(disk: Path) -> Iterator[Board]:
    """A board on it."""
    with ExitStack() as stack:
        yield stack.enter_context(closing(Board(disk / "data")))


def batch(number: int) -> list[str]:
    """A batch of lines that weighs something."""
    return [f"batch {number} line {line} ".ljust(400, "x") for line in range(100)]


def write_until_refused(board: Board) -> tuple[list[str], dict[str, object]]:
    """The lines that were acknowledged before the disk was full, and the refusal."""
    kept: list[str] = []
    for number in count():
        events = [{"timestamp": 1, "message": message} for message in batch(number)]
        answer = board.api.request("POST", LINES, {"events": events})
        if answer.status != 200:
            return kept, answer.json()
        kept += batch(number)
    raise AssertionError


def test_lines_are_refused_with_507_that_says_what_to_do_and_none_that_was_acknowledged_is_lost(
    full: Board, disk: Path
) -> None:
    ballast = fill(disk)
    ballast.write_bytes(bytes(6_000_000))
    kept, problem = write_until_refused(full)
    assert kept
    assert problem["status"] == 507
    assert str(disk / "data" / "logs.db") in str(problem["detail"])
    assert "Traceback" not in full.errors()

    ballast.unlink()
    more = [{"timestamp": 1, "message": "there is room again"}]
    full.api.post(LINES, {"events": more})
    until(lambda: full.api.task("kept"), "the collector goes on")
    assert full.api.lines("kept") == [*kept, "there is room again"]
    full.kill9()
    full.restart()
    assert full.api.lines("kept") == [*kept, "there is room again"]


def test_a_full_disk_is_still_read_and_health_names_what_suffers(full: Board, disk: Path) -> None:
    full.api.post("/api/tasks", {"task_id": "before", "task_name": "Before"})
    fill(disk)
    refused = until(lambda: refusal(full), "tasks are refused")
    assert refused["status"] == 507
    assert full.api.task("before") is not None
    assert full.api.get("/health")["services"]["gateway"]["status"] == "ok"


def test_a_command_on_a_full_disk_runs_unharmed_and_says_what_was_not_recorded(full: Board, disk: Path) -> None:
    fill(disk)
    done = full.run("seq", "200000", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0
    assert done.stdout == b"".join(b"%d\n" % number for number in range(1, 200001))
    assert b"Traceback" not in done.stderr
    assert b"full" in done.stderr.lower() or b"space" in done.stderr.lower()


def refusal(board: Board) -> dict[str, object] | None:
    """Make tasks until one is refused: SQLite may still have some room within its files."""
    answer = board.api.request("POST", "/api/tasks", {"task_name": "Too much", "description": "x" * 4000})
    return answer.json() if answer.status != 201 else None
