"""Real tools under `miyabi run`, watched on their task's page."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.support.board import Board, run_line
from tests.support.browser import Window
from tests.support.index import package_index
from tests.support.window import Terminal

SUITE = """
import time
import pytest

@pytest.mark.parametrize("number", range(40))
def test_number(number):
    time.sleep(0.05)
    assert number != {broken}
"""
MEGABYTES = 24


def watch(board: Board, look: Callable[[str], Window], task_id: str, name: str) -> Window:
    """The page of a task that is to begin."""
    board.api.post("/api/tasks", {"task_id": task_id, "task_name": name})
    return look(f"{board.url}/tasks/{task_id}")


def pytest_run(board: Board, folder: Path, broken: int) -> int:
    """A run of pytest over a suite of forty, in which one may be broken."""
    (folder / "test_suite.py").write_text(SUITE.format(broken=broken))
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    with closing(Terminal(run_line(*command, options=["--task-id", "suite", "--name", "Suite"]), board.env())) as run:
        return run.wait()


def test_a_pytest_run_that_passes_is_followed_to_100_percent_and_completed(
    board: Board, look: Callable[[str], Window], tmp_path: Path
) -> None:
    window = watch(board, look, "suite", "Suite")
    assert pytest_run(board, tmp_path, broken=-1) == 0
    main = window.page.get_by_role("main")
    expect(main.get_by_text("Completed", exact=True)).to_be_visible()
    expect(window.bar("Suite")).to_have_attribute("aria-valuenow", "100")
    expect(window.page.get_by_role("log")).to_contain_text("40 passed")
    shown = [value for value in window.percentages("Suite") if value is not None]
    assert shown == sorted(shown)
    assert len(set(shown)) >= 10, f"a bar that moved too rarely: {shown}"


def test_a_pytest_run_that_fails_shows_why(board: Board, look: Callable[[str], Window], tmp_path: Path) -> None:
    window = watch(board, look, "suite", "Suite")
    assert pytest_run(board, tmp_path, broken=31) == 1
    why = window.page.get_by_role("region", name="Why it failed")
    expect(why).to_contain_text(re.compile(r"test_number\[31\]|1 failed, 39 passed"))
    expect(window.page.get_by_role("main").get_by_text("Failed", exact=True)).to_be_visible()


def test_a_pip_download_moves_a_bar_by_what_has_come(
    board: Board, look: Callable[[str], Window], tmp_path: Path
) -> None:
    window = watch(board, look, "download", "Download")
    with package_index("bigparcel", MEGABYTES, megabytes_a_second=8) as index:
        pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir"]
        words = [*pip, "download", "--no-deps", "--index-url", index, "--dest", str(tmp_path), "bigparcel"]
        options = ["--task-id", "download", "--name", "Download"]
        with closing(Terminal(run_line(*words, options=options), board.env())) as run:
            assert run.wait() == 0
    assert list(tmp_path.glob("bigparcel-*.whl"))
    expect(window.page.get_by_role("main").get_by_text("Completed", exact=True)).to_be_visible()
    expect(window.page.get_by_role("log")).to_contain_text("Successfully downloaded bigparcel")
    shown = [value for value in window.percentages("Download") if value is not None]
    assert shown == sorted(shown)
    assert len(set(shown)) >= 5, f"a bar that moved too rarely: {shown}"
    assert shown[-1] >= 90


@pytest.mark.parametrize("code", [0, 3])
def test_a_job_that_says_no_figure_claims_none_and_ends_by_its_exit_code(
    board: Board, look: Callable[[str], Window], code: int
) -> None:
    window = watch(board, look, "quiet", "Quiet")
    options = ["--task-id", "quiet", "--name", "Quiet"]
    assert board.run("sh", "-c", f"echo thinking; exit {code}", options=options).returncode == code
    main = window.page.get_by_role("main")
    expect(main.get_by_text("Failed" if code else "Completed", exact=True)).to_be_visible()
    expect(main.get_by_text("No progress figure", exact=True)).to_be_visible()
    assert set(window.percentages("Quiet")) == {None}
