"""Reading CloudWatch Logs: each event once, whenever it comes in and whoever reads on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch
from tests.support.cloudwatch_logs import process

from miyabi.logs.cloudwatch import CloudWatchLogs, Options
from miyabi.logs.cloudwatch_place import LONGEST
from miyabi.logs.cloudwatch_read import OVERLAP_EVENTS
from miyabi.model import NewEvent, Writer

GROUP, STREAM = "/miyabi/jobs", "job"
SEVERAL = Options(fresh=1, poll=1)


def run(story: Callable[[FakeCloudWatch, Clock], Awaitable[None]], **account: int) -> None:
    clock = Clock()
    asyncio.run(_run(story, FakeCloudWatch(clock, **account), clock))


async def _run(story: Callable[[FakeCloudWatch, Clock], Awaitable[None]], cloud: FakeCloudWatch, clock: Clock) -> None:
    await story(cloud, clock)


class Reader:
    """Reads on from where it stands, each time perhaps as another process."""

    def __init__(self) -> None:
        self.place = ""
        self.texts: list[str] = []
        self.positions: list[str] = []

    async def page(self, logs: CloudWatchLogs, limit: int = 1000) -> int:
        page = await logs.read(GROUP, STREAM, after=self.place, limit=limit)
        assert len(page.events) <= limit
        self.place = page.next
        self.texts += [event.message for event in page.events]
        self.positions += [event.position for event in page.events]
        assert len(page.next) <= LONGEST
        return len(page.events)

    async def whole(self, logs: CloudWatchLogs, limit: int = 1000) -> list[str]:
        while await self.page(logs, limit):
            pass
        return self.texts


steps = st.one_of(
    st.tuples(st.just("append"), st.integers(0, 1), st.integers(1, 5), st.integers(-5000, 5000)),
    st.tuples(st.just("again"), st.integers(0, 1), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("foreign"), st.integers(0, 0), st.integers(1, 3), st.integers(-90_000, 5000)),
    st.tuples(st.just("hide"), st.integers(0, 1), st.just(0), st.just(0)),
    st.tuples(st.just("show"), st.integers(0, 1), st.integers(1, 4), st.just(0)),
    st.tuples(st.just("look"), st.integers(0, 1), st.just(0), st.just(0)),
    st.tuples(st.just("read"), st.integers(0, 2), st.integers(1, 7), st.just(0)),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(steps, max_size=30), st.integers(1, 7), st.integers(0, 2), st.booleans())
def test_each_event_is_delivered_once_in_any_interleaving_of_late_hidden_and_repeated_events(
    story: list[tuple[str, int, int, int]], page_events: int, empty_pages: int, kept: bool
) -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        options = Options(fresh=1, poll=0.1) if kept else Options(fresh=0, poll=1)
        logs = [process(cloud, clock, options=options) for _ in range(2)]
        await logs[0].make_groups()
        reader, sent, expected = Reader(), list[tuple[list[NewEvent], Writer]](), list[str]()
        for number, (what, who, count, offset) in enumerate(story):
            clock.forward(100)
            if what == "append":
                events = [NewEvent(clock.ms + offset + i // 2, f"{number}.{i}") for i in range(count)]
                sent.append((events, Writer(f"w{who}", sum(len(e) for e, w in sent if w.id == f"w{who}"))))
                await logs[who].append(GROUP, STREAM, *sent[-1])
                expected += [event.message for event in events]
            elif what == "again" and sent:
                await logs[who].append(GROUP, STREAM, *sent[count % len(sent)])
            elif what == "foreign":
                for i in range(count):
                    cloud.arrive(GROUP, STREAM, clock.ms + offset + i // 2, f"{number}.{i}")
                    expected.append(f"{number}.{i}")
            elif what == "hide":
                cloud.hide = bool(who)
            elif what == "show":
                cloud.show(count, last=bool(who))
            elif what == "look":
                await logs[who].changed()
            elif what == "read":
                await reader.page(logs[who] if who < 2 else process(cloud, clock), count)
        cloud.show()
        clock.forward(60_000)
        found = await reader.whole(logs[1], 3)
        assert Counter(found) == Counter(expected)

    run(scenario, page_events=page_events, empty_pages=empty_pages)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(1, 9), st.integers(1, 9))
def test_looking_back_delivers_each_event_once_and_the_end_goes_on(gaps: list[int], limit: int, pages: int) -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        logs = process(cloud, clock)
        for number, gap in enumerate(gaps):
            cloud.arrive(GROUP, STREAM, clock.forward(gap // 10), str(number))
        page = await logs.read(GROUP, STREAM, before="", limit=limit)
        end, found = page.next, [event.message for event in page.events]
        while (page := await logs.read(GROUP, STREAM, before=page.previous, limit=limit)).events:
            found[:0] = [event.message for event in page.events]
        assert found == [str(number) for number in range(len(gaps))]
        cloud.arrive(GROUP, STREAM, clock.forward(1), "later")
        assert [event.message for event in (await logs.read(GROUP, STREAM, after=end)).events] == ["later"]

    run(scenario, page_events=pages, empty_pages=1)


def test_empty_pages_with_a_token_are_not_the_end() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        for number in range(5):
            cloud.arrive(GROUP, STREAM, clock.ms + number, str(number))
        assert await Reader().whole(process(cloud, clock)) == list("01234")

    run(scenario, page_events=2, empty_pages=3)


def test_events_that_share_a_millisecond_keep_their_order_over_pages() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        logs = process(cloud, clock)
        await logs.append(GROUP, STREAM, [NewEvent(clock.ms, str(number)) for number in range(500)], Writer("w", 0))
        assert await Reader().whole(logs, 7) == [str(number) for number in range(500)]

    run(scenario, page_events=11)


def test_others_events_that_share_a_millisecond_come_once_over_pages() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        for number in range(500):
            cloud.arrive(GROUP, STREAM, clock.ms, str(number))
        assert await Reader().whole(process(cloud, clock), 100) == [str(number) for number in range(500)]

    run(scenario, page_events=110)


def test_half_a_character_that_somebody_else_wrote_does_not_make_a_stream_unreadable() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        for text in ("before", "a\ud800b", "after"):
            cloud.arrive(GROUP, STREAM, clock.forward(1), text)
        assert await Reader().whole(process(cloud, clock)) == ["before", "a\ufffdb", "after"]

    run(scenario)


def test_an_event_that_comes_hours_late_is_delivered_next() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        reader, logs = Reader(), process(cloud, clock)
        for number in range(300):
            cloud.arrive(GROUP, STREAM, clock.forward(1000), str(number))
        await reader.whole(logs)
        cloud.arrive(GROUP, STREAM, clock.ms - 200_000, "late", clock.forward(10_000))
        assert (await reader.whole(logs))[300:] == ["late"]

    run(scenario)


def test_a_late_batch_larger_than_a_page_is_delivered_whole() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        reader, logs = Reader(), process(cloud, clock)
        for number in range(200):
            cloud.arrive(GROUP, STREAM, clock.forward(1000), str(number))
        await reader.whole(logs)
        came = clock.forward(1000)
        for number in range(200):
            cloud.arrive(GROUP, STREAM, came - 150_000 + number // 3, f"late {number}", came)
        assert (await reader.whole(logs, 30))[200:] == [f"late {number}" for number in range(200)]

    run(scenario)


def test_a_line_that_comes_late_is_delivered_while_fewer_than_the_overlap_are_newer() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        reader, logs = Reader(), process(cloud, clock)
        flood = [NewEvent(clock.ms + number, "x") for number in range(2 * OVERLAP_EVENTS)]
        await logs.append(GROUP, STREAM, flood, Writer("w", 0))
        await reader.whole(logs)
        for back in (OVERLAP_EVENTS - 10, OVERLAP_EVENTS + 10):
            cloud.arrive(GROUP, STREAM, flood[-back].timestamp, f"late {back}", clock.forward(100))
        assert (await reader.whole(logs))[len(flood) :] == [f"late {OVERLAP_EVENTS - 10}"]

    run(scenario)


def test_the_place_of_every_event_goes_on_behind_it() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        logs = process(cloud, clock)
        for number in range(30):
            cloud.arrive(GROUP, STREAM, clock.ms + number // 4, f"theirs {number}")
            await logs.append(GROUP, STREAM, [NewEvent(clock.forward(1), f"ours {number}")])
        reader = Reader()
        texts = await reader.whole(logs)
        for number, position in enumerate(reader.positions):
            page = await logs.read(GROUP, STREAM, after=position)
            assert [event.message for event in page.events] == texts[number + 1 :]
            assert len(position) < 200

    run(scenario)


def test_a_place_stays_short_however_long_the_stream_is() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        logs, reader = process(cloud, clock), Reader()
        for number in range(300):
            await logs.append(GROUP, STREAM, [NewEvent(clock.ms, "x")], Writer(f"w{number}", number))
            cloud.arrive(GROUP, STREAM, clock.forward(10), "y")
        assert len(await reader.whole(logs)) == 600
        assert len(reader.place) < 2500

    run(scenario)


@pytest.mark.parametrize("limit", [100, 1000, 2000])
def test_a_long_stream_is_read_in_few_calls(limit: int) -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        logs = process(cloud, clock, options=SEVERAL)
        for start in range(0, 50_000, 10_000):
            lines = [NewEvent(clock.forward(1), f"line {number}") for number in range(start, start + 10_000)]
            await logs.append(GROUP, STREAM, lines, Writer("w", start))
        texts = await Reader().whole(logs, limit)
        assert texts == [f"line {number}" for number in range(50_000)]
        assert cloud.count("filter_log_events") <= 10

    run(scenario)


def test_what_a_broken_clock_printed_keeps_its_time_and_its_order() -> None:
    async def scenario(cloud: FakeCloudWatch, clock: Clock) -> None:
        logs = process(cloud, clock)
        printed = [clock.ms, 0, clock.ms + 10**11, clock.ms - 5, clock.ms + 5]
        await logs.append(GROUP, STREAM, [NewEvent(at, str(at)) for at in printed])
        page = await logs.read(GROUP, STREAM)
        assert [(event.timestamp, event.message) for event in page.events] == [(at, str(at)) for at in printed]

    run(scenario)
