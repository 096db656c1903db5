"""Clients that are slow, large or many cost a service little, and are let go."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from tests.support.board import Board
from tests.support.until import until
from tests.support.wire import dial, drain, statuses, talk

HOST = b"Host: 127.0.0.1\r\n"
SMALL = {
    "MIYABI_HEADER_SECONDS": "0.5",
    "MIYABI_BODY_SECONDS": "0.5",
    "MIYABI_IDLE_SECONDS": "1",
    "MIYABI_ANSWER_SECONDS": "1",
    "MIYABI_MAX_URL_BYTES": "1000",
    "MIYABI_MAX_HEADER_BYTES": "4000",
}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board of little patience."""
    with closing(Board(tmp_path_factory.mktemp("slow") / "data", **SMALL)) as board:
        yield board


def sockets(board: Board) -> int:
    """How many connections the board holds."""
    found = 0
    for each in Path(f"/proc/{board.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += str(each.readlink()).startswith("socket:")
    return found


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET /health HTTP/1.1\r\nHost: a", b"\r\n"])
def test_a_head_that_never_ends_is_not_waited_for(board: Board, sent: bytes) -> None:
    answer = talk(board.port, sent)
    assert statuses(answer) == ([408] if b"GET" in sent else [])


def test_a_body_that_never_ends_is_not_waited_for(board: Board) -> None:
    head = b"POST /api/tasks HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    assert statuses(talk(board.port, head, b'{"task_name":')) == [408]


def test_an_idle_connection_is_ended(board: Board) -> None:
    assert statuses(talk(board.port, b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")) == [200]


def test_a_body_that_nobody_wants_is_not_read_for_ever(board: Board) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000000\r\n\r\n"
    assert statuses(talk(board.port, head, b"x" * 100_000)) == [405]


START = b"GET / HTTP/1.1\r\n" + HOST
CHUNKS = b"POST /api/tasks HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 1001, 414),
        (START + b"X-One: " + b"a" * 4001 + b"\r\n\r\n", 431),
        (START + b"A: 1\r\n" * 100 + b"\r\n", 431),
        (START + b"X-One: a\r\n" * 400 + b"\r\n", 431),
    ],
)
def test_a_head_has_its_size(board: Board, sent: bytes, status: int) -> None:
    assert statuses(talk(board.port, sent)) == [status]


@pytest.mark.parametrize("begin", [b"GET /?a=", START + b"X-One: ", START, CHUNKS + b"0\r\nX: ", CHUNKS + b"1;"])
def test_what_does_not_end_is_not_kept(board: Board, begin: bytes) -> None:
    """A client that is still sending may not see the answer; the connection ends before its time is over."""
    with dial(board.port) as sock, suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(begin)
        sock.sendall(b"a" * 1_000_000)
        assert statuses(drain(sock)) in ([414], [431], [415, 431], [415], [])
    assert board.api.get("/health")["status"] == "ok"


def test_who_takes_nothing_of_an_answer_is_let_go(board: Board) -> None:
    lines = [{"timestamp": 1_700_000_000_000, "message": "x" * 900} for _ in range(1000)]
    for _ in range(9):
        board.api.post("/api/logs/miyabi%2Fjobs/much", {"events": lines})
    until(lambda: board.api.task("much"), "the task is known")
    before = sockets(board)
    with ExitStack() as stack:
        readers = [stack.enter_context(dial(board.port)) for _ in range(3)]
        for reader in readers:
            reader.sendall(b"GET /api/tasks/much/logs?limit=10000 HTTP/1.1\r\n" + HOST + b"\r\n")
        until(lambda: sockets(board) <= before, "all of them are let go")
        assert all(len(drain(reader)) < 8_000_000 for reader in readers)


def test_a_stream_that_nobody_reads_is_ended(board: Board) -> None:
    before = sockets(board)
    much = {"much": "x" * 15_000}
    with dial(board.port, window=4096) as reader:
        reader.sendall(b"GET /api/events HTTP/1.1\r\n" + HOST + b"\r\n")
        numbers = itertools.count()

        def let_go() -> bool:
            board.api.post("/api/tasks", {"task_id": f"t{next(numbers)}", "task_name": "much", "metadata": much})
            return sockets(board) <= before

        until(let_go, "it is let go", pause=0)


def test_past_the_number_of_connections_one_is_told_to_come_later(tmp_path: Path) -> None:
    with closing(Board(tmp_path / "data", MIYABI_MAX_CONNECTIONS="3")) as board, ExitStack() as stack:
        held = [stack.enter_context(dial(board.port)) for _ in range(3)]
        for sock in held:
            sock.sendall(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
            assert sock.recv(12) == b"HTTP/1.1 200"
        answer = talk(board.port)
        assert statuses(answer) == [503]
        assert b"retry-after: 5\r\n" in answer
        held[0].close()
        until(lambda: statuses(talk(board.port, _last())) == [200], "there is room again")


def _last() -> bytes:
    return b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
