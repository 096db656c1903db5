"""`kill -9` of the board in the middle of jobs: no line lost, none twice, the bar goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import time

from tests.support.board import Board
from tests.support.until import until

STEPS = 4000
KILLS = 4
JOB = f"""
import time
for number in range(1, {STEPS} + 1):
    print(f"step {{number}}/{STEPS}", flush=True)
    if number % 10 == 0:
        time.sleep(0.01)
"""
TASK = "steps"


def current(board: Board, task_id: str = TASK) -> float:
    """What a task's bar stands at."""
    task = board.api.task(task_id)
    return (task["progress"]["current"] or 0) if task else 0


def test_killed_again_and_again_in_the_middle_of_a_job_no_line_is_lost_and_none_is_there_twice(board: Board) -> None:
    chance = random.Random(2)
    job = board.begin(sys.executable, "-c", JOB, options=["--task-id", TASK])
    try:
        for _ in range(KILLS):
            before = current(board)
            until(lambda before=before: current(board) > before, "the bar moves")  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.1))  # any moment of its work shall do
            board.kill9()
            board.restart()
        assert job.wait(60) == 0
    finally:
        job.kill()
        job.wait()
    until(lambda: (board.api.task(TASK) or {}).get("status") == "completed", "the task is completed", 30)
    task = board.api.task(TASK)
    assert task is not None
    assert (task["progress"]["current"], task["progress"]["percentage"]) == (STEPS, 100)
    assert board.api.lines(TASK) == [f"step {number}/{STEPS}" for number in range(1, STEPS + 1)]
    assert "Traceback" not in board.errors()


def test_a_job_that_ends_while_the_board_is_dead_is_there_when_it_starts_again(board: Board) -> None:
    board.kill9()
    done = board.run(sys.executable, "-c", JOB, options=["--task-id", TASK], stderr=subprocess.PIPE)
    assert done.returncode == 0
    board.restart()
    until(lambda: (board.api.task(TASK) or {}).get("status") == "completed", "the task is completed", 30)
    assert board.api.lines(TASK) == [f"step {number}/{STEPS}" for number in range(1, STEPS + 1)]


def test_what_was_acknowledged_is_there_after_a_kill(board: Board) -> None:
    acknowledged: list[str] = []
    for batch in range(20):
        messages = [f"batch {batch} line {line}" for line in range(100)]
        events = [{"timestamp": 1, "message": message} for message in messages]
        board.api.post("/api/logs/miyabi/jobs/kept", {"events": events})
        acknowledged += messages
    board.api.post("/api/tasks", {"task_id": "made", "task_name": "Made"})
    board.api.request("PATCH", "/api/tasks/made", {"task_name": "Renamed"})
    board.kill9()
    board.restart()
    until(lambda: board.api.task("kept"), "the stream is a task")
    assert board.api.lines("kept") == acknowledged
    made = board.api.task("made")
    assert made is not None
    assert made["task_name"] == "Renamed"
