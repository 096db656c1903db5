"""Much at once: lines, long lines, bytes that are no text, jobs, processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import pytest
from tests.support.board import Board, environment, run_line
from tests.support.until import until

MILLION = 1_000_000
BURST = f"""
lines = (f"step {{n // 1000}}/1000" if n % 1000 == 0 else f"wrote unit {{n}} of the batch to disk"
         for n in range(1, {MILLION} + 1))
print("\\n".join(lines))
"""
ANSWER_SECONDS = 2.0
"""A board under a flood answers others within this, on a machine that has other things to do."""
JOBS = 200


def ended(board: Board, task_id: str, seconds: float = 60.0) -> dict[str, Any]:
    """The task once it has ended."""

    def task() -> dict[str, Any] | None:
        found = board.api.task(task_id)
        return found if found and "completed_at" in found else None

    return until(task, f"{task_id} has ended", seconds)


def burst_line(number: int) -> str:
    """One line of the burst: every thousandth is a step."""
    return f"step {number // 1000}/1000" if number % 1000 == 0 else f"wrote unit {number} of the batch to disk"


@pytest.mark.timeout(240)
def test_a_million_lines_in_one_burst_are_all_there_in_order_and_the_board_answers_meanwhile(board: Board) -> None:
    slowest = [0.0]
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            began = time.monotonic()
            board.api.get("/api/tasks")
            slowest.append(time.monotonic() - began)

    others = threading.Thread(target=ask)
    others.start()
    try:
        done = board.run(sys.executable, "-c", BURST, options=["--task-id", "burst"])
        assert done.returncode == 0
        task = ended(board, "burst", 200)
    finally:
        over.set()
        others.join()
    assert task["status"] == "completed"
    assert (task["progress"]["current"], task["progress"]["total"]) == (1000, 1000)
    assert board.api.lines("burst") == [burst_line(number) for number in range(1, MILLION + 1)]
    assert max(slowest) < ANSWER_SECONDS


def test_a_line_of_a_megabyte_is_stored_whole_and_what_follows_is_read(board: Board) -> None:
    code = f"print('x' * {MILLION}); print('step 3/4')"
    board.run(sys.executable, "-c", code, options=["--task-id", "long"])
    assert ended(board, "long")["progress"]["current"] == 3
    assert board.api.lines("long") == ["x" * MILLION, "step 3/4"]


def test_a_line_longer_than_a_log_can_hold_comes_as_several(board: Board) -> None:
    code = f"print('y' * {7 * MILLION // 2}); print('step 3/4')"
    board.run(sys.executable, "-c", code, options=["--task-id", "longer"])
    assert ended(board, "longer")["progress"]["current"] == 3
    *pieces, last = board.api.lines("longer")
    assert "".join(pieces) == "y" * (7 * MILLION // 2)
    assert last == "step 3/4"


def test_binary_output_harms_nothing(board: Board) -> None:
    code = "import os, random; os.write(1, random.Random(3).randbytes(1 << 20)); print(); print('step 3/4')"
    done = board.run(sys.executable, "-c", code, options=["--task-id", "binary"], stdout=subprocess.PIPE)
    assert len(done.stdout) == (1 << 20) + len("\nstep 3/4\n")
    assert ended(board, "binary")["status"] == "completed"
    assert board.api.lines("binary")[-1] == "step 3/4"
    assert "Traceback" not in board.errors()


def test_two_hundred_jobs_at_once_each_end_with_their_own_lines(board: Board) -> None:
    script = "for n in 1 2 3 4 5; do echo step $n/5 of $0; sleep 0.2; done"
    jobs = [board.begin("sh", "-c", script, f"job-{n}", options=["--task-id", f"job-{n}"]) for n in range(JOBS)]
    try:
        assert [job.wait(100) for job in jobs] == [0] * JOBS
    finally:
        for job in jobs:
            job.kill()
            job.wait()
    until(lambda: len(board.api.tasks("&status=completed")) == JOBS, "all jobs are completed", 60)
    for task in board.api.tasks():
        assert (task["progress"]["current"], task["progress"]["total"]) == (5, 5)
        lines = [f"step {n}/5 of {task['task_id']}" for n in range(1, 6)]
        assert board.api.lines(task["task_id"]) == lines


def test_three_processes_write_one_folder_without_a_board_and_the_board_shows_them_when_it_starts(
    tmp_path: Path,
) -> None:
    data, count = tmp_path / "data", 20_000
    jobs = [
        Popen(
            run_line("seq", "-f", f"line %.0f/{count}", str(count), options=["--task-id", name]),
            env=environment(data),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        for name in ("one", "two", "three")
    ]
    assert [job.wait(60) for job in jobs] == [0, 0, 0]
    with closing(Board(data)) as board:
        for name in ("one", "two", "three"):
            task = ended(board, name)
            assert (task["status"], task["progress"]["current"]) == ("completed", count)
            assert board.api.lines(name) == [f"line {number}/{count}" for number in range(1, count + 1)]
