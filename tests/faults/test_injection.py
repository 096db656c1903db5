"""Nothing that a request holds comes back as a header, an answer or an event of its own; by raw sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.support.board import Board
from tests.support.wire import dial, statuses, talk

EVIL = b"X-Evil: yes"
ENDS = {
    "encoded": b"%0d%0a",
    "a line feed": b"%0a",
    "a carriage return": b"%0d",
    "twice encoded": b"%250d%250a",
    "as UTF-8 that a cut byte makes one": b"%e5%98%8a%e5%98%8d",
    "as a line separator": b"%e2%80%a8",
    "as next line": b"%c2%85",
    "as a null": b"%00",
}
"""Ways to end a line in a target."""
BYTES = {
    "a carriage return": b"\r",
    "a vertical tab": b"\x0b",
    "a form feed": b"\x0c",
    "next line": b"\x85",
    "zero": b"\0",
    "as UTF-8 that a cut byte makes one": "\u560d\u560a".encode(),
    "escape": b"\x1b[2J",
}
"""Likewise in a header."""
TARGETS = (
    b"/api/tasks/a%s",
    b"/api/tasks/a%s/badge.svg",
    b"/api/tasks/none/badge.svg?label=a%s",
    b"/api/tasks?status=a%s",
    b"/api/tasks?a%s=b",
    b"/api/tasks?cursor=a%s",
    b"/api/projects/a%s",
    b"/api/logs/a/b%s",
    b"/api/none%s",
    b"/none%s",
    b"/assets/none%s",
    b"/health%s",
)
HEADERS = (b"X-Request-Id", b"Host", b"Origin", b"Referer", b"Traceparent", b"If-None-Match", b"User-Agent",
           b"Authorization", b"X-Forwarded-For", b"X-Forwarded-Host", b"Access-Control-Request-Headers",
           b"Access-Control-Request-Method", b"Range", b"Cookie")  # fmt: skip


@pytest.fixture(scope="module", params=["", "http://wall.example"], ids=["of its own pages", "of others' pages, too"])
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    data = tmp_path_factory.mktemp("injected") / "data"
    with closing(Board(data, MIYABI_ORIGINS=request.param, MIYABI_RATE_LIMIT="0")) as board:
        yield board


def sent(board: Board, method: bytes, target: bytes, *headers: bytes) -> bytes:
    """The answer; ``headers`` stand before those that are needed."""
    host = [] if any(line.startswith(b"Host:") for line in headers) else [b"Host: 127.0.0.1:%d" % board.port]
    head = b"\r\n".join([b"%s %s HTTP/1.1" % (method, target), *headers, *host, b"Connection: close"])
    return talk(board.port, head + b"\r\n\r\n")


def whole(answer: bytes) -> None:
    """It is one answer, and nothing in its head is of the request's making."""
    assert len(statuses(answer)) == 1, answer
    assert statuses(answer)[0] < 500, answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"evil" not in head.lower(), head
    assert not any(each in head.replace(b"\r\n", b"") for each in (b"\r", b"\n", b"\0", b"\x1b", b"\x85")), head
    if b"problem+json" in head:
        json.loads(body)


@pytest.mark.parametrize("end", ENDS)
def test_no_target_makes_a_header(board: Board, end: str) -> None:
    for target in TARGETS:
        for method in (b"GET", b"POST", b"OPTIONS", b"DELETE"):
            whole(sent(board, method, target % (ENDS[end] + b"X-Evil:%20yes" + ENDS[end] * 2 + b"evil")))


@pytest.mark.parametrize("end", BYTES)
@pytest.mark.parametrize("name", HEADERS)
def test_no_header_makes_another(board: Board, name: bytes, end: str) -> None:
    for value in (b"a" + BYTES[end] + EVIL, b"http://wall.example" + BYTES[end] + EVIL):
        for method in (b"GET", b"OPTIONS"):
            whole(sent(board, method, b"/api/tasks", name + b": " + value))


@pytest.mark.parametrize("end", ENDS)
def test_no_place_makes_an_event(board: Board, end: str) -> None:
    place = b"0|1" + ENDS[end] + b"event:%20evil" + ENDS[end] + b"data:%20evil" + ENDS[end] * 2
    with dial(board.port, 5.0) as sock:
        sock.sendall(b"GET /api/events?last_event_id=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % place)
        assert board.api.request("POST", "/api/tasks", {"task_name": "One"}).status == 201
        came = read_until(sock, b"event: task")
    assert not [line for line in came.splitlines() if line.startswith((b"event: evil", b"data: evil"))]


def read_until(sock: socket.socket, mark: bytes) -> bytes:
    """All that comes until the event with ``mark`` is whole."""
    came = b""
    while b"\n\n" not in came.partition(mark)[2]:
        piece = sock.recv(65536)
        assert piece, came
        came += piece
    return came
