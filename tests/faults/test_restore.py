"""`miyabi restore` beside a board that goes on, and killed in the middle of it."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.board import MIYABI, Board, environment
from tests.support.disk import small_disk
from tests.support.tasks import a_task
from tests.support.until import until
from tests.support.window import Terminal

from miyabi.database import Save
from miyabi.database.sqlite import FILE_NAME
from miyabi.database.sqlite_restore import HALF
from miyabi.database.sqlite_schema import SCHEMA
from miyabi.database.sqlite_writes import save_tasks
from miyabi.sqlite.connection import connect_writer

MANY = 20_000


def run(data: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [MIYABI, "restore", *options]
    return subprocess.run(command, env=environment(data, **settings), capture_output=True, text=True, check=False)


def content(file: Path) -> Sequence[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT task_id, timestamp, position, body FROM tasks ORDER BY task_id").fetchall()
        return rows


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A data folder with so many tasks that a restore takes a while."""
    with closing(connect_writer(tmp_path / FILE_NAME, SCHEMA, 5.0)) as connection:
        connection.execute("BEGIN")
        save_tasks(connection, [Save(a_task(f"t{n}", timestamp=1_700_000_000_000 + n)) for n in range(MANY)])
        connection.execute("COMMIT")
    return tmp_path


def test_a_board_goes_on_while_it_is_restored_and_starts_on_what_came_back(board: Board, tmp_path: Path) -> None:
    board.api.post("/api/tasks", {"task_id": "kept", "task_name": "Before"})
    board.api.request("PATCH", "/api/tasks/kept", {"task_name": "Before, too"})
    then = (board.api.task("kept") or {})["updated_at"]
    board.api.request("PATCH", "/api/tasks/kept", {"task_name": "After"})
    board.api.post("/api/tasks", {"task_id": "late", "task_name": "Late"})
    done = run(board.data, "--at", then, "--json", "--into", str(tmp_path / "then"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["right"], report["tasks"], report["at"]) == (True, 1, then)
    assert (board.api.task("kept") or {})["task_name"] == "After"
    board.stop()
    with closing(Board(board.data, MIYABI_DATABASE=report["setting"])) as again:
        assert (again.api.task("kept") or {})["task_name"] == "Before, too"
        assert again.api.task("late") is None


def test_killed_in_the_middle_it_leaves_the_original_as_it_was_and_says_what_to_remove(large: Path) -> None:
    before = content(large / FILE_NAME)
    then, half = large / "then", large / f"then{HALF}"
    process = subprocess.Popen(
        [MIYABI, "restore", "--at", "now", "--into", str(then)], env=environment(large), stderr=None
    )
    try:
        until((half / FILE_NAME).exists, "it has begun", pause=0.001)
    finally:
        process.kill()
        process.wait()
    assert half.exists()
    assert not then.exists()
    assert content(large / FILE_NAME) == before
    again = run(large, "--at", "now", "--into", str(then))
    assert again.returncode == 1
    assert f"{half} was left by a restore that was cut short" in again.stderr
    shutil.rmtree(half)
    assert run(large, "--at", "now", "--into", str(then)).returncode == 0
    assert content(then / FILE_NAME) == before


def test_on_a_full_disk_it_says_so_and_leaves_nothing(large: Path) -> None:
    with small_disk(large / "disk") as disk:
        done = run(large, "--at", "now", "--into", str(disk / "then"))
        assert done.returncode == 1
        assert "There is no room left for" in done.stderr
        assert list(disk.iterdir()) == []


def test_on_a_terminal_it_shows_how_far_it_is_and_what_to_do_then(large: Path) -> None:
    into = str(large / "then")
    terminal = Terminal([MIYABI, "restore", "--at", "now", "--into", into], environment(large))
    try:
        assert terminal.wait() == 0
    finally:
        terminal.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.shown.decode())
    for words in (f"{MANY:,} tasks", "checked: right", f"MIYABI_DATABASE=sqlite:{into}", f"rm -r {into}"):
        assert words in shown, shown


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--at", "noon"], 2, "write it like"),
        (["--at", "2999-01-01T00:00:00Z"], 2, "still to come"),
        (["--at", "40d ago"], 1, "can't be restored: only what was between"),
        (["--at", "now", "--into", "/proc/nowhere/then"], 1, "can't be made"),
    ],
)
def test_what_can_t_be_is_refused_in_a_line(large: Path, options: list[str], code: int, words: str) -> None:
    done = run(large, *options)
    assert done.returncode == code
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_there_begins_no_empty_board(tmp_path: Path) -> None:
    done = subprocess.run(
        [MIYABI, "up", "--port", "0"],
        env=environment(tmp_path, MIYABI_DATABASE=f"sqlite:{tmp_path / 'typo'}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, "there is no folder" in done.stderr) == (1, True)
