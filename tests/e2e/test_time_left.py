"""How long a job still takes, and that it has stopped, as seen on the board."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from playwright.sync_api import expect
from tests.support.board import Board, run_line
from tests.support.browser import Window
from tests.support.window import Terminal

JOB = """
for n in $(seq 1 24); do
  echo "[$n/24] Compiling module_$n.c"
  sleep 0.1
  while [ $n = 12 ] && [ -e "$1" ]; do echo waiting for a lock; sleep 0.2; done
done
"""
STOPPED_MS = 40_000


def test_a_running_job_tells_what_is_left_and_when_it_has_stopped(
    board: Board, look: Callable[[str], Window], tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    script = tmp_path / "job.sh"
    script.write_text(JOB)
    window = look(board.url)
    line = run_line("sh", str(script), str(lock), options=["--name", "Job", "--task-id", "job"])
    with closing(Terminal(line, board.env())) as run:
        row = window.row("Running", "Job")
        expect(row.get_by_text(re.compile(r"^(?:under|about)? ?\d.* left$"))).to_be_visible()
        expect(row.get_by_text(re.compile(r"^No progress for \d+ s$"))).to_be_visible(timeout=STOPPED_MS)
        expect(row.get_by_text(re.compile(r" left$"))).to_have_count(0)
        window.page.get_by_role("link", name="Job", exact=True).click()
        expect(window.page.get_by_text(re.compile("Until now the longest wait was"))).to_be_visible()
        lock.unlink()
        expect(window.page.get_by_text(re.compile("No progress for"))).to_have_count(0)
        assert run.wait() == 0
    expect(window.page.get_by_role("main").get_by_text("Completed", exact=True)).to_be_visible()


def test_the_second_run_of_a_command_is_told_from_the_first(
    board: Board, look: Callable[[str], Window], tmp_path: Path
) -> None:
    script = tmp_path / "job.sh"
    script.write_text(JOB)
    for name in ("first", "second"):
        line = run_line("sh", str(script), str(tmp_path / "no-lock"), options=["--name", "Job", "--task-id", name])
        window = look(f"{board.url}/tasks") if name == "first" else look(f"{board.url}/tasks/first")
        with closing(Terminal(line, board.env())) as run:
            if name == "second":
                window.page.goto(f"{board.url}/")
                window.page.get_by_role("region", name="Running").get_by_role("link", name="Job").click()
                expect(window.page.get_by_text("From the pace of this run and 1 earlier run")).to_be_visible()
            assert run.wait() == 0
