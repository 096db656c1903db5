"""The cache fails in every way while the board is under load: nobody notices, and it comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.board import Board
from tests.support.load import Load, load
from tests.support.redis import RedisServer
from tests.support.until import until

Fault = Callable[[RedisServer], None]


def fill_up(server: RedisServer) -> None:
    server.admin.config_set("maxmemory-policy", "noeviction")
    server.admin.config_set("maxmemory", 1)


def make_room(server: RedisServer) -> None:
    server.admin.config_set("maxmemory", 0)


def crowd(server: RedisServer) -> None:
    """No new connection but the one there is, and none of those that were."""
    server.admin.config_set("maxclients", 1)
    server.admin.client_kill_filter(_type="normal", skipme=True)


def uncrowd(server: RedisServer) -> None:
    server.admin.config_set("maxclients", 1000)


FAULTS: dict[str, tuple[Fault, Fault]] = {
    "killed and started again empty": (RedisServer.kill, RedisServer.restart),
    "frozen": (RedisServer.freeze, RedisServer.thaw),
    "out of memory": (fill_up, make_room),
    "at its connection limit": (crowd, uncrowd),
}


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with closing(RedisServer()) as server:
        server.admin.ping()
        yield server


@pytest.fixture
def board(server: RedisServer, tmp_path: Path) -> Iterator[Board]:
    with closing(Board(tmp_path / "data", MIYABI_CACHE=server.url)) as board:
        yield board


@pytest.mark.parametrize("name", FAULTS)
def test_no_request_fails_and_nothing_old_is_told(name: str, server: RedisServer, board: Board) -> None:
    fails, recovers = FAULTS[name]

    async def scenario() -> Load:
        async with load(board.url) as clients:
            await clients.more(300)
            await asyncio.to_thread(fails, server)
            await clients.more(1500)
            await asyncio.to_thread(recovers, server)
            await clients.more(300)
            hits = board.hits()
            await asyncio.to_thread(until, lambda: board.hits() > hits + 100, "reads are answered from the cache again")
            await clients.more(300)
        return clients

    before = failures(board)
    clients = asyncio.run(scenario())
    assert clients.faults == []
    assert failures(board) > before
    assert "Redis unavailable, using SQLite" in board.errors()
    for task_id, version in clients.written.items():
        assert board.api.get(f"/api/tasks/{task_id}")["timestamp"] == version


def test_a_board_starts_without_its_cache_and_takes_it_up_when_it_comes(server: RedisServer, tmp_path: Path) -> None:
    server.kill()
    with closing(Board(tmp_path / "data", MIYABI_CACHE=server.url)) as board:
        board.api.post("/api/tasks", {"task_id": "a", "task_name": "a", "task_type": "build", "project_id": "p"})
        assert board.api.get("/api/tasks/a")["task_id"] == "a"
        server.restart()
        hits = board.hits()

        def read_again() -> bool:
            board.api.get("/api/tasks/a")
            return board.hits() > hits

        until(read_again, "the cache is used")


def failures(board: Board) -> float:
    return board.metric("miyabi_redis_connection_failures_total")
