"""Requests that two servers could read differently: each is refused, or read in the one way there is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.board import Board, Service, environment
from tests.support.wire import statuses, talk

HOST = b"Host: 127.0.0.1\r\n"
SECOND = b"GET /api/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
BAD = (400,)


def post(headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """A request with ``headers`` as they are."""
    return b"POST /api/tasks HTTP/%s\r\n%s%s\r\n%s" % (version, HOST, headers, body)


def get(target: bytes = b"/health", headers: bytes = HOST, version: bytes = b"1.1") -> bytes:
    """A request for ``target``, the last one on its connection."""
    return b"GET %s HTTP/%s\r\n%sConnection: close\r\n\r\n" % (target, version, headers)


CHUNKED = b"Transfer-Encoding: chunked\r\n"
EMPTY = b"0\r\n\r\n"
REFUSED = {
    "a length and chunks": post(b"Content-Length: 6\r\n" + CHUNKED, EMPTY + b"G"),
    "chunks and a length": post(CHUNKED + b"Content-Length: 4\r\n", EMPTY),
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: 44\r\n"),
    "the same length twice": post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
    "a list of lengths": post(b"Content-Length: 2, 2\r\n", b"{}"),
    "a length with a sign": post(b"Content-Length: +2\r\n", b"{}"),
    "a negative length": post(b"Content-Length: -2\r\n", b"{}"),
    "a length in base 16": post(b"Content-Length: 0x2\r\n", b"{}"),
    "a length past 64 bits": post(b"Content-Length: 36893488147419103232\r\n", b"{}"),
    "no length in its header": post(b"Content-Length:\r\n"),
    "a space before the colon of a length": post(b"Content-Length : 2\r\n", b"{}"),
    "a space before the colon of chunks": post(b"Transfer-Encoding : chunked\r\n", EMPTY),
    "a tab before chunks": post(b"Transfer-Encoding:\x0bchunked\r\n", EMPTY),
    "a coding that is nearly chunks": post(b"Transfer-Encoding: xchunked\r\n", EMPTY),
    "chunks that are not the last coding": post(b"Transfer-Encoding: chunked, identity\r\n", EMPTY),
    "a coding before chunks": post(b"Transfer-Encoding: gzip, chunked\r\n", EMPTY),
    "a second header of codings": post(b"Transfer-Encoding: x\r\n" + CHUNKED, EMPTY),
    "chunks in HTTP/1.0": post(CHUNKED, EMPTY, b"1.0"),
    "a folded header": post(b"Transfer-Encoding:\r\n chunked\r\n", EMPTY),
    "a header folded behind its value": get(headers=HOST + b"X-One: a\r\n b\r\n"),
    "a chunk's size in bare line feeds": post(CHUNKED, b"2\n{}\n0\n\n"),
    "a bare line feed in a chunk's extension": post(CHUNKED, b"2;a=\nb\r\n{}\r\n0\r\n\r\n"),
    "a chunk's size with 0x": post(CHUNKED, b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a space behind a chunk's size": post(CHUNKED, b"2 \r\n{}\r\n0\r\n\r\n"),
    "a chunk longer than its size": post(CHUNKED, b"1\r\n{}\r\n0\r\n\r\n"),
    "a chunk's size past 64 bits": post(CHUNKED, b"fffffffffffffffff2\r\n{}\r\n0\r\n\r\n"),
    "a bare line feed behind the request line": b"GET /health HTTP/1.1\nHost: 127.0.0.1\r\n\r\n",
    "a bare line feed behind a header": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\nX-One: a\r\n\r\n",
    "a bare carriage return behind a header": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\rX-One: a\r\n\r\n",
    "a space before the first header": b"GET /health HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n",
    "a zero in a header's name": get(headers=HOST + b"X\x00One: a\r\n"),
    "a zero in a header's value": get(headers=HOST + b"X-One: a\x00b\r\n"),
    "a header without a name": get(headers=HOST + b": a\r\n"),
    "a header without a colon": get(headers=HOST + b"Xone\r\n"),
    "a zero in the target": get(b"/health\x00"),
    "a byte above ASCII in the target": get(b"/api/tasks/\xff"),
    "a byte above ASCII in the query": get(b"/api/tasks?a=\xff"),
    "a space in the target": get(b"/health x"),
    "no host": get(headers=b""),
    "two hosts": get(headers=HOST + HOST),
    "an absolute target of another host": get(b"http://evil.example/health"),
    "an absolute target with a user": get(b"http://u@127.0.0.1/health"),
    "an absolute target without a path": get(b"http://127.0.0.1"),
    "a target that is no path": get(b"health"),
    "an asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\nSSH-2.0-x\r\n",
    "a method in small letters": b"get /health HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2 without being asked": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"x" * 64,
}
UNKNOWN_VERSIONS = {
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/2.0 in plain": get(version=b"2.0"),
}
RIGHT = {
    "a body in chunks": (post(b"Content-Type: application/json\r\n" + CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"), [400, 404]),
    "a chunk's extension": (post(CHUNKED, b"2;a=b\r\n{}\r\n0\r\n\r\n"), [415, 404]),
    "HTTP/1.0 without a host's port": (get(version=b"1.0"), [200]),
    "an absolute target of this host": (get(b"http://127.0.0.1/health"), [200]),
    "line ends before a request": (b"\r\n\r\n" + get(), [200]),
    "a fragment": (get(b"/health#x"), [200]),
    "three requests at once": (get().replace(b"Connection: close\r\n", b"") * 2 + get(), [200, 200, 200]),
    "an encoded zero in an id": (get(b"/api/tasks/a%00b"), [400]),
    "an encoded line end in an id": (get(b"/api/tasks/a%0d%0aX-One:%20b"), [400]),
    "an encoded slash in an id": (get(b"/api/tasks/a%2f..%2fb"), [404]),
    "an encoded way up": (get(b"/assets/%2e%2e/%2e%2e/etc/passwd"), [404]),
}


class Behind(NamedTuple):
    """A task API that notes what it is asked, and the gateway before it."""

    gateway: Service
    asked: list[str]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One board for all of them: none must harm it."""
    with closing(Board(tmp_path_factory.mktemp("smuggling") / "data")) as board:
        yield board


@contextmanager
def noting(asked: list[str]) -> Iterator[str]:
    """The address of a server that notes each request's line, and its headers behind it."""

    class Note(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            if self.headers.get("transfer-encoding"):
                while count := int(self.rfile.readline(), 16):
                    self.rfile.read(count + 2)
                self.rfile.readline()
            self.rfile.read(size)
            asked.append(f"{self.requestline}\n{self.headers}")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Note)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """One gateway for all of them, before a task API of another process."""
    asked: list[str] = []
    with ExitStack() as stack:
        url = stack.enter_context(noting(asked))
        env = environment(Path(tmp_path_factory.mktemp("gateway")), MIYABI_TASKS=url)
        yield Behind(stack.enter_context(closing(Service("serve", "gateway", env=env))), asked)


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(board: Board, name: str) -> None:
    answer = talk(board.port, REFUSED[name] + SECOND)
    assert statuses(answer) == [400], answer
    assert b"smuggled" not in answer


@pytest.mark.parametrize("name", REFUSED)
def test_it_never_comes_to_a_task_api_behind(before: Behind, name: str) -> None:
    before.asked.clear()
    assert statuses(talk(before.gateway.port, REFUSED[name] + SECOND)) == [400]
    assert not any("smuggled" in each for each in before.asked)


@pytest.mark.parametrize("name", UNKNOWN_VERSIONS)
def test_another_version_is_refused(board: Board, name: str) -> None:
    assert statuses(talk(board.port, UNKNOWN_VERSIONS[name] + SECOND)) == [505]


@pytest.mark.parametrize("name", RIGHT)
def test_what_can_be_read_in_one_way_is(board: Board, name: str) -> None:
    sent, expected = RIGHT[name]
    assert statuses(talk(board.port, sent + SECOND)) == expected


def test_good_requests_before_a_bad_one_are_answered(board: Board) -> None:
    good = get().replace(b"Connection: close\r\n", b"")
    answer = talk(board.port, good * 3 + REFUSED["two lengths"] + SECOND)
    assert statuses(answer)[:3] == [200, 200, 200]
    assert set(statuses(answer)[3:]) <= {400}


def test_of_many_requests_at_once_only_some_wait_and_the_connection_ends_behind_them(board: Board) -> None:
    found = statuses(talk(board.port, get().replace(b"Connection: close\r\n", b"") * 1000))
    assert 60 < len(found) < 100
    assert set(found) == {200}


def test_a_header_behind_the_body_is_none(before: Behind) -> None:
    before.asked.clear()
    trailer = b"0\r\nAuthorization: Bearer forged\r\nX-Forged: 1\r\n\r\n"
    asked = post(b"X-Request-Id: one\r\nConnection: close\r\n" + CHUNKED, b"2\r\n{}\r\n" + trailer)
    assert statuses(talk(before.gateway.port, asked)) == [200]
    (request,) = before.asked
    assert "forged" not in request.lower()


def test_a_request_id_that_is_no_word_is_replaced(before: Behind) -> None:
    before.asked.clear()
    forged = b"X-Request-Id: a b<script>\r\nX-Request-Id: second\r\n"
    answer = talk(before.gateway.port, get(b"/api/tasks", HOST + forged))
    assert b"script" not in answer
    (request,) = before.asked
    assert "script" not in request
    assert "second" not in request
    assert request.lower().count("x-request-id") == 1


def test_who_asks_for_an_upgrade_is_answered_without(board: Board) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Type: application/json\r\nContent-Length: 20\r\n"
    answer = talk(board.port, post(upgrade, b'{"task_name":"up"}  ') + get())
    assert statuses(answer) == [201, 200], answer


def test_nothing_of_it_stays_with_the_board(board: Board) -> None:
    assert board.api.get("/health")["status"] == "ok"
    assert "Traceback" not in board.errors()
