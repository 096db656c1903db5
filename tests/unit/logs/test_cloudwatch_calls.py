"""How CloudWatch Logs is called: five reads a second, one for all who want the same, in the order they came."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch, failure
from tests.support.cloudwatch_logs import Waits, process

from miyabi.logs import LogsUnavailable
from miyabi.logs.cloudwatch import Options, parse_options
from miyabi.logs.cloudwatch_limits import Limiter, limiter_of
from miyabi.logs.cloudwatch_retry import wait_before
from miyabi.model import NewEvent, Writer

GROUP, STREAM = "/miyabi/jobs", "job"
KEPT = Options(fresh=1, poll=1)


@given(st.integers(1, 9), st.floats(0, 1, exclude_max=True))
def test_waits_double_from_a_second_to_thirty_with_a_quarter_of_jitter(attempt: int, chance: float) -> None:
    middle = min(30.0, 2.0 ** (attempt - 1))
    assert 0.75 * middle <= wait_before(attempt, chance) <= 1.25 * middle


@given(st.lists(st.integers(0, 2000), max_size=60), st.sampled_from([5.0, 2.0, 1.0, 0.5]))
def test_no_second_sees_more_than_its_calls_and_nobody_overtakes(gaps: list[int], calls: float) -> None:
    async def scenario() -> None:
        clock = Clock()
        waits = Waits()
        limiter = Limiter(calls, clock=clock.seconds, sleep=waits)
        turns: list[float] = []
        for gap in gaps:
            clock.forward(gap)
            before = len(waits.seconds)
            await limiter.turn()
            waited = waits.seconds[before] if len(waits.seconds) > before else 0.0
            turns.append(clock.seconds() + waited)
        assert turns == sorted(turns)
        whole = max(1, int(calls))
        period = whole / calls
        assert all(later - earlier >= period - 1e-6 for earlier, later in zip(turns, turns[whole:], strict=False))

    asyncio.run(scenario())


def test_a_process_has_one_limiter_for_a_service() -> None:
    assert limiter_of("eu-west-1", 5) is limiter_of("eu-west-1", 5)
    assert limiter_of("eu-west-1", 5) is not limiter_of("us-east-1", 5)


def test_a_hundred_viewers_of_one_stream_are_one_call() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock, options=KEPT)
        for number in range(50):
            cloud.arrive(GROUP, STREAM, clock.forward(1), str(number))
        pages = await asyncio.gather(*(logs.read(GROUP, STREAM) for _ in range(100)))
        assert {len(page.events) for page in pages} == {50}
        assert cloud.count("filter_log_events") == 1

    asyncio.run(scenario())


def test_viewers_at_different_places_of_the_tail_share_its_reads() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock, options=KEPT)
        for number in range(50):
            cloud.arrive(GROUP, STREAM, clock.forward(1), str(number))
        places = [event.position for event in (await logs.read(GROUP, STREAM, before="", limit=20)).events]
        places += [event.position for event in (await logs.read(GROUP, STREAM)).events]
        cloud.calls.clear()
        for _ in range(10):
            clock.forward(1500)
            cloud.arrive(GROUP, STREAM, clock.ms, "more")
            pages = await asyncio.gather(*(logs.read(GROUP, STREAM, after=place) for place in places))
            assert {page.events[-1].message for page in pages} == {"more"}
        assert cloud.count("filter_log_events") <= 12

    asyncio.run(scenario())


def test_a_hundred_streams_that_others_write_are_read_with_one_look_at_their_group() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        there, here = process(cloud, clock), process(cloud, clock, options=KEPT)
        await there.make_groups()
        places = dict.fromkeys((f"job-{number}" for number in range(100)), "")
        for turn in range(5):
            for name in places:
                events = [NewEvent(clock.forward(1), f"{turn} {number}") for number in range(3)]
                await there.append(GROUP, name, events, Writer("w", 3 * turn))
            clock.forward(5000)
            cloud.calls.clear()
            await here.changed()
            for name in places:
                for expected in ([f"{turn} {number}" for number in range(3)], []):
                    page = await here.read(GROUP, name, after=places[name], limit=10)
                    assert [event.message for event in page.events] == expected
                    places[name] = page.next
            assert cloud.count("filter_log_events") == (103 if turn == 0 else 3)

    asyncio.run(scenario())


def test_what_was_appended_here_is_read_at_once() -> None:
    async def scenario() -> None:
        clock = Clock()
        logs = process(FakeCloudWatch(clock), clock, options=KEPT)
        place = ""
        for number in range(5):
            await logs.append(GROUP, STREAM, [NewEvent(clock.ms, str(number))])
            page = await logs.read(GROUP, STREAM, after=place)
            assert [event.message for event in page.events] == [str(number)]
            place = page.next

    asyncio.run(scenario())


def test_a_reader_that_gives_up_leaves_the_call_to_those_who_wait() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock, options=KEPT)
        cloud.arrive(GROUP, STREAM, clock.ms, "x")
        first, second = (asyncio.create_task(logs.read(GROUP, STREAM)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert len((await second).events) == 1
        assert cloud.count("filter_log_events") == 1

    asyncio.run(scenario())


def test_what_was_read_of_streams_that_nobody_reads_any_more_is_let_go() -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        logs = process(cloud, clock, options=KEPT)
        for stream in range(60):
            for number in range(500):
                cloud.arrive(GROUP, str(stream), clock.ms, f"line {number}")
        tracemalloc.start()
        for stream in range(60):
            clock.forward(11_000)
            assert len((await logs.read(GROUP, str(stream))).events) == 500
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 3_000_000

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDeniedException", "allow `logs:DescribeLogGroups` to this service's role"),
        ("ExpiredTokenException", "the credentials have expired; renew them"),
        ("UnrecognizedClientException", "AWS_ACCESS_KEY_ID"),
        ("InvalidSignatureException", "this machine's clock"),
        ("InvalidParameterException", "refuses describe_log_groups"),
    ],
)
def test_an_error_that_stays_is_told_at_once_with_what_to_do(code: str, advice: str) -> None:
    async def scenario() -> None:
        clock = Clock()
        cloud = FakeCloudWatch(clock)
        cloud.fault = lambda operation: failure(code)
        with pytest.raises(LogsUnavailable, match=advice):
            await process(cloud, clock).ping()
        assert len(cloud.calls) == 1

    asyncio.run(scenario())


def test_options_are_read_from_the_address() -> None:
    assert parse_options("cloudwatch:") == Options()
    url = "cloudwatch:?region=eu-west-1&endpoint=http://127.0.0.1:4566&poll=2.5&calls=2&probe=false&groups=/a,/b"
    assert parse_options(url) == Options("eu-west-1", "http://127.0.0.1:4566", "/a,/b", poll=2.5, calls=2, probe=False)


@pytest.mark.parametrize(
    "url",
    ["cloudwatch:x", "cloudwatch:?x=1", "cloudwatch:?poll=often", "cloudwatch:?poll=0",
     "cloudwatch:?calls=0", "cloudwatch:?region", "cloudwatch:?endpoint=here", "cloudwatch://eu-west-1"],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match=r"cloudwatch:.*write"):
        parse_options(url)
