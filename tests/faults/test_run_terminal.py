"""``miyabi run`` in a terminal: keys, sizes, job control and bars, as without it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.board import MIYABI, environment, run_line
from tests.support.store import stored, texts
from tests.support.terminal import Screen, screen
from tests.support.until import until

SHELL = ["bash", "--norc", "--noprofile", "-i"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def shell(data: Path) -> Iterator[Screen]:
    """An interactive shell, with job control, at its first prompt."""
    env = environment(data, PS1="$? READY> ", TERM="dumb", PATH=f"{Path(MIYABI).parent}:{os.environ['PATH']}")
    with screen(SHELL, env) as shown:
        shown.expect(b"0 READY> ")
        yield shown


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_the_command_has_a_terminal_and_its_bytes_come_out_as_they_are(data: Path) -> None:
    script = "import os; print([os.isatty(n) for n in range(3)], '\\x1b[1mbold\\x1b[0m'); open('/dev/tty').close()"
    with screen(run_line(*python(script), options=["--task-id", "t"]), environment(data)) as shown:
        assert os.waitstatus_to_exitcode(shown.end()) == 0
        assert shown.text.startswith(b"[True, True, True] \x1b[1mbold\x1b[0m\r\n")
        assert shown.text.count(b"\r\n") == 2
    assert texts(stored(data)["t"]) == ["[True, True, True] \x1b[1mbold\x1b[0m"]


def test_the_window_has_its_size_and_a_change_reaches_the_command(data: Path) -> None:
    script = (
        "import os, signal\n"
        "size = lambda: print('size %d %d' % os.get_terminal_size(), flush=True)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})\n"  # none is missed before it is waited for
        "size()\n"
        "print('listening', flush=True)\n"
        "signal.sigwait({signal.SIGWINCH})\n"
        "size()"
    )
    with screen(run_line(*python(script)), environment(data), rows=31, columns=97) as shown:
        shown.expect(b"listening")
        assert b"size 97 31" in shown.text
        shown.resize(40, 120)
        shown.expect(b"size 120 40")
        assert os.waitstatus_to_exitcode(shown.end()) == 0


def test_keys_reach_the_command_without_being_shown_by_us(data: Path) -> None:
    script = "import getpass; print('<' + getpass.getpass('Secret: ') + '>', input('Name: '))"
    with screen(run_line(*python(script), options=["--task-id", "t"]), environment(data)) as shown:
        shown.expect(b"Secret: ")
        shown.press(b"abc\r")
        shown.expect(b"Name: ")
        shown.press(b"Ada\r")
        shown.expect(b"<abc> Ada")
        assert os.waitstatus_to_exitcode(shown.end()) == 0
        assert shown.text.count(b"abc") == 1


def test_ctrl_c_interrupts_the_command_alone_and_its_last_words_are_kept(data: Path) -> None:
    script = (
        "import time\n"
        "try: print('ready', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt: print('bye'); raise SystemExit(7)"
    )
    with screen(run_line(*python(script), options=["--task-id", "t"]), environment(data)) as shown:
        shown.expect(b"ready")
        shown.press(b"\x03")
        assert os.waitstatus_to_exitcode(shown.end()) == 7
    assert texts(stored(data)["t"])[-1].endswith("bye")


def test_a_command_that_ctrl_c_kills_is_seen_by_the_shell_as_killed(shell: Screen) -> None:
    shell.press(b"miyabi run -- sh -c 'echo go; exec sleep 60'\r")
    at = shell.expect(b"\r\ngo")
    shell.press(b"\x03")
    shell.expect(b"130 READY> ", at)


def test_ctrl_backslash_quits_the_command(shell: Screen) -> None:
    shell.press(b"ulimit -c 0; miyabi run -- sh -c 'echo go; exec sleep 60'\r")
    at = shell.expect(b"\r\ngo")
    shell.press(b"\x1c")
    shell.expect(b"131 READY> ", at)


def test_ctrl_z_stops_the_job_and_fg_goes_on_with_it(shell: Screen) -> None:
    before = shell.modes()
    shell.press(b"miyabi run --task-id t -- sh -c 'echo go; read x; echo got $x; read y; echo then $y'\r")
    at = shell.expect(b"\r\ngo")
    shell.press(b"\x1a")
    at = shell.expect(b"Stopped", at)
    at = shell.expect(b"READY> ", at)
    shell.press(b"echo cooked\r")
    at = shell.expect(b"\r\ncooked", at)
    assert shell.modes()[1] == before[1]
    shell.press(b"fg\r")
    at = shell.expect(b"miyabi run", at)
    shell.press(b"one\r")
    at = shell.expect(b"got one", at)
    shell.press(b"\x1a")
    at = shell.expect(b"Stopped", at)
    shell.press(b"fg\r")
    at = shell.expect(b"miyabi run", at)
    shell.press(b"two\r")
    at = shell.expect(b"then two", at)
    shell.expect(b"0 READY> ", at)


def test_in_the_background_it_runs_and_leaves_the_keyboard_to_the_shell(shell: Screen) -> None:
    shell.press(b"miyabi run -- sh -c 'echo be''gun; sleep 0.5; echo fin''ished' &\r")
    at = shell.expect(b"begun")
    shell.press(b"echo ty''ped\r")
    shell.expect(b"typed", at)
    at = shell.expect(b"finished", at)
    at = shell.expect(b"completed in", at)
    shell.press(b"wait; jobs; echo no''thing-stopped\r")
    at = shell.expect(b"nothing-stopped", at)
    assert b"Stopped" not in shell.text


def test_a_job_sent_to_the_background_runs_on_there(shell: Screen) -> None:
    # bash, since dash itself hangs for ever where the key stops its child between vfork and exec
    shell.press(b"miyabi run -- bash -c 'echo go; sleep 1; echo fin''ished'\r")
    at = shell.expect(b"\r\ngo")
    shell.press(b"\x1a")
    at = shell.expect(b"Stopped", at)
    shell.press(b"bg\r")
    at = shell.expect(b"finished", at)
    shell.expect(b"completed in", at)


def test_a_pager_behind_us_keeps_the_keyboard(shell: Screen) -> None:
    shell.press(b"miyabi run -- seq 3 | sh -c 'cat; read k < /dev/tty; echo key $k'\r")
    at = shell.expect(b"3\r\n")
    shell.expect(b"completed in", at)
    shell.press(b"space\r")
    shell.expect(b"key space", at)


def test_only_the_output_in_a_terminal_still_draws_bars(shell: Screen) -> None:
    shell.press(b"echo x | miyabi run -- sh -c 'test -t 1 && echo b''ar; test -t 0 || echo pi''ped'\r")
    at = shell.expect(b"bar\r\n")
    shell.expect(b"piped\r\n", at)
    shell.expect(b"completed in", at)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_us_reaches_the_command_and_the_terminal_is_restored(
    shell: Screen, number: signal.Signals, tmp_path: Path
) -> None:
    before = shell.modes()
    file = tmp_path / "pid"
    shell.press(f"sh -c 'echo $$ > {file}; exec miyabi run -- sleep 60'\r".encode())
    until(lambda: file.exists() and file.read_text().strip(), "it has begun")
    until(lambda: shell.modes()[3] != before[3], "the terminal is raw")
    until(lambda: _sleeps(int(file.read_text())), "the command runs")
    os.kill(int(file.read_text()), number)
    shell.expect(b"%d READY> " % (128 + number))
    shell.press(b"echo coo''ked\r")
    shell.expect(b"cooked")


def test_when_we_are_killed_the_terminal_is_restored(shell: Screen, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    shell.press(f"stty -a > {tmp_path}/before; sh -c 'echo $$ > {file}; exec miyabi run -- sleep 60'\r".encode())
    until(lambda: file.exists() and file.read_text().strip() and _sleeps(int(file.read_text())), "the command runs")
    os.kill(int(file.read_text()), signal.SIGKILL)
    at = shell.expect(b"137 READY> ")
    shell.press(b"sleep 0.5; stty -a | cmp - %s/before && echo sa''me\r" % str(tmp_path).encode())
    shell.expect(b"same", at)


def _sleeps(pid: int) -> bool:
    """Whether a descendant of ``pid`` is the sleeping command."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        name = Path(f"/proc/{child}/comm").read_text().strip()
        if name == "sleep" or _sleeps(int(child)):
            return True
    return False
