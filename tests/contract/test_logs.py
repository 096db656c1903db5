"""What every log service promises."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from miyabi.logs import MAX_EVENT_BYTES, MAX_PAGE_BYTES, Logs, LogsUnavailable, storable
from miyabi.model import LogEvent, NewEvent, Writer

from .conftest import Opener

GROUP, STREAM = "/miyabi/jobs", "job-1"
SOON = 5.0
"""Seconds within which something surely happens on a busy machine."""


def lines(*messages: str) -> list[NewEvent]:
    return [NewEvent(1_795_000_000_000 + number, message) for number, message in enumerate(messages)]


def numbered(count: int, start: int = 0) -> list[NewEvent]:
    return lines(*(f"line {number}" for number in range(start, start + count)))


def texts(events: Sequence[LogEvent]) -> list[str]:
    return [event.message for event in events]


async def whole(logs: Logs, stream: str = STREAM, limit: int = 1000, group: str = GROUP) -> list[LogEvent]:
    """All lines of a stream, page after page."""
    found: list[LogEvent] = []
    place = ""
    while events := (page := await logs.read(group, stream, after=place, limit=limit)).events:
        assert len(events) <= limit
        found += events
        place = page.next
    return found


async def filled(logs: Logs, sizes: Sequence[int]) -> list[str]:
    """Appends of so many lines each; the messages in order."""
    for number, size in enumerate(sizes):
        await logs.append(GROUP, STREAM, numbered(size, sum(sizes[:number])))
    return [f"line {number}" for number in range(sum(sizes))]


async def test_lines_come_back_as_they_were_appended(logs: Logs) -> None:
    events = lines("first", "", "  third\r", '{"a": 1}', "進捗 50% 🚀", "nul \0 and \x1b[31mred")
    assert await logs.append(GROUP, STREAM, events[:2]) == 2
    assert await logs.append(GROUP, STREAM, events[2:]) == 4
    found = await whole(logs)
    assert [(event.timestamp, event.message) for event in found] == [(e.timestamp, e.message) for e in events]


async def test_lines_are_numbered_within_their_stream_where_lines_have_numbers(logs: Logs) -> None:
    await filled(logs, [3, 1, 700])
    found = await whole(logs)
    assert [event.line for event in found] in ([*range(1, 705)], [None] * 704)
    assert len({event.position for event in found}) == 704


@pytest.mark.parametrize("limit", [1, 7, 512, 513, 10_000])
async def test_pages_of_any_size_put_together_are_the_whole_stream(logs: Logs, limit: int) -> None:
    expected = await filled(logs, [1, 1, 5, 1, 300, 2])
    assert texts(await whole(logs, limit=limit)) == expected


@pytest.mark.parametrize("limit", [1, 7, 512, 513, 10_000])
async def test_pages_before_one_another_reach_the_beginning(logs: Logs, limit: int) -> None:
    expected = await filled(logs, [1, 1, 5, 1, 300, 2])
    found: list[str] = []
    place = ""
    while (page := await logs.read(GROUP, STREAM, before=place, limit=limit)).events:
        found[:0] = texts(page.events)
        place = page.previous
    assert found == expected


async def test_what_follows_the_tail_is_what_comes_later(logs: Logs) -> None:
    await filled(logs, [10])
    tail = await logs.read(GROUP, STREAM, before="", limit=3)
    assert texts(tail.events) == ["line 7", "line 8", "line 9"]
    await logs.append(GROUP, STREAM, lines("later"))
    assert texts((await logs.read(GROUP, STREAM, after=tail.next)).events) == ["later"]


async def test_a_place_within_the_stream_looks_both_ways(logs: Logs) -> None:
    await filled(logs, [1500])
    page = await logs.read(GROUP, STREAM, after=(await logs.read(GROUP, STREAM, limit=600)).next, limit=2)
    assert texts(page.events) == ["line 600", "line 601"]
    assert texts((await logs.read(GROUP, STREAM, before=page.previous, limit=2)).events) == ["line 598", "line 599"]
    assert texts((await logs.read(GROUP, STREAM, after=page.next, limit=1)).events) == ["line 602"]


@pytest.mark.parametrize("way", [{"after": ""}, {"before": ""}])
async def test_an_unknown_stream_is_an_empty_one_that_may_fill_later(logs: Logs, way: dict[str, str]) -> None:
    page = await logs.read(GROUP, "nobody", **way)  # type: ignore[arg-type]
    assert page.events == []
    assert (await logs.read(GROUP, "nobody", before=page.previous)).events == []
    await logs.append(GROUP, "nobody", lines("somebody"))
    assert texts((await logs.read(GROUP, "nobody", after=page.next)).events) == ["somebody"]


async def test_the_end_of_a_stream_is_an_empty_page_that_keeps_its_place(logs: Logs) -> None:
    await filled(logs, [2])
    end = (await logs.read(GROUP, STREAM)).next
    page = await logs.read(GROUP, STREAM, after=end)
    assert page.events == []
    assert page.next == end
    assert texts((await logs.read(GROUP, STREAM, before=page.previous)).events) == ["line 0", "line 1"]


async def test_streams_of_one_name_in_two_groups_are_two_streams(logs: Logs) -> None:
    await logs.append("/miyabi/jobs", "same", lines("a job"))
    await logs.append("/miyabi/agents", "same", lines("an agent"))
    assert texts(await whole(logs, "same", group="/miyabi/jobs")) == ["a job"]
    assert texts(await whole(logs, "same", group="/miyabi/agents")) == ["an agent"]


async def test_a_batch_that_a_writer_sends_again_is_stored_once(logs: Logs) -> None:
    batch = numbered(5)
    assert await logs.append(GROUP, STREAM, batch, Writer("w", 0)) == 5
    assert await logs.append(GROUP, STREAM, batch, Writer("w", 0)) == 0
    assert await logs.append(GROUP, STREAM, numbered(5, 3), Writer("w", 3)) == 3
    assert texts(await whole(logs)) == [f"line {number}" for number in range(8)]


async def test_a_writer_that_comes_back_with_less_than_it_sent_adds_nothing(logs: Logs) -> None:
    await logs.append(GROUP, STREAM, numbered(5), Writer("w", 0))
    assert await logs.append(GROUP, STREAM, numbered(2), Writer("w", 0)) == 0
    assert await logs.append(GROUP, STREAM, numbered(1, 5), Writer("w", 5)) == 1
    assert len(await whole(logs)) == 6


async def test_two_writers_and_two_streams_are_counted_apart(logs: Logs) -> None:
    for stream in ("a", "b"):
        for writer in ("v", "w"):
            assert await logs.append(GROUP, stream, numbered(2), Writer(writer, 0)) == 2
    assert len(await whole(logs, "a")) == len(await whole(logs, "b")) == 4


async def test_a_line_of_a_megabyte_is_stored_whole(logs: Logs) -> None:
    message = "é" * (MAX_EVENT_BYTES // 2)
    await logs.append(GROUP, STREAM, lines("before", message, "after"))
    assert texts(await whole(logs)) == ["before", message, "after"]


async def test_a_line_that_is_too_long_comes_as_several(logs: Logs) -> None:
    message = "界" * (MAX_EVENT_BYTES // 2)
    assert await logs.append(GROUP, STREAM, lines("before", message), Writer("w", 0)) == 2
    assert await logs.append(GROUP, STREAM, lines("after"), Writer("w", 2)) == 1
    first, *pieces, last = texts(await whole(logs))
    assert (first, "".join(pieces), last) == ("before", message, "after")
    assert all(len(piece.encode()) <= MAX_EVENT_BYTES for piece in pieces)
    assert len(pieces) == 2


async def test_a_page_of_long_lines_ends_early_and_goes_on(logs: Logs) -> None:
    messages = [str(number) * 900_000 for number in range(10)]
    for message in messages:
        await logs.append(GROUP, STREAM, lines(message))
    page = await logs.read(GROUP, STREAM, limit=10)
    assert 0 < len(page.events) < 10
    assert sum(map(len, texts(page.events))) <= MAX_PAGE_BYTES + MAX_EVENT_BYTES
    assert texts(await whole(logs, limit=10)) == messages


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.text(st.characters(codec=None)), min_size=1), min_size=1))
def test_any_text_comes_back_with_halves_of_surrogate_pairs_replaced(
    runner: asyncio.Runner, logs: Logs, batches: list[list[str]]
) -> None:
    async def scenario() -> None:
        start = (await logs.read(GROUP, STREAM, before="", limit=1)).next
        for batch in batches:
            await logs.append(GROUP, STREAM, lines(*batch))
        found = await logs.read(GROUP, STREAM, after=start, limit=10_000)
        expected = [event.message for batch in batches for event in storable(lines(*batch))]
        assert texts(found.events) == expected

    runner.run(scenario())


async def test_half_a_surrogate_pair_becomes_the_replacement_character(logs: Logs) -> None:
    await logs.append(GROUP, STREAM, lines("a\ud800b", "\ud83d\ude80"))
    assert texts(await whole(logs)) == ["a\ufffdb", "🚀"]


@pytest.mark.parametrize("position", ["x", "-1", "1.5", "１", "9" * 40, "1 "])
@pytest.mark.parametrize("way", ["after", "before"])
async def test_a_position_nobody_gave_is_refused_by_name(logs: Logs, position: str, way: str) -> None:
    with pytest.raises(ValueError, match="position"):
        await logs.read(GROUP, STREAM, **{way: position})  # type: ignore[arg-type]


async def test_an_empty_batch_makes_nothing(logs: Logs) -> None:
    assert await logs.append(GROUP, STREAM, [], Writer("w", 0)) == 0
    assert list(await logs.changed()) == []


async def test_batches_of_many_at_once_stay_together_and_come_once(logs: Logs) -> None:
    batches = [lines(*(f"{batch} {number}" for number in range(20))) for batch in range(50)]
    await asyncio.gather(*(logs.append(GROUP, STREAM, batch) for batch in batches))
    found = texts(await whole(logs))
    starts = found[::20]
    assert sorted(starts) == sorted(f"{batch} 0" for batch in range(50))
    assert found == [f"{start.split()[0]} {number}" for start in starts for number in range(20)]


async def test_what_is_acknowledged_is_there_for_whoever_opens_the_logs(logs: Logs, open_logs: Opener[Logs]) -> None:
    await filled(logs, [5])
    assert len(await whole(await open_logs())) == 5


async def test_two_processes_append_to_one_stream_and_its_lines_stay_numbered(
    logs: Logs, open_logs: Opener[Logs]
) -> None:
    other = await open_logs()
    await asyncio.gather(*(side.append(GROUP, STREAM, numbered(3)) for side in (logs, other) for _ in range(20)))
    found = await whole(logs)
    assert len(found) == len({event.position for event in found}) == 120


async def test_the_feed_names_each_changed_stream_once_the_oldest_change_first(logs: Logs) -> None:
    for stream in ("a", "b", "c", "a"):
        await logs.append(GROUP, stream, lines("x"))
    changed = await logs.changed()
    assert [(stream.group, stream.name) for stream in changed] == [(GROUP, "b"), (GROUP, "c"), (GROUP, "a")]
    assert [s.name for s in await logs.changed(changed[0].touched)] == ["c", "a"]
    assert list(await logs.changed(changed[-1].touched)) == []


async def test_the_feed_is_read_in_pages(logs: Logs) -> None:
    for stream in ("a", "b", "c"):
        await logs.append(GROUP, stream, lines("x"))
    page = await logs.changed(limit=2)
    assert [stream.name for stream in page] == ["a", "b"]
    assert [stream.name for stream in await logs.changed(page[-1].touched)] == ["c"]


async def test_a_changed_stream_tells_the_position_of_its_newest_line(logs: Logs) -> None:
    await filled(logs, [3, 4])
    (stream,) = await logs.changed()
    assert (await logs.read(GROUP, STREAM, before="", limit=1)).events[0].position == stream.position


async def test_a_batch_that_was_stored_already_changes_nothing(logs: Logs) -> None:
    await logs.append(GROUP, STREAM, numbered(2), Writer("w", 0))
    (stream,) = await logs.changed()
    await logs.append(GROUP, STREAM, numbered(2), Writer("w", 0))
    assert list(await logs.changed(stream.touched)) == []


async def test_a_wait_for_what_is_there_already_ends_at_once(logs: Logs) -> None:
    await filled(logs, [1])
    assert await logs.wait("", 0)


async def test_a_wait_for_nothing_ends_with_false(logs: Logs) -> None:
    assert not await logs.wait("", 0.05)


async def test_an_append_wakes_everybody_who_waits(logs: Logs) -> None:
    waits = [asyncio.create_task(logs.wait("", SOON)) for _ in range(3)]
    await asyncio.sleep(0)
    await logs.append(GROUP, STREAM, lines("x"))
    assert await asyncio.gather(*waits) == [True] * 3


async def test_an_append_of_another_process_wakes_who_waits(logs: Logs, open_logs: Opener[Logs]) -> None:
    other = await open_logs()
    waiting = asyncio.create_task(logs.wait("", SOON))
    await asyncio.sleep(0)
    await other.append(GROUP, STREAM, lines("x"))
    assert await waiting


async def test_a_wait_goes_on_from_where_its_reader_stands(logs: Logs) -> None:
    await filled(logs, [1])
    place = (await logs.changed())[-1].touched
    assert not await logs.wait(place, 0.02)
    await logs.append(GROUP, STREAM, lines("more"))
    assert await logs.wait(place, SOON)


async def test_the_groups_of_the_product_are_there_from_the_start(logs: Logs) -> None:
    groups = {group.name: group.retention_days for group in await logs.groups()}
    assert {"/miyabi/cdk-deploy", "/miyabi/agents", "/miyabi/jobs", "/miyabi/system"} <= groups.keys()
    assert set(groups.values()) == {30}


async def test_a_group_of_lambda_runs_is_kept_for_a_week_and_others_for_30_days(logs: Logs) -> None:
    for group in ("/aws/lambda/collector", "/mine"):
        await logs.append(group, STREAM, lines("x"))
    groups = {group.name: group.retention_days for group in await logs.groups()}
    assert (groups["/aws/lambda/collector"], groups["/mine"]) == (7, 30)


async def test_a_group_counts_its_streams_lines_and_bytes(logs: Logs) -> None:
    await logs.append("/mine", "a", lines("x" * 100, "y" * 100))
    await logs.append("/mine", "b", lines("z" * 100))
    (mine,) = [group for group in await logs.groups() if group.name == "/mine"]
    assert (mine.streams, mine.events) == (2, 3)
    assert 300 <= mine.bytes < 600
    names = [group.name for group in await logs.groups()]
    assert names == sorted(names)


async def test_the_service_answers_until_it_is_closed(logs: Logs) -> None:
    await logs.ping()
    await logs.close()
    with pytest.raises(LogsUnavailable):
        await logs.append(GROUP, STREAM, lines("x"))
    with pytest.raises(LogsUnavailable):
        await logs.read(GROUP, STREAM)
    with pytest.raises(LogsUnavailable):
        await logs.ping()


async def test_closing_finishes_what_was_called(logs: Logs, open_logs: Opener[Logs]) -> None:
    appends = [asyncio.create_task(logs.append(GROUP, STREAM, numbered(10))) for _ in range(10)]
    await asyncio.sleep(0)
    await logs.close()
    assert await asyncio.gather(*appends) == [10] * 10
    assert len(await whole(await open_logs())) == 100


async def test_a_caller_that_gives_up_disturbs_nobody(logs: Logs) -> None:
    given_up = asyncio.create_task(logs.append(GROUP, STREAM, numbered(1)))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    await logs.append(GROUP, "other", numbered(1))
    assert len(await whole(logs, "other")) == 1
