"""Bytes that are no HTTP, or too much of it: the board goes on serving."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.support.board import Board

RUBBISH = {
    "random bytes": bytes(range(256)) * 64,
    "a TLS hello": bytes.fromhex("1603010200010001fc0303") + bytes(500),
    "an unknown method": b"FLY /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
    "a negative length": b"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
    "a length and chunks": b"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunks": b"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "100 KB of headers": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Much: " + b"a" * 100_000 + b"\r\n\r\n",
    "an address of 100 KB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "an address that is no UTF-8": b"GET /api/tasks/\xff\xfe%ff%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "a WebSocket": b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One board for all the rubbish: it has to outlive it."""
    with closing(Board(tmp_path_factory.mktemp("data"))) as board:
        yield board


@pytest.mark.parametrize("data", RUBBISH.values(), ids=RUBBISH.keys())
def test_rubbish_is_answered_with_an_error_or_an_end_and_the_board_serves_on(board: Board, data: bytes) -> None:
    with closing(connect(board)) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = everything(sock)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 2"))
    assert b"500 Internal" not in answer
    assert board.api.get("/health")["status"] == "ok"


def test_half_requests_held_open_do_not_hold_up_others(board: Board) -> None:
    halves = [connect(board) for _ in range(200)]
    for sock in halves:
        sock.sendall(b"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
    assert board.api.get("/health")["status"] == "ok"
    for sock in halves:
        sock.close()
    assert board.api.get("/health")["status"] == "ok"


def test_nothing_was_written_about_it_but_warnings(board: Board) -> None:
    with closing(connect(board)) as sock:
        sock.sendall(os.urandom(5000))
    assert board.api.get("/health")["status"] == "ok"
    assert "Traceback" not in board.errors()


def connect(board: Board) -> socket.socket:
    """A raw connection."""
    return socket.create_connection(("127.0.0.1", board.port), timeout=10)


def everything(sock: socket.socket) -> bytes:
    """What is answered until the connection ends; a reset is an end too."""
    answer = b""
    try:
        while piece := sock.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer
