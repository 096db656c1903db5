"""``miyabi run`` without a terminal: the command runs as if alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.board import MIYABI, environment, run_line
from tests.support.store import marks, stored, texts
from tests.support.until import until

from miyabi.model import RunExit

BINARY = bytes(range(256)) * 4000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def run(data: Path, *command: str, **given: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        run_line(*command, options=["--task-id", "t"]), env=environment(data), capture_output=True, check=False, **given
    )


def sh(data: Path, script: str, **given: Any) -> subprocess.CompletedProcess[bytes]:
    return run(data, "sh", "-c", script, **given)


def begin(data: Path, script: str, **given: Any) -> subprocess.Popen[bytes]:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    command = run_line("sh", "-c", script, options=["--task-id", "t"])
    return subprocess.Popen(command, env=environment(data), **(pipes | given))


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_output_and_errors_stay_apart_and_the_exit_code_is_the_commands(data: Path) -> None:
    done = sh(data, "echo out; echo err >&2; exit 3")
    assert done.returncode == 3
    assert done.stdout == b"out\n"
    assert done.stderr.startswith(b"err\n\xe2\x9c\x97 failed (exit 3) in ")
    assert done.stderr.count(b"\n") == 2
    assert sorted(texts(stored(data)["t"])) == ["err", "out"]


def test_input_is_passed_on_and_bytes_of_any_kind_come_out_as_they_went_in(data: Path) -> None:
    done = run(data, "cat", input=BINARY)
    assert done.stdout == BINARY
    assert done.returncode == 0
    assert marks(stored(data)["t"])[-1].code == 0  # type: ignore[union-attr]


def test_a_line_of_a_megabyte_is_stored_whole(data: Path) -> None:
    done = run(data, "cat", input=b"x" * 1_000_000 + b"\nend\n")
    assert len(done.stdout) == 1_000_005
    assert texts(stored(data)["t"]) == ["x" * 1_000_000, "end"]


def test_order_is_kept_where_output_and_errors_go_to_one_place(data: Path, tmp_path: Path) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done"
    with (tmp_path / "log").open("wb") as log:
        subprocess.run(run_line("sh", "-c", script), env=environment(data), stdout=log, stderr=log, check=True)
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[:-1] == [f"{kind}{n}" for n in range(1, 10) for kind in "oe"]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("no-such-program", 127, "is not a command"),
        ("/no/such", 127, "is no such file"),
        ("/etc/passwd", 126, "may not be run"),
    ],
)
def test_a_command_that_cannot_start_ends_as_in_a_shell(data: Path, command: str, code: int, words: str) -> None:
    done = run(data, command)
    assert done.returncode == code
    assert words in done.stderr.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT])
def test_a_signal_sent_to_us_reaches_the_command(data: Path, number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    process = begin(data, f"trap 'echo got; exit 9' {name}; echo ready; while :; do sleep 0.02; done")
    assert first_line(process) == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert out == b"got\n"
    assert process.returncode == 9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGSEGV])
def test_death_of_the_command_by_a_signal_is_ours(data: Path, number: signal.Signals) -> None:
    done = sh(data, f"ulimit -c 0; kill -{int(number)} $$")
    assert done.returncode == -number
    assert number.name in done.stderr.decode()
    assert isinstance(end := marks(stored(data)["t"])[-1], RunExit)
    assert (end.code, end.signal) == (128 + number, number.name)


def test_what_was_ignored_when_we_started_stays_ignored(data: Path) -> None:
    script = "echo ready; while [ ! -e stop ]; do sleep 0.02; done; echo done"
    folder = data.parent
    process = subprocess.Popen(
        ["nohup", *run_line("sh", "-c", script)], cwd=folder, env=environment(data), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )  # fmt: skip
    assert first_line(process) == b"ready\n"
    process.send_signal(signal.SIGHUP)
    (folder / "stop").touch()
    out, _ = process.communicate(timeout=20)
    assert out == b"done\n"
    assert process.returncode == 0


def test_a_reader_that_goes_ends_the_command_as_it_would_without_us(data: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{MIYABI} run -- yes | head -2; echo ${{PIPESTATUS[0]}}"],
        env=environment(data), capture_output=True, timeout=60, check=True
    )  # fmt: skip
    assert done.stdout == b"y\ny\n%d\n" % (128 + signal.SIGPIPE)


def test_what_a_command_leaves_running_is_neither_awaited_nor_killed(data: Path, tmp_path: Path) -> None:
    left = tmp_path / "left"
    script = f"(while [ ! -e {left}.go ]; do sleep 0.02; done; echo late; echo x > {left}) & echo early"
    with (tmp_path / "out").open("wb") as out:
        begun = time.monotonic()
        subprocess.run(run_line("sh", "-c", script), env=environment(data), stdout=out, check=True)
    assert time.monotonic() - begun < 15
    left.with_suffix(".go").touch()
    until(left.exists, "the process that was left behind went on")
    until(lambda: (tmp_path / "out").read_bytes() == b"early\nlate\n", "its output still arrives")


def test_lines_are_taken_from_input_and_passed_on(data: Path) -> None:
    line = [MIYABI, "run", "--name", "N", "--task-id", "t", "-"]
    done = subprocess.run(line, env=environment(data), input=b"1/2\n2/2\n", capture_output=True, check=True)
    assert done.stdout == b"1/2\n2/2\n"
    assert texts(stored(data)["t"]) == ["1/2", "2/2"]
    start, end = marks(stored(data)["t"])
    assert (start.name, end.code) == ("N", None)  # type: ignore[union-attr]


def test_a_command_may_have_options_of_its_own_without_dashes_before_it(data: Path) -> None:
    done = subprocess.run(
        [MIYABI, "run", "echo", "-n", "--name"], env=environment(data), capture_output=True, check=True
    )
    assert done.stdout == b"--name"


@pytest.mark.parametrize("options", [["--task-id", "a/b"], ["--type", "Build It"], ["--project", ""]])
def test_options_that_cannot_be_used_are_refused_before_anything_runs(data: Path, options: list[str]) -> None:
    done = subprocess.run(
        run_line("echo", "ran", options=options), env=environment(data), capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert options[0] in done.stderr.decode()


def test_when_we_are_killed_the_lines_so_far_are_stored_and_the_end_is_unknown(data: Path) -> None:
    process = begin(data, "echo one; echo two; sleep 0.1; echo three >&2; exec sleep 60")
    assert first_line(process) == b"one\n"
    until(lambda: "three" in texts(stored(data).get("t", [])), "the lines are stored")
    process.kill()
    process.communicate(timeout=20)
    until(lambda: len(marks(stored(data)["t"])) == 2, "the end is stored")
    assert marks(stored(data)["t"])[1].code is None  # type: ignore[union-attr]
    assert texts(stored(data)["t"]) == ["one", "two", "three"]


def test_a_printed_line_is_stored_at_once_and_a_prompt_soon(data: Path) -> None:
    process = begin(data, "echo line; printf 'Name? '; read x; echo $x", stdin=subprocess.PIPE)
    until(lambda: "Name? \r" in [e.message for e in stored(data).get("t", [])], "the prompt is stored as it is")
    process.communicate(b"Ada\n", timeout=20)
    assert texts(stored(data)["t"]) == ["line", "Name? Ada"]


def test_a_burst_of_a_million_lines_comes_through_whole(data: Path) -> None:
    done = run(data, "seq", "1000000", timeout=60)
    assert done.stdout.count(b"\n") == 1_000_000
    until(lambda: not list((data / "spool").glob("*")), "all is sent", 60)
    assert texts(stored(data)["t"]) == [str(n) for n in range(1, 1_000_001)]


def test_descriptors_of_the_caller_are_not_kept_by_what_sends(data: Path) -> None:
    read, write = os.pipe()
    process = begin(data, "exec sleep 30", pass_fds=(write,))
    os.close(write)
    until(lambda: "t" in stored(data), "it runs")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert os.read(read, 1) == b""
    os.close(read)
