"""From output on disk to events: complete, in order, and the same whoever reads it again."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miyabi.cli.run.lines import Lines, Sent, pieces
from miyabi.cli.run.shelf import Header
from miyabi.cli.run.spool import Exit, Kind, SpoolWriter, part
from miyabi.model import NewEvent, RunExit, RunStart, marker_line, read_marker

HEADER = Header(None, "/miyabi/jobs", "t-1", 1000, RunStart("abc", "make", "build", "p"))


class Clock:
    """Time in ms, as a test wants it."""

    def __init__(self) -> None:
        self.ms = 1000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


def messages(events: list[NewEvent]) -> list[str]:
    return [event.message for event in events if read_marker(event.message) is None]


def drain(lines: Lines) -> list[NewEvent]:
    events: list[NewEvent] = []
    while not lines.finished and (batch := lines.batch(True)):
        events += batch
        lines.acknowledge()
    lines.close()
    return events


def test_a_stream_begins_and_ends_with_the_marks_of_the_run(tmp_path: Path, clock: Clock) -> None:
    spool = SpoolWriter(tmp_path / "s", clock)
    spool.output(Kind.OUT, b"one\n")
    spool.close(Exit(143, 15, 1.5))
    first, line, last = drain(Lines(tmp_path / "s", HEADER, Sent(), clock))
    assert read_marker(first.message) == HEADER.start
    assert line == NewEvent(1000, "one")
    assert read_marker(last.message) == RunExit("abc", 143, "SIGTERM", 1.5)


def test_output_and_errors_are_lines_apart(tmp_path: Path, clock: Clock) -> None:
    spool = SpoolWriter(tmp_path / "s", clock)
    for kind, data in ((Kind.OUT, b"a"), (Kind.ERR, b"x"), (Kind.OUT, b"b\n"), (Kind.ERR, b"y\n"), (Kind.OUT, b"c")):
        spool.output(kind, data)
    spool.close(Exit(0))
    assert messages(drain(Lines(tmp_path / "s", HEADER, Sent(), clock))) == ["ab", "xy", "c"]


def test_a_job_that_prints_markers_starts_and_ends_nothing(tmp_path: Path, clock: Clock) -> None:
    forged = [marker_line(RunStart("other", "mine", "build", "p")), marker_line(RunExit("abc", 0))]
    spool = SpoolWriter(tmp_path / "s", clock)
    spool.output(Kind.OUT, "\n".join(forged).encode())
    spool.close(Exit(1))
    events = drain(Lines(tmp_path / "s", HEADER, Sent(), clock))
    assert [read_marker(event.message) is None for event in events] == [False, True, True, False]
    assert messages(events) == [f" {line}" for line in forged]


def test_a_run_whose_end_nobody_saw_ends_with_a_code_of_none(tmp_path: Path, clock: Clock) -> None:
    spool = SpoolWriter(tmp_path / "s", clock)
    spool.output(Kind.OUT, b"one\nhalf")
    spool.close(None)
    events = drain(Lines(tmp_path / "s", HEADER, Sent(), clock))
    assert messages(events) == ["one", "half"]
    assert read_marker(events[-1].message) == RunExit("abc", None, seen=False)


def test_an_unfinished_line_is_shown_after_a_while_and_again_ever_more_rarely(tmp_path: Path, clock: Clock) -> None:
    spool = SpoolWriter(tmp_path / "s", clock)
    lines = Lines(tmp_path / "s", HEADER, Sent(), clock)
    shown: list[tuple[int, str]] = []
    for _ in range(400):
        spool.output(Kind.OUT, b".")
        clock.ms += 50
        if lines.batch(False):
            shown += [(event.timestamp, event.message) for event in lines.batch(False)]
            lines.acknowledge()
    partials = [(ms, text) for ms, text in shown if text.endswith("\r")]
    assert 4 <= len(partials) <= 8
    assert partials[0][0] - 1000 <= 300
    spool.output(Kind.OUT, b"\n")
    spool.close(Exit(0))
    assert messages(drain(lines)) == ["." * 400]


def test_files_that_are_sent_are_deleted_while_the_command_runs(tmp_path: Path, clock: Clock) -> None:
    spool = SpoolWriter(tmp_path / "s", clock, file_bytes=1000)
    lines = Lines(tmp_path / "s", HEADER, Sent(), clock)
    for number in range(500):
        spool.output(Kind.OUT, b"line %d\n" % number)
        if lines.batch(False):
            lines.acknowledge()
    assert len(list(tmp_path.glob("s.*"))) <= 2
    assert not part(tmp_path / "s", 0).exists()


OUTPUT = st.lists(
    st.tuples(
        st.sampled_from([Kind.OUT, Kind.ERR]),
        st.lists(
            st.sampled_from([b"a", b"\xe6\x97\xa5", b"\n", b"\r", b"\xff", b"word ", b"12/30 "]),
            min_size=1,
            max_size=30,
        ).map(b"".join),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(OUTPUT, st.integers(0, 2**32))
def test_a_sender_that_dies_anywhere_leaves_nothing_out_and_sends_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, output: list[tuple[Kind, bytes]], seed: int
) -> None:
    base = tmp_path_factory.mktemp("spool") / "s"
    clock, chance = Clock(), random.Random(seed)
    spool = SpoolWriter(base, clock, file_bytes=60)
    stored: dict[int, str] = {}
    lines = Lines(base, HEADER, Sent(), clock)

    def step(gone: bool) -> Lines:
        nonlocal lines
        if not (batch := lines.batch(gone)):
            return lines
        fate = chance.choice(["stored", "stored", "died before", "died after"])
        saved = lines.sent
        if fate != "died before":
            for number, event in enumerate(batch, saved.sequence):
                assert stored.setdefault(number, event.message) == event.message
        if fate == "stored":
            lines.acknowledge()
        else:
            lines.close()
            lines = Lines(base, HEADER, saved, clock)
        return lines

    for kind, data in output:
        spool.output(kind, data)
        clock.ms += chance.choice([0, 10, 300])
        if chance.random() < 0.5:
            step(False)
    spool.close(Exit(0, 0, 1.0))
    while not lines.finished:
        step(True)
    lines.close()
    texts = [text for number, text in sorted(stored.items()) if read_marker(text) is None]
    whole = [text for text in texts if not text.endswith("\r")]
    assert sorted(stored) == list(range(len(stored)))
    assert sorted(whole) == sorted(_whole(output))


def _whole(output: list[tuple[Kind, bytes]]) -> list[str]:
    from miyabi.progress.lines import Splitter

    found: list[str] = []
    for wanted in (Kind.OUT, Kind.ERR):
        splitter = Splitter()
        segments = splitter.feed(b"".join(data for kind, data in output if kind == wanted))
        segments += [last] if (last := splitter.flush()) else []
        found += [segment.message for segment in segments if not segment.message.endswith("\r")]
    return found


def test_a_line_too_large_to_send_is_cut_and_nothing_of_it_is_lost() -> None:
    line = "\0" * 999_999 + "\r"
    cut = pieces(line)
    assert "".join(cut) == line
    assert len(cut) > 1
    assert pieces("x" * 1_000_000) == ["x" * 1_000_000]
