"""What ``miyabi run`` does when the board, or the disk, is not as it should be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from tests.support.board import MIYABI, Board, environment, run_line
from tests.support.disk import fill, small_disk
from tests.support.store import marks, stored, texts
from tests.support.until import until

from miyabi.model import NewEvent, RunExit, read_marker

FILLING = "echo first; read go; seq 200000; read go; echo last"
COUNT = "i=0; while [ $i -lt {n} ]; do i=$((i+1)); echo line $i; sleep {pause}; done"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


class Receiver(ThreadingHTTPServer):
    """A board's way in for lines, that keeps what it gets and answers as it is told."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.status = 200
        self.lines: dict[tuple[str, int], str] = {}
        self.headers: list[dict[str, str]] = []
        self.deaf = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def texts(self) -> list[str]:
        """Finished lines in their order."""
        lines = [text for _, text in sorted(self.lines.items())]
        return [text for text in lines if not text.endswith("\r") and read_marker(text) is None]

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()


class _Body(msgspec.Struct):
    events: list[NewEvent]
    writer: dict[str, str | int]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])), type=_Body)
        self.server.headers.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        if self.server.status == 200:
            writer, first = str(body.writer["id"]), int(body.writer["sequence"])
            for number, event in enumerate(body.events, first):
                assert self.server.lines.setdefault((writer, number), event.message) == event.message
        if self.server.deaf:
            self.server.deaf -= 1
            self.close_connection = True
            return
        text = b'{"detail": "as told"}'
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with closing(Receiver()) as server:
        yield server


def sh(data: Path, script: str, *options: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    command = run_line("sh", "-c", script, options=["--task-id", "t", *options])
    return subprocess.run(command, env=environment(data, **more), capture_output=True, check=False, timeout=60)


def begin(data: Path, script: str, *options: str) -> subprocess.Popen[bytes]:
    command = run_line("sh", "-c", script, options=["--task-id", "t", *options])
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=environment(data), stdin=quiet, stdout=quiet, stderr=subprocess.PIPE)


def flush(data: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MIYABI, "flush"], env=environment(data, **more), capture_output=True, text=True, check=False, timeout=60
    )


def spools(data: Path) -> list[Path]:
    return list((data / "spool").glob("*"))


def test_lines_go_to_the_address_that_is_given_with_the_token(data: Path, receiver: Receiver) -> None:
    done = sh(data, "echo one; echo two", "--url", receiver.url, MIYABI_TOKEN="secret")
    assert receiver.texts() == ["one", "two"]
    assert f"{receiver.url}/tasks/t".encode() in done.stderr
    assert receiver.headers[0]["path"] == "/api/logs/%2Fmiyabi%2Fjobs/t"
    assert receiver.headers[0]["authorization"] == "Bearer secret"
    assert spools(data) == []


def test_a_batch_whose_answer_was_lost_is_sent_again_under_the_same_numbers(data: Path, receiver: Receiver) -> None:
    receiver.deaf = 2
    sh(data, COUNT.format(n=20, pause=0.02), "--url", receiver.url)
    assert receiver.texts() == [f"line {n}" for n in range(1, 21)]
    numbers = sorted(number for _, number in receiver.lines)
    assert numbers == list(range(len(numbers)))


def test_a_board_that_cannot_be_reached_harms_nothing_and_the_lines_are_sent_later(data: Path, nobody: str) -> None:
    begun = time.monotonic()
    done = sh(data, "echo one; echo err >&2; exit 4", "--url", nobody)
    assert time.monotonic() - begun < 8
    assert (done.returncode, done.stdout) == (4, b"one\n")
    assert b"can't be reached" in done.stderr
    assert b"miyabi flush" in done.stderr
    assert spools(data) != []
    assert flush(data).returncode == 1
    with closing(Receiver(int(nobody.rpartition(":")[2]))) as receiver:
        assert "1 run" in flush(data).stdout
        assert sorted(receiver.texts()) == ["err", "one"]
        assert isinstance(end := read_marker(receiver.lines[max(receiver.lines)]), RunExit)
        assert end.code == 4
    assert spools(data) == []
    assert "Nothing waits" in flush(data).stdout


def test_any_later_run_sends_what_waits(data: Path, nobody: str) -> None:
    sh(data, "echo waiting", "--url", nobody)
    with closing(Receiver(int(nobody.rpartition(":")[2]))) as receiver:
        sh(data, "echo now")
        until(lambda: receiver.texts() == ["waiting"], "the next run has sent it")
        until(lambda: spools(data) == [], "nothing is left")


def test_two_that_flush_at_once_send_everything_once(data: Path, nobody: str) -> None:
    sh(data, "seq 20000", "--url", nobody)
    with closing(Receiver(int(nobody.rpartition(":")[2]))) as receiver:
        command = [MIYABI, "flush"]
        both = [subprocess.Popen(command, env=environment(data), stdout=subprocess.DEVNULL) for _ in range(2)]
        assert {process.wait(60) for process in both} == {0}
        assert receiver.texts() == [str(n) for n in range(1, 20001)]
    assert spools(data) == []


@pytest.mark.parametrize("status", [503, 507, 429])
def test_a_board_that_is_busy_or_full_gets_the_lines_when_it_has_room(
    data: Path, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    process = begin(data, COUNT.format(n=40, pause=0.05), "--url", receiver.url)
    until(lambda: len(receiver.headers) >= 2, "it has been tried twice")
    receiver.status = 200
    process.communicate(timeout=60)
    assert receiver.texts() == [f"line {n}" for n in range(1, 41)]


def test_a_refusal_is_told_and_the_lines_wait(data: Path, receiver: Receiver) -> None:
    receiver.status = 401
    done = sh(data, "echo one", "--url", receiver.url)
    assert b"answers 401: as told" in done.stderr
    assert spools(data) != []


def test_a_slow_board_does_not_slow_the_command(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        process = begin(data, "seq 300000", "--url", f"http://127.0.0.1:{mute.getsockname()[1]}")
        ended = until(lambda: process.poll() is not None, "it ends though nobody answers", 30)
        assert ended
        assert process.stderr is not None
        process.stderr.close()
        for pid in _senders(data):
            os.kill(pid, signal.SIGKILL)


def _senders(data: Path) -> list[int]:
    """Processes that still have a spool of ``data`` open."""
    found = []
    for place in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(place.readlink()).startswith(f"{data}/spool/"):
                found.append(int(place.parts[2]))
        except OSError:
            continue
    return sorted(set(found))


def test_a_sender_that_is_killed_leaves_the_rest_to_the_next(data: Path, receiver: Receiver) -> None:
    receiver.status = 503
    process = begin(data, "seq 5000; sleep 1", "--url", receiver.url)
    until(lambda: receiver.headers, "it sends")
    senders = [pid for pid in _senders(data) if pid != process.pid]
    for pid in senders:
        os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"waits on disk" in errors
    receiver.status = 200
    assert flush(data).returncode == 0
    assert receiver.texts() == [str(n) for n in range(1, 5001)]


def test_when_the_board_is_killed_the_run_goes_on_past_it_and_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    with closing(Board(tmp_path / "data")) as board:
        process = begin(board.data, COUNT.format(n=400, pause=0.01))
        until(lambda: board.api.task("t") and len(board.api.lines("t")) > 20, "lines arrive through the board")
        board.kill9()
        until(lambda: len(texts(stored(board.data)["t"])) > 150, "lines arrive past it")
        board.restart()
        process.communicate(timeout=60)
        assert board.api.lines("t") == [f"line {n}" for n in range(1, 401)]
        until(lambda: (board.api.task("t") or {}).get("status") == "completed", "the board knows the end")


def test_without_a_board_the_lines_are_in_the_folder_and_the_board_shows_them_later(tmp_path: Path) -> None:
    done = sh(tmp_path / "data", "echo 3/4; exit 1")
    assert b"`miyabi up` shows it" in done.stderr
    with closing(Board(tmp_path / "data")) as board:
        task = until(lambda: board.api.task("t"), "the board knows the task")
        assert board.api.lines("t") == ["3/4"]
        until(lambda: (board.api.task("t") or {}).get("status") == "failed", "and how it ended")
        assert task["task_id"] == "t"


def test_a_full_disk_leaves_the_command_alone_and_says_what_is_missing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, closing(Receiver()) as receiver:
        process = subprocess.Popen(
            run_line("sh", "-c", FILLING, options=["--url", receiver.url]),
            env=environment(disk), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"first\n"
        until(lambda: receiver.texts() == ["first"], "the first line is sent")
        ballast = fill(disk)
        process.stdin.write(b"\n")
        process.stdin.flush()
        for number in range(1, 200_001):
            assert process.stdout.readline() == b"%d\n" % number
        ballast.unlink()
        time.sleep(1.1)  # the time until the disk is tried again
        process.stdin.write(b"\n")
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, b"last\n")
        assert b"were not recorded (no space left on device)" in errors
        lines = receiver.texts()
        assert any("bytes of output were not recorded here" in line for line in lines)
        assert lines[-1] == "last"


def test_a_folder_that_cannot_be_written_is_told_and_the_command_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = sh(tmp_path / "file" / "data", "echo one; exit 5")
    assert (done.returncode, done.stdout) == (5, b"one\n")
    assert b"nothing was recorded" in done.stderr


@pytest.mark.timeout(300)
def test_two_hundred_jobs_at_once_all_arrive(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    env = environment(folder)
    jobs = [
        subprocess.Popen(
            run_line("sh", "-c", f"echo {n}; echo 1/2; echo 2/2", options=["--task-id", f"job-{n}"]),
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for n in range(200)
    ]  # fmt: skip
    assert {job.wait(240) for job in jobs} == {0}
    until(lambda: spools(folder) == [], "all is sent", 60)
    found = stored(folder)
    assert {name: texts(events) for name, events in found.items()} == {
        f"job-{n}": [str(n), "1/2", "2/2"] for n in range(200)
    }
    assert all(marks(events)[-1].code == 0 for events in found.values())  # type: ignore[union-attr]
