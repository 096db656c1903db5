"""A batch that is too large for one request goes in several, and a writer's numbers go with it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miyabi.logs import MAX_BATCH, MAX_EVENT_BYTES, wire
from miyabi.logs.parts import parts
from miyabi.model import NewEvent, Writer

EMPTY = len(msgspec.json.encode(wire.Append("g", "s", [NewEvent(0, "")], Writer("w", 10**9))))


def taken_apart(events: list[NewEvent], limits: tuple[int, int]) -> list[wire.Append]:
    bodies = parts("g", "s", events, Writer("w", 7), limits)
    assert all(len(body) <= limits[1] for body in bodies)
    return [msgspec.json.decode(body, type=wire.Append) for body in bodies]


@given(st.lists(st.text(max_size=20)), st.integers(1, 5))
def test_the_parts_together_are_the_batch_and_their_numbers_follow_one_another(messages: list[str], most: int) -> None:
    events = [NewEvent(number, message) for number, message in enumerate(messages)]
    found = taken_apart(events, (most, EMPTY + 300))
    assert [(e.timestamp, e.message) for part in found for e in part.events] == list(enumerate(messages))
    number = 7
    for part in found:
        assert 0 < len(part.events) <= most
        assert part.writer == Writer("w", number)
        number += len(part.events)


def test_a_batch_that_fits_is_one_request() -> None:
    assert len(parts("g", "s", [NewEvent(0, "x" * 3000)] * MAX_BATCH, None)) == 1
    assert len(parts("g", "s", [NewEvent(0, "\0" * MAX_EVENT_BYTES)], None)) == 1


def test_a_line_that_fits_into_no_request_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bytes is too long to send; cut it at 1,000"):
        parts("g", "s", [NewEvent(0, "short"), NewEvent(0, "x" * 1000)], None, (10, 1000))
