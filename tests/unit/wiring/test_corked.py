"""A connection's writes of one turn leave together, in order, and never pile up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from miyabi.wiring.http_corked import MOST_BYTES, Corked


class Wire(asyncio.Transport):
    """Keeps what is sent, one item for each system call."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.ended = ""

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.sent.append(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return 5

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def write_eof(self) -> None:
        self.ended = "eof"


def test_what_is_written_in_one_turn_leaves_together() -> None:
    async def story() -> None:
        wire = Wire()
        corked = Corked(wire, asyncio.get_running_loop())
        corked.write(b"head ")
        corked.write(b"body")
        assert (wire.sent, corked.get_write_buffer_size()) == ([], 5 + 9)
        await asyncio.sleep(0)
        assert (wire.sent, corked.get_write_buffer_size()) == ([b"head body"], 5)
        corked.write(b"next")
        await asyncio.sleep(0)
        assert wire.sent == [b"head body", b"next"]

    asyncio.run(story())


@pytest.mark.parametrize(("end", "ended"), [("close", "closed"), ("write_eof", "eof")])
def test_who_ends_has_sent_all_before(end: str, ended: str) -> None:
    async def story() -> None:
        wire = Wire()
        corked = Corked(wire, asyncio.get_running_loop())
        corked.write(b"last words")
        getattr(corked, end)()
        assert (wire.sent, wire.ended) == ([b"last words"], ended)
        await asyncio.sleep(0)
        assert wire.sent == [b"last words"]

    asyncio.run(story())


def test_one_who_never_waits_is_held_back_by_the_transport_as_ever() -> None:
    async def story() -> None:
        wire = Wire()
        corked = Corked(wire, asyncio.get_running_loop())
        for _ in range(100):
            corked.write(b"x" * (MOST_BYTES // 2))
        assert sum(map(len, wire.sent)) >= 98 * (MOST_BYTES // 2)

    asyncio.run(story())


def test_to_who_has_gone_nothing_is_sent() -> None:
    async def story() -> None:
        wire = Wire()
        corked = Corked(wire, asyncio.get_running_loop())
        corked.write(b"too late")
        corked.abort()
        await asyncio.sleep(0)
        assert (wire.sent, wire.ended) == ([], "aborted")

    asyncio.run(story())
