"""Who waits is woken by this process at once, and looks now and then for what others did."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest

from miyabi.sqlite import bell as module
from miyabi.sqlite.bell import Bell
from miyabi.sqlite.connection import connect, connect_writer

LONG = 30.0


def test_a_ring_wakes_without_waiting_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", LONG)

    async def scenario() -> None:
        bell, rung = Bell(), asyncio.Event()
        waiting = [asyncio.create_task(bell.until(rung.is_set, LONG)) for _ in range(3)]
        await asyncio.sleep(0)
        rung.set()
        await asyncio.to_thread(bell.ring)
        async with asyncio.timeout(LONG / 3):
            assert await asyncio.gather(*waiting) == [True] * 3

    asyncio.run(scenario())


def test_what_comes_without_a_ring_is_seen_long_before_the_end() -> None:
    async def scenario() -> None:
        happened = asyncio.Event()
        waiting = asyncio.create_task(Bell().until(happened.is_set, LONG))
        await asyncio.sleep(0)
        happened.set()
        began = time.monotonic()
        assert await waiting
        assert time.monotonic() - began < LONG / 3

    asyncio.run(scenario())


def test_every_commit_is_synced_and_no_connection_holds_much_memory(tmp_path: Path) -> None:
    made, path = ["CREATE TABLE t (x)"], tmp_path / "x.db"
    with closing(connect_writer(path, made, 1)) as writer, closing(connect(path)) as reader:
        for connection in (writer, reader):
            settings = {
                name: connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "cache_size", "mmap_size")
            }
            assert settings == {"journal_mode": "wal", "synchronous": 2, "cache_size": -2048, "mmap_size": 0}
