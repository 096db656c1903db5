"""One step of the collector: a task and a page of its lines in, the write that follows out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from miyabi.collector.collect import newborn
from miyabi.collector.step import HISTORY_MILLIS, advance
from miyabi.database import Current, Save
from miyabi.model import LogEvent, RunExit, RunStart, Task, iso, marker_line, millis
from miyabi.progress.forecast import Earlier

NOW = 1_795_000_000_000
START = RunStart("r1", "cdk deploy", "cdk_deploy", "shop", command="cdk deploy --all")


def no_runs(task: Task) -> Earlier:
    return Earlier()


def events(*messages: str, at: int = NOW, first: int = 1) -> list[LogEvent]:
    return [LogEvent(str(n), at + n, message, n) for n, message in enumerate(messages, first)]


def ended(code: int | None, run: str = "r1", **fields: Any) -> str:
    return marker_line(RunExit(run, code, **fields))


class Stream:
    """A stream that is read page by page."""

    def __init__(self) -> None:
        self.current: Current | None = None
        self.saves: list[Save] = []
        self.runs = no_runs
        self.now = NOW
        self._lines = 0

    def read(self, *messages: str, later: int = 1000) -> Task:
        """The task after a page of ``messages``."""
        self.now += later
        page = events(*messages, at=self.now, first=self._lines + 1)
        self._lines += len(messages)
        fresh = newborn("/miyabi/jobs", "a", "a", self.now)
        save = advance(self.current, fresh, page, str(self._lines), self.now + 100, self.runs)
        self.saves.append(save)
        self.current = Current(save.task, save.bookmark)
        return save.task


def started(*messages: str) -> Stream:
    stream = Stream()
    stream.read(marker_line(START), *messages)
    return stream


def test_a_line_in_an_unknown_stream_is_a_running_task() -> None:
    stream = Stream()
    task = stream.read("ShopStack | 15/29 | 10:15:30 AM | CREATE_IN_PROGRESS | AWS::S3::Bucket | B (B1)")
    assert (task.task_id, task.status) == ("a", "running")
    assert (task.progress.current, task.progress.total, task.progress.percentage) == (15, 29, 51.7)
    assert task.details.source is not None
    assert task.details.source.line == 1
    assert task.created_at == task.details.started_at == iso(stream.now + 1)


def test_a_run_says_what_it_is_and_its_lines_keep_their_numbers() -> None:
    task = started("hello", "[15/29] building").read("[16/29] building")
    assert (task.task_name, task.task_type, task.project_id) == ("cdk deploy", "cdk_deploy", "shop")
    assert task.details.command == "cdk deploy --all"
    assert task.details.source is not None
    assert task.details.source.line == 4, "the number within the stream, the start marker being line 1"


def test_a_line_that_says_the_same_again_is_not_the_source() -> None:
    task = started("[1/9] a").read("[1/9] a", "error: no")
    assert task.details.source is not None
    assert task.details.source.line == 2
    task = started("[1/9] a", "[1/9] a", "error: no").read("noise")
    assert task.details.source is not None
    assert task.details.source.line == 2


def test_the_exit_code_alone_ends_a_run() -> None:
    stream = started("[1/2] a", "[2/2] b", "BUILD SUCCESSFUL in 18s")
    assert stream.current is not None
    assert stream.current.task.status == "running"
    task = stream.read(ended(0, duration_seconds=12.5))
    assert (task.status, task.duration_seconds) == ("completed", 12.5)
    assert task.completed_at is not None
    assert millis(task.completed_at) == stream.now + 5


def test_a_percentage_is_no_success() -> None:
    assert started("100%", "[29/29] done").read("100 %").status == "running"


def test_success_may_come_short_of_the_total() -> None:
    task = started("ShopStack | 12/15 | 10:15:30 AM | CREATE_COMPLETE | AWS::S3::Bucket | B (B1)").read(ended(0))
    assert (task.status, task.progress.current, task.progress.total) == ("completed", 12, 15)
    assert task.progress.percentage == 80.0


@pytest.mark.parametrize(
    ("marker", "status", "reason"),
    [
        (ended(2), "failed", "exit code 2"),
        (ended(137, signal="SIGKILL"), "failed", "SIGKILL"),
        (ended(None, seen=False), "failed", "without being seen"),
        (ended(None), "completed", None),
        (ended(130), "cancelled", None),
        (ended(130, signal="SIGINT"), "cancelled", None),
    ],
)
def test_how_a_run_ended_is_told(marker: str, status: str, reason: str | None) -> None:
    task = started("working").read(marker)
    assert task.status == status
    assert (reason in (task.details.error_message or "")) if reason else task.details.error_message is None


def test_the_line_that_says_why_is_kept_over_the_exit_code() -> None:
    task = started("compiling", "error: linker `cc` not found", "make: *** [all] Error 1").read(ended(2))
    assert task.details.error_message == "error: linker `cc` not found"
    assert task.details.exit_code == 2


def test_where_nobody_sees_an_exit_code_the_words_decide() -> None:
    task = started("compiling", "make: *** [all] Error 1").read(ended(None))
    assert (task.status, task.details.error_message) == ("failed", "make: *** [all] Error 1")


def test_somebody_elses_markers_end_nothing() -> None:
    assert started("working").read(ended(0, run="another")).status == "running"
    assert Stream().read("working", ended(0)).status == "running"


def test_a_line_that_only_looks_like_a_marker_is_a_line() -> None:
    assert started('{"miyabi":"exit"}', '{"miyabi": 5}', '{"miyabi":').read("x").status == "running"


def test_a_stream_that_nobody_runs_has_ended_when_its_last_word_says_so() -> None:
    stream = Stream()
    assert stream.read("[1/2] core", "BUILD SUCCESSFUL in 2s").status == "completed"
    going_on = stream.read("[1/3] app")
    assert (going_on.status, going_on.completed_at, going_on.duration_seconds) == ("running", None, None)
    assert stream.read("error: no such file", "BUILD FAILED in 3s").status == "failed"
    ended = stream.read("noise")
    assert (ended.status, ended.completed_at) == ("failed", iso(stream.now - 1000 + 4)), "the first word of it"


@given(
    st.lists(st.sampled_from(["[1/9] a", "[5/9] b", "noise", "BUILD SUCCESSFUL in 2s", "BUILD FAILED"]), min_size=1),
    st.data(),
)
def test_where_the_pages_of_a_stream_end_does_not_matter(lines: list[str], data: st.DataObject) -> None:
    whole = Stream().read(*lines, later=0)
    cut, start = Stream(), 0
    while start < len(lines):
        end = data.draw(st.integers(start + 1, len(lines)))
        cut.now = NOW
        task = cut.read(*lines[start:end], later=0)
        start = end
    assert replace(task, timestamp=0, updated_at="", ttl=0) == replace(whole, timestamp=0, updated_at="", ttl=0)


def test_an_ended_task_is_not_moved_by_later_lines() -> None:
    stream = started("[1/9] a")
    done = stream.read(ended(0))
    later = stream.read("[2/9] b")
    assert later == done
    assert stream.saves[-1].kept is False
    assert stream.saves[-1].bookmark is not None
    assert stream.saves[-1].bookmark.position == "4"


def test_a_new_run_in_the_same_stream_starts_the_task_again() -> None:
    stream = started("[8/9] a")
    stream.read(ended(1))
    created = stream.saves[0].task.created_at
    task = stream.read(marker_line(RunStart("r2", "again", "build", "shop")), "[1/9] a")
    assert (task.status, task.progress.current, task.created_at) == ("running", 1, created)
    assert task.details.started_at == iso(stream.now + 4)
    assert task.completed_at is None
    assert task.details.error_message is None


def test_reading_a_page_again_gives_the_same() -> None:
    page = events(marker_line(START), "[3/9] a", "[4/9] b")
    fresh = newborn("/miyabi/jobs", "a", "a", NOW)
    assert advance(None, fresh, page, "3", NOW, no_runs) == advance(None, fresh, page, "3", NOW, no_runs)


def test_any_cut_into_pages_ends_the_same() -> None:
    messages = [marker_line(START), *(f"[{n}/9] step" for n in range(1, 10)), ended(0, duration_seconds=3)]
    results = []
    for size in (1, 2, 5, 11):
        stream = Stream()
        for start in range(0, len(messages), size):
            stream.now = NOW
            task = stream.read(*messages[start : start + size], later=0)
        results.append((task.status, task.progress, task.details.source, task.duration_seconds))
    assert len(set(results)) == 1


def test_versions_only_go_forward_even_when_the_clock_does_not() -> None:
    stream = started("[1/9] a")
    before = stream.saves[-1].task.timestamp
    assert stream.read("[2/9] a", later=-5000).timestamp == before + 1


def test_the_history_keeps_what_changed_and_one_version_a_second_of_what_moved() -> None:
    stream = started("[1/9] a")
    stream.read("[2/9] a", later=HISTORY_MILLIS)
    stream.read("[3/9] a", later=1)
    stream.read(ended(0), later=1)
    assert [save.kept for save in stream.saves] == [True, True, False, True]


def test_what_somebody_wrote_in_between_is_built_upon() -> None:
    stream = started("[1/9] a")
    assert stream.current is not None
    stream.current = replace(stream.current, task=replace(stream.current.task, task_name="mine"))
    assert stream.read("[2/9] a").task_name == "mine"
