"""The board dies and comes back while its page is open."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from subprocess import DEVNULL, PIPE, Popen

import pytest
from playwright.sync_api import expect
from tests.support.board import Board, run_line
from tests.support.browser import Window

JOB = """
import sys
for number in range(1, 11):
    sys.stdin.readline()
    print(f"step {number}/10", flush=True)
"""


@pytest.fixture
def job(board: Board) -> Iterator[Popen[bytes]]:
    """A job of ten steps that makes one for each line it is given."""
    line = run_line(sys.executable, "-c", JOB, options=["--task-id", "steps", "--name", "Steps"])
    with Popen(line, env=board.env(), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL) as process:
        yield process


def step(job: Popen[bytes]) -> None:
    """Let the job make a step."""
    assert job.stdin is not None
    job.stdin.write(b"\n")
    job.stdin.flush()


def test_an_open_page_says_that_the_board_is_gone_and_goes_on_by_itself_when_it_is_back(
    board: Board, job: Popen[bytes], look: Callable[[str], Window]
) -> None:
    window = look(board.url)
    bar = window.bar("Steps")
    step(job)
    expect(bar).to_have_attribute("aria-valuenow", "10")
    board.kill9()
    expect(window.page.get_by_role("banner").get_by_text("Offline")).to_be_visible()
    expect(bar).to_have_attribute("aria-valuenow", "10")
    for _ in range(4):
        step(job)
    board.restart()
    expect(bar).to_have_attribute("aria-valuenow", "50", timeout=20_000)
    for _ in range(5):
        step(job)
    assert job.wait(20) == 0
    expect(window.row("Just ended", "Steps")).to_contain_text("Completed")
    assert board.api.lines("steps") == [f"step {number}/10" for number in range(1, 11)]
    shown = [value for value in window.percentages("Steps") if value is not None]
    assert shown == sorted(shown)
    window.expect_lost_connections()


def test_an_open_log_gets_every_line_once_over_a_crash(
    board: Board, job: Popen[bytes], look: Callable[[str], Window]
) -> None:
    board.api.post("/api/tasks", {"task_id": "steps", "task_name": "Steps"})
    window = look(f"{board.url}/tasks/steps")
    log = window.page.get_by_role("log")
    for _ in range(3):
        step(job)
    expect(log).to_contain_text("step 3/10")
    board.kill9()
    for _ in range(3):
        step(job)
    board.restart()
    expect(log).to_contain_text("step 6/10", timeout=20_000)
    for _ in range(4):
        step(job)
    assert job.wait(20) == 0
    expect(log).to_contain_text("step 10/10")
    text = log.inner_text().split("\n")
    assert [line for line in text if line.startswith("step ")] == [f"step {number}/10" for number in range(1, 11)]
    window.expect_lost_connections()
