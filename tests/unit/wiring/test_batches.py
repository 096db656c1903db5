"""What is written a little later: in order, each once, without holding up whoever hands it over."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

import pytest

from miyabi.wiring.batches import Batches, aside


class Trouble(Exception):
    """What a writer may fail with."""


class Paper:
    """Keeps what was written; fails while ``torn``."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.batches = 0
        self.torn = False
        self.tried = asyncio.Event()
        self.written = asyncio.Event()

    async def write(self, lines: list[int]) -> None:
        self.tried.set()
        if self.torn:
            raise Trouble("no paper")
        self.batches += 1
        self.lines += lines
        self.written.set()


def within(talk: Callable[[Paper, Batches[int]], Awaitable[None]], most: int = 100) -> Paper:
    """``talk`` with a paper and batches that are quick."""
    paper = Paper()

    async def run() -> None:
        await talk(paper, Batches("the paper", paper.write, failures=(Trouble,), most=most, pause=0.001, longest=0.002))

    asyncio.run(run())
    return paper


def test_what_comes_together_is_written_together_and_in_order() -> None:
    async def talk(paper: Paper, batches: Batches[int]) -> None:
        for number in range(50):
            batches.add(number)
        await paper.written.wait()

    paper = within(talk)
    assert (paper.lines, paper.batches) == (list(range(50)), 1)


def test_what_waits_at_the_end_is_written() -> None:
    async def talk(paper: Paper, batches: Batches[int]) -> None:
        batches.add(1)
        await batches.close()

    assert within(talk).lines == [1]


def test_after_a_failure_it_is_written_again_each_once(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(paper: Paper, batches: Batches[int]) -> None:
        paper.torn = True
        for number in range(3):
            batches.add(number)
            await paper.tried.wait()
            paper.tried.clear()
        paper.torn = False
        await paper.written.wait()
        await batches.close()

    assert within(talk).lines == [0, 1, 2]
    assert [record.getMessage() for record in caplog.records] == [
        "the paper can't be written: no paper. Up to 100 lines wait meanwhile"
    ]


def test_memory_is_bounded_and_what_is_lost_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(paper: Paper, batches: Batches[int]) -> None:
        paper.torn = True
        for number in range(10):
            batches.add(number)
        assert batches.lost == 6
        await paper.tried.wait()
        paper.torn = False
        await batches.close()

    with caplog.at_level(logging.WARNING):
        assert within(talk, most=4).lines == [0, 1, 2, 3]
    assert "the paper: 6 lines were not written" in caplog.text


def test_a_writer_that_stands_still_holds_up_neither_the_others_nor_the_end() -> None:
    block = threading.Event()

    def wait() -> None:
        block.wait()

    async def talk() -> None:
        async def stand_still(lines: list[int]) -> None:
            await aside(wait)

        batches: Batches[int] = Batches("the paper", stand_still, failures=(OSError,), pause=0.001)
        batches.add(1)
        await asyncio.sleep(0)
        await batches.close(seconds=0.01)

    asyncio.run(asyncio.wait_for(talk(), 10))
    block.set()


def test_what_fails_aside_fails_here() -> None:
    def work() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        asyncio.run(aside(work))
