"""HTTPS from end to end: the board, a command that sends to it, services apart; a certificate renewed meanwhile."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.support.board import MIYABI, Board, Service, environment, run_line
from tests.support.certificates import Authority
from tests.support.until import until
from tests.support.wire import dial, drain, statuses, talk


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def certified(authority: Authority) -> dict[str, str]:
    """The settings of a certificate for this machine."""
    chain, key = authority.sign("localhost", "127.0.0.1")
    return {"MIYABI_TLS_CERT": str(chain), "MIYABI_TLS_KEY": str(key)}


@pytest.fixture
def board(tmp_path: Path, authority: Authority, certified: dict[str, str]) -> Iterator[Board]:
    """A board with TLS."""
    with closing(Board(tmp_path / "data", (), **certified)) as board:
        board.trust = authority.trust
        yield board


def send(env: dict[str, str]) -> None:
    """A run of three steps."""
    line = run_line("sh", "-c", "for n in 1 2 3; do echo step $n/3; done", options=["--name", "steps"])
    assert subprocess.run(line, env=env, check=False, stdin=subprocess.DEVNULL).returncode == 0


def ended(service: Service) -> bool:
    """Whether the one task there is has ended well."""
    return [task["status"] for task in service.api.tasks()] == ["completed"]


def test_the_board_says_https_everywhere(board: Board) -> None:
    assert board.url.startswith("https://127.0.0.1:")
    assert json.loads((board.data / "board.json").read_bytes())["url"] == board.url
    answer = board.api.request("GET", "/")
    assert (answer.status, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")


@pytest.mark.parametrize("setting", ["MIYABI_TLS_CA", "SSL_CERT_FILE"])
def test_a_command_sends_to_it_and_trusts_an_authority_of_ones_own(
    board: Board, authority: Authority, tmp_path: Path, setting: str
) -> None:
    env = environment(tmp_path / "elsewhere", MIYABI_URL=board.url, **{setting: str(authority.file)})
    send(env)
    until(lambda: ended(board), "the run has ended")
    assert subprocess.run([MIYABI, "reread", "--all", "--url", board.url], env=env, check=False).returncode == 0


def test_a_command_that_does_not_trust_it_keeps_its_lines(board: Board, tmp_path: Path) -> None:
    env = environment(tmp_path / "elsewhere", MIYABI_URL=board.url)
    send(env)
    assert board.api.tasks() == []
    done = subprocess.run([MIYABI, "reread", "--all", "--url", board.url], env=env, capture_output=True, check=False)
    assert b"certificate verify failed" in done.stderr


def test_a_renewed_certificate_is_shown_and_connections_go_on(board: Board, authority: Authority) -> None:
    def serial() -> str:
        with authority.trust.wrap_socket(
            socket.create_connection(("127.0.0.1", board.port)), server_hostname="localhost"
        ) as sock:
            return str((sock.getpeercert() or {})["serialNumber"])

    before = serial()
    raw = socket.create_connection(("127.0.0.1", board.port))
    with authority.trust.wrap_socket(raw, server_hostname="localhost") as held:
        held.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert held.recv(12) == b"HTTP/1.1 200"
        authority.sign("localhost", "127.0.0.1")
        until(lambda: serial() != before, "the new one is shown")
        held.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        rest = b""
        while piece := held.recv(65536):
            rest += piece
        assert rest.count(b"HTTP/1.1 200") == 1


def test_what_speaks_no_tls_gets_nothing_and_is_no_news(board: Board) -> None:
    assert b"HTTP/1.1" not in talk(board.port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert board.api.get("/health")["status"] == "ok"
    assert board.errors() == ""


def test_who_never_shakes_hands_is_counted_and_not_waited_for(tmp_path: Path, certified: dict[str, str]) -> None:
    few = {"MIYABI_MAX_CONNECTIONS": "4", "MIYABI_HEADER_SECONDS": "0.5"}
    with closing(Board(tmp_path / "few", (), **certified, **few)) as board, ExitStack() as stack:
        held = [stack.enter_context(dial(board.port)) for _ in range(200)]
        for sock in held:
            assert drain(sock) == b"", "the board ends it, and says nothing"


def test_one_too_many_is_told_so(tmp_path: Path, authority: Authority, certified: dict[str, str]) -> None:
    def connect(board: Board) -> ssl.SSLSocket:
        return authority.trust.wrap_socket(dial(board.port), server_hostname="localhost")

    with (
        closing(Board(tmp_path / "one", (), **certified, MIYABI_MAX_CONNECTIONS="1")) as board,
        connect(board) as first,
    ):
        first.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert first.recv(12) == b"HTTP/1.1 200"
        with connect(board) as second:
            assert statuses(drain(second)) == [503]


def test_services_apart_speak_it_among_themselves(
    tmp_path: Path, authority: Authority, certified: dict[str, str]
) -> None:
    env = environment(tmp_path / "data", MIYABI_TLS_CA=str(authority.file), **certified)
    with ExitStack() as stack:

        def start(name: str, **settings: str) -> Service:
            return stack.enter_context(closing(Service("serve", name, env=env | settings)))

        logs = start("logs")
        shared = {"MIYABI_LOGS": logs.url}
        collector = start("collector", **shared)
        tasks = start("tasks", MIYABI_COLLECTOR=collector.url, **shared)
        gateway = start("gateway", MIYABI_TASKS=tasks.url, **shared)
        gateway.trust = authority.trust
        assert {each.url.partition(":")[0] for each in (logs, collector, tasks, gateway)} == {"https"}
        send(env | {"MIYABI_URL": gateway.url})
        until(lambda: ended(gateway), "the run has ended")
        services = gateway.api.get("/health")["services"]
        assert {each["status"] for each in services.values()} == {"ok"}


def test_a_bad_certificate_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    command = [MIYABI, "up", "--port", "0", "--tls-cert", str(tmp_path / "none.pem")]
    done = subprocess.run(command, env=environment(tmp_path / "data"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: MIYABI_TLS_CERT: ")
    assert len(done.stderr.splitlines()) == 1
