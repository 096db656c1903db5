"""What is sent to CloudWatch Logs: every batch legal, every line in it once, in order, and told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miyabi.logs import MAX_EVENT_BYTES, storable
from miyabi.logs.cloudwatch_batches import (
    BATCH_BYTES,
    BATCH_EVENTS,
    BATCH_SPAN,
    EVENT_OVERHEAD,
    NEWEST,
    OLDEST,
    Entry,
    Legal,
    batches,
    entries,
)
from miyabi.logs.cloudwatch_stamp import LONGEST, Stamp, stamped, unstamped
from miyabi.model import LATEST, NewEvent, Writer

NOW = 1_795_000_000_000
DAY = 24 * 3_600_000
texts = st.one_of(st.text(st.characters(codec=None)), st.sampled_from(["", "\r", '{"a": 1}', '{"', "x [miyabi w:1]"]))
times = st.one_of(
    st.integers(0, LATEST), st.integers(NOW - 20 * DAY, NOW + DAY), st.integers(NOW - 3_600_000, NOW + 1000)
)
writers = st.builds(Writer, st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.integers(0, 2**53 - 1))


def plan(events: list[NewEvent], writer: Writer, floor: int = 0, retention: int = 30) -> list[list[Entry]]:
    return list(batches(entries(events, writer, floor, Legal.at(NOW, retention))))


def check_legal(batch: list[Entry]) -> None:
    stored = [entry.timestamp for entry in batch]
    assert 1 <= len(batch) <= BATCH_EVENTS
    assert sum(len(entry.message.encode()) + EVENT_OVERHEAD for entry in batch) <= BATCH_BYTES
    assert stored == sorted(stored)
    assert stored[-1] - stored[0] <= BATCH_SPAN
    assert all(NOW - OLDEST < at < NOW + NEWEST for at in stored)
    assert all(entry.message for entry in batch)


@settings(deadline=None)
@given(st.lists(st.builds(NewEvent, times, texts), max_size=60), writers, st.integers(0, NOW))
def test_batches_are_legal_and_hold_every_line_once_in_its_order_with_its_own_time(
    events: list[NewEvent], writer: Writer, floor: int
) -> None:
    sent = plan(events, writer, floor)
    for batch in sent:
        check_legal(batch)
    found = [(entry, *unstamped(entry.message)) for batch in sent for entry in batch]
    assert [text for _, text, _ in found] == [event.message for event in storable(events)]
    for number, (entry, _, stamp) in enumerate(found):
        assert stamp is not None
        assert (stamp.writer, stamp.sequence) == (writer.id, writer.sequence + number)
        assert events[number].timestamp == (entry.timestamp if stamp.time is None else stamp.time)
    assert [entry.timestamp for entry, *_ in found] == sorted(entry.timestamp for entry, *_ in found)


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 400_000), st.integers(0, 9 * 3_600_000), st.sampled_from("aé界")),
        min_size=1,
        max_size=30,
    )
)
def test_long_lines_and_long_times_are_cut_into_legal_batches(shape: list[tuple[int, int, str]]) -> None:
    at, events = NOW - 13 * DAY, []
    for length, gap, letter in shape:
        at = min(at + gap, NOW)
        events.append(NewEvent(at, letter * length))
    sent = plan(events, Writer("w", 0))
    for batch in sent:
        check_legal(batch)
    assert "".join(unstamped(e.message)[0] for b in sent for e in b) == "".join(e.message for e in events)
    assert [entry.done for batch in sent for entry in batch][-1] == len(events)


def test_a_batch_holds_ten_thousand_events_and_no_more() -> None:
    sent = plan([NewEvent(NOW, "x")] * 25_000, Writer("w", 0))
    assert [len(batch) for batch in sent] == [10_000, 10_000, 5_000]


def test_a_line_of_the_longest_size_fits_with_its_stamp() -> None:
    (batch,) = plan([NewEvent(1, "x" * MAX_EVENT_BYTES)], Writer("w" * 64, 2**53 - 1))
    check_legal(batch)


def test_a_line_is_in_a_batch_of_its_own_day() -> None:
    sent = plan([NewEvent(NOW - 2 * DAY, "a"), NewEvent(NOW - DAY, "b"), NewEvent(NOW - DAY + 1, "c")], Writer("w", 0))
    assert [len(batch) for batch in sent] == [1, 2]


def test_what_is_older_than_the_group_keeps_is_stored_at_the_oldest_time_it_does() -> None:
    ((entry,),) = plan([NewEvent(NOW - 8 * DAY, "old")], Writer("w", 0), retention=7)
    assert NOW - 7 * DAY < entry.timestamp < NOW - 6 * DAY
    assert unstamped(entry.message) == ("old", Stamp("w", 0, time=NOW - 8 * DAY))


def test_half_of_a_line_is_not_done() -> None:
    sent = plan([NewEvent(NOW, "x" * (2 * MAX_EVENT_BYTES)), NewEvent(NOW, "y")], Writer("w", 0))
    assert [[entry.done for entry in batch] for batch in sent] == [[0], [1, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("building", "building [miyabi w:7]"),
        ("", " [miyabi w:7]"),
        ('{"a": 1}', '{"a": 1,"_miyabi":"w:7"}'),
        ("{}", "{} [miyabi w:7]"),
        ("50 %\r", "50 %\r [miyabi w:7]"),
    ],
)
def test_a_stamp_stands_behind_a_text_and_inside_an_object(text: str, message: str) -> None:
    assert stamped(text, Stamp("w", 7)) == message
    assert unstamped(message) == (text, Stamp("w", 7))


@given(
    texts,
    st.builds(Stamp, writers.map(lambda w: w.id), st.integers(0, 2**53), st.just(0), st.just(1), st.none() | times),
)
def test_what_a_job_prints_is_never_taken_for_our_stamp(text: str, stamp: Stamp) -> None:
    assert unstamped(stamped(text, stamp)) == (text, stamp)
    assert unstamped(stamped(stamped(text, stamp), Stamp("other", 1))) == (stamped(text, stamp), Stamp("other", 1))


def test_no_stamp_is_longer_than_the_end_that_is_looked_at() -> None:
    longest = Stamp("w" * 64, 2**53 - 1, 999_999_999, 999_999_999, LATEST)
    assert len(stamped("", longest)) <= LONGEST
    assert unstamped(stamped("x" * 1000, longest)) == ("x" * 1000, longest)


@pytest.mark.parametrize(
    "message", ["", "plain", "[miyabi w:1", " [miyabi w:x]", '{"_miyabi":"w:1"}', " [miyabi w:1] "]
)
def test_other_peoples_messages_are_their_text(message: str) -> None:
    assert unstamped(message) == (message, None)
