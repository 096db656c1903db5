"""What holds for any input: splits, resumes, bounds, honesty."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.corpus import STATE_BYTES, Case, cases, in_pieces, segments

from miyabi.progress.lines import MAX_LINE, Splitter
from miyabi.progress.reader import Reader, Reading

CASES = [pytest.param(case, id=case.name) for case in cases()]
DIGITS: tuple[Literal["Nd"]] = ("Nd",)

PIECES = st.sampled_from(
    [
        *[
            "15/29",
            "[3/7] ",
            "52%",
            " of ",
            "100%",
            "Epoch 2/4",
            "\r",
            "\n",
            "\r\n",
            "\x1b[1A",
            "\x1b[2K",
            "\x08\x08",
            "|████  |",
        ],
        *[
            "Done",
            "error: ",
            "Traceback (most recent call last):\n",
            "{",
            '{"progress": 0.5}',
            "FAILED",
            "ok 3",
            "1..4",
            "\x1b[",
        ],
        *[
            "Plan: 7 to add, 0 to change, 0 to destroy",
            "x: Creation complete after 3s",
            " ",
            "step ",
            "é",
            "漢",
            "\x00",
            "9" * 30,
        ],
    ]
)
TEXT = st.lists(PIECES | st.text(max_size=8), max_size=60).map("".join)


def _pieces(raw: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    return [raw[a:b] for a, b in pairwise(places)]


@given(TEXT, st.lists(st.integers(0, 10_000), max_size=20))
@settings(max_examples=200, deadline=None)
def test_bytes_split_anywhere_give_the_same_messages(text: str, cuts: list[int]) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    whole, split = Splitter(), Splitter()
    expected = [*whole.feed(raw), whole.flush()]
    got = [segment for piece in _pieces(raw, cuts) for segment in split.feed(piece)]
    assert [*got, split.flush()] == expected


@given(st.lists(TEXT, max_size=30), st.lists(st.integers(0, 10_000), max_size=10))
@settings(max_examples=200, deadline=None)
def test_any_split_and_any_number_of_resumes_give_the_same_readings(messages: list[str], cuts: list[int]) -> None:
    expected = Reader().read(messages)
    places = sorted({0, len(messages), *(cut % (len(messages) + 1) for cut in cuts)})
    got: list[tuple[int, Reading]] = []
    state: bytes | None = None
    for a, b in pairwise(places):
        reader = Reader(state)
        got += [(a + index, reading) for index, reading in reader.read(messages[a:b])]
        state = reader.save()
        assert len(state) <= STATE_BYTES
    assert got == expected


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_log_read_in_pieces_gives_the_same_readings(case: Case) -> None:
    messages = [message for message, _ in segments(case.raw)]
    assert in_pieces(messages, random.Random(case.name)) == Reader().read(messages)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=DIGITS), max_size=80), max_size=30))
@settings(max_examples=200, deadline=None)
def test_without_a_digit_nothing_is_claimed(messages: list[str]) -> None:
    reader = Reader()
    reader.read(messages)
    assert reader.reading.progress.percentage is None


@given(TEXT)
@settings(max_examples=300, deadline=None)
def test_a_percentage_is_100_only_where_the_tool_said_so_or_its_count_is_full(text: str) -> None:
    reader = Reader()
    for _, reading in reader.read(text.split("\n")):
        progress = reading.progress
        if progress.percentage == 100 and progress.total is not None:
            assert progress.current == progress.total
        elif progress.percentage == 100:
            assert reading.source is not None
            assert "100" in reading.source.text or "1" in reading.source.text


@pytest.mark.parametrize("digits", [16, 19, 40, 5000])
@pytest.mark.parametrize(
    "text",
    [
        "Plan: {0} to add, 0 to change, 0 to destroy",
        "Epoch {0}/{0}",
        "Epoch [{0}/{0}], Step [{0}/{0}], Loss: 0.5",
        "step {0}/{0}",
        '{{"progress": {{"current": {0}, "total": {0}}}}}',
        "  Duration: {0}:00:00.00, start: 0",
        "A: deploying... [{0}/{0}]",
        "{0} of {0} START sql table model a.b",
        "1..{0}",
        "[{0}/{0}] a",
        "done={0} total={0}",
        "52%\x1b[{0}A\r",
    ],
)
def test_a_number_that_counts_nothing_breaks_nothing(text: str, digits: int) -> None:
    reader = Reader()
    reader.read([text.format("9" * digits), "[1/4] a", "50%"])
    assert len(reader.save()) <= STATE_BYTES
    assert reader.reading.progress.percentage in (12.5, 50.0, 25.0)


def test_more_left_than_there_is_counts_nothing() -> None:
    reader = Reader()
    reader.read(["        900,000 100%  275.69MB/s    0:00:00 (xfr#1, to-chk=61/59)"])
    assert reader.reading.progress.current is None


NASTY = {
    "digits": "1" * MAX_LINE,
    "fractions": "1/2 " * (MAX_LINE // 4),
    "percentages": "1% " * (MAX_LINE // 3),
    "slashes": "/" * MAX_LINE,
    "digits and slashes": "1/" * (MAX_LINE // 2),
    "brackets": "[" * MAX_LINE,
    "bars": "[" + "=" * MAX_LINE,
    "blanks": " " * MAX_LINE,
    "blanks and a number": " " * MAX_LINE + "5/9",
    "pipes": "|" * MAX_LINE,
    "of": " of 1" * (MAX_LINE // 5),
    "commas": "1," * (MAX_LINE // 2),
    "escapes": "\x1b[" * (MAX_LINE // 2),
    "titles": "\x1b]0;" * (MAX_LINE // 4),
    "colours": "\x1b[31m1/2\x1b[0m" * (MAX_LINE // 12),
    "braces": '{"progress":' * (MAX_LINE // 12),
    "brackets in json": '{"progress":' + "[" * MAX_LINE,
    "words": "error " * (MAX_LINE // 6),
    "dots": "." * MAX_LINE,
    "dashes": "-- " * (MAX_LINE // 3),
    "times": "10:15:30 " * (MAX_LINE // 9),
    "blocks": "█" * (MAX_LINE // 3),
    "tests": " ... ok" * (MAX_LINE // 7),
    "skipped": " ... skipped" * (MAX_LINE // 12),
    "keys": "done=1 a=b " * (MAX_LINE // 11),
    "totals": "done=1,total=" * (MAX_LINE // 13),
    "done and left": "1 done, 1 " * (MAX_LINE // 10),
    "counts in japanese": "29件中15件" * (MAX_LINE // 15),
    "passed of": "Test Files 1 passed (" * (MAX_LINE // 21),
    "letters": "a" * MAX_LINE + "Error: x",
}


quadratic_takes_minutes = pytest.mark.timeout(30)
"""What is linear in the length takes milliseconds, however busy the machine is."""


@quadratic_takes_minutes
@pytest.mark.parametrize("name", NASTY)
def test_a_line_of_a_megabyte_takes_no_time_whatever_its_shape(name: str) -> None:
    line = NASTY[name]
    Reader().read([line, line + "\r"])


@quadratic_takes_minutes
@pytest.mark.parametrize("name", NASTY)
def test_a_megabyte_of_bytes_is_split_in_no_time_whatever_its_shape(name: str) -> None:
    raw = NASTY[name].encode()
    splitter = Splitter()
    for at in range(0, len(raw), 65536):
        splitter.feed(raw[at : at + 65536])
    splitter.flush()


@quadratic_takes_minutes
@pytest.mark.parametrize("end", [b"\r", b"\x08", b"\x1b[1G", b"\r\n", b"\n"])
def test_a_megabyte_of_line_ends_is_split_in_no_time(end: bytes) -> None:
    splitter = Splitter()
    splitter.feed(end * (MAX_LINE // len(end)))
    splitter.flush()
