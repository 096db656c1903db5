"""A line that breaks the reader is set aside with its reason and the rest goes on, whatever made the collector read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import pytest
from tests.support.deliveries import delivery

from miyabi.collector.push import Known, collect_pushed, unknown
from miyabi.logs import LogPage
from miyabi.model import LogEvent
from miyabi.progress.reader import Reader, Reading

from .conftest import Story, Tell


class Fragile(Reader):
    """A reader that some lines break."""

    def read(self, messages: Sequence[str]) -> list[tuple[int, Reading]]:
        if "poison" in messages:
            raise OverflowError("too much of it")
        return super().read(messages)


async def shown(story: Story) -> list[float | None]:
    """The progress of both jobs."""
    found = [await story.task(name) for name in "ab"]
    return [task.progress.current if task else None for task in found]


Trigger = Callable[[Story, list[dict[str, object]]], Awaitable[object]]


async def schedule(story: Story, messages: list[dict[str, object]]) -> None:
    """The loop by itself, until both jobs are where they should be."""
    story.clock.forward(60_000)
    running = asyncio.create_task(story.loop.run())
    try:
        async with asyncio.timeout(20):
            while await shown(story) != [2, 7]:
                story.clock.forward(1000)
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def call(story: Story, messages: list[dict[str, object]]) -> None:
    story.clock.forward(60_000)
    await story.loop.collect()


TRIGGERS: dict[str, Trigger] = {
    "schedule": schedule,
    "call": call,
    "push that is the page": lambda story, told: collect_pushed(story.loop, delivery(*told), story.logs.pushed),
    "push that tells of it": lambda story, told: collect_pushed(story.loop, delivery(*told)),
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_poisoned_line_is_set_aside_and_the_rest_goes_on(
    trigger: str, tell: Tell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("miyabi.collector.memory.Reader", Fragile)

    async def story(s: Story) -> None:
        for name in "ab":
            await s.write(name, "[1/9] first")
        s.clock.forward(60_000)
        await s.loop.collect()
        told = [await s.write("a", "poison", "[2/9] second"), await s.write("b", "[7/9] other")]
        with caplog.at_level(logging.ERROR):
            await TRIGGERS[trigger](s, told)
        assert await shown(s) == [2, 7]
        (record,) = caplog.records
        assert record.exc_info
        assert "can't be read" in record.getMessage()
        assert "too much of it" in str(record.exc_info[1])
        assert (await s.loop.collect()).lines == 0

    tell(story)


@pytest.mark.parametrize("known", [True, False])
def test_a_stream_whose_page_can_not_be_made_does_not_hold_up_those_beside_it(known: bool, tell: Tell) -> None:
    """Not even the bookmark can be understood: another log service made it."""

    async def story(s: Story) -> None:
        told = [await s.write("a", "[1/9] first"), await s.write("b", "[7/9] other")]
        knows: Known = s.logs.pushed if known else unknown

        def page_of(group: str, stream: str, after: str, events: Sequence[LogEvent]) -> LogPage | None:
            if stream == "a":
                raise ValueError("no position of ours")
            return knows(group, stream, after, events)

        await collect_pushed(s.loop, delivery(*told), page_of)
        assert await shown(s) == [1, 7]

    tell(story)
