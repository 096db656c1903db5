"""Lines on disk, and the places in them that no other backend has."""

from __future__ import annotations

import asyncio
from pathlib import Path

from miyabi.logs.chunks import CHUNK_CHARS, CHUNK_LINES, pack, runs, unpack
from miyabi.logs.local import open_logs
from miyabi.model import LogEvent, NewEvent


def test_a_run_ends_after_so_many_lines_or_characters() -> None:
    short = [NewEvent(0, "x")] * (2 * CHUNK_LINES + 1)
    assert [len(run) for run in runs(short)] == [CHUNK_LINES, CHUNK_LINES, 1]
    long = [NewEvent(0, "x" * (CHUNK_CHARS // 2))] * 5
    assert [len(run) for run in runs(long)] == [2, 2, 1]
    huge = [NewEvent(0, "x" * 2 * CHUNK_CHARS)] * 2
    assert [len(run) for run in runs(huge)] == [1, 1]
    assert list(runs([])) == []


def test_a_run_is_unpacked_with_its_numbers() -> None:
    data = pack([NewEvent(5, "a"), NewEvent(6, "b\r")])
    assert unpack(data, 10) == [LogEvent("10", 5, "a", 10), LogEvent("11", 6, "b\r", 11)]


def test_a_place_of_a_feed_that_never_came_so_far_counts_as_its_beginning(tmp_path: Path) -> None:
    """The file was removed, the reader's place was not."""

    async def scenario() -> None:
        logs = await open_logs(tmp_path)
        await logs.append("/g", "s", [NewEvent(0, "x")])
        assert await logs.wait("1000", 0)
        assert [stream.name for stream in await logs.changed("1000")] == ["s"]
        await logs.close()

    asyncio.run(scenario())
