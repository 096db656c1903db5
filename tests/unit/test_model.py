"""The model refuses bad values at birth, and what it makes is what others may rely on."""

from __future__ import annotations

import math
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miyabi.model import (
    ID_PATTERN,
    LATEST,
    NewEvent,
    Progress,
    RunExit,
    RunStart,
    Tally,
    Task,
    group_of,
    is_id,
    iso,
    marker_line,
    millis,
    new_id,
    read_marker,
    slug,
)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_percentage_is_100_only_when_current_equals_total(current: int, total: int) -> None:
    percentage = Progress.of(current, total).percentage
    assert percentage is not None
    assert 0 <= percentage <= 100
    assert (percentage == 100) == (current == total)


@pytest.mark.parametrize(
    "fields",
    [{"total": 0}, {"total": -1}, {"current": -1}, {"percentage": 101}, {"percentage": -1}, {"total": math.nan}],
)
def test_progress_that_can_not_be_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        Progress(**fields)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Progress) if fields != {"total": math.nan} else msgspec.convert({"total": 0}, Progress)


def test_counts_stay_the_numbers_they_were() -> None:
    text = b'{"current":15,"total":29,"percentage":51.7}'
    assert msgspec.json.encode(msgspec.json.decode(text, type=Progress)) == text


def test_a_record_always_has_what_it_must_have() -> None:
    task = Task(
        task_id="a", timestamp=1, task_name="a", task_type="build", status="running", project_id="p",
        created_at=iso(1), updated_at=iso(1),
    )  # fmt: skip
    record = msgspec.to_builtins(task)
    assert {"priority", "progress", "details", "metadata"} <= record.keys()
    assert not {"description", "completed_at", "duration_seconds", "github", "ttl"} & record.keys()
    assert msgspec.json.decode(msgspec.json.encode(task), type=Task) == task


@given(st.text())
def test_a_slug_is_an_id_whatever_it_is_made_of(text: str) -> None:
    assert is_id(slug(text))
    assert re.match(ID_PATTERN, new_id(text))


@pytest.mark.parametrize("text", ["", ".", "-a", "a/b", "../a", "a b", "a\n", "é", "a" * 129])
def test_what_is_no_id_is_refused(text: str) -> None:
    assert not is_id(text)


@given(st.integers(0, 4_000_000_000_000))
def test_times_come_back_as_they_went(ms: int) -> None:
    assert millis(iso(ms)) == ms


@pytest.mark.parametrize("ms", [LATEST + 1, 10**18, 2**70])
def test_a_time_past_the_last_year_is_its_end(ms: int) -> None:
    assert iso(ms) == iso(LATEST) == "9999-12-31T23:59:59.000Z"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"timestamp": ms, "message": ""}, NewEvent)


@given(st.lists(st.integers(0, 4_000_000_000_000)))
def test_the_order_of_texts_is_the_order_of_times(times: list[int]) -> None:
    assert sorted(map(iso, times)) == [iso(ms) for ms in sorted(times)]


@pytest.mark.parametrize(
    "marker",
    [RunStart("r", "名前 \x1b", "build", "p", command='echo "x"'), RunExit("r", 0), RunExit("r", None, "SIGKILL", 1.5)],
)
def test_markers_come_back_as_they_went(marker: RunStart | RunExit) -> None:
    line = marker_line(marker)
    assert "\n" not in line
    assert read_marker(line) == marker


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        '{"miyabi":',
        '{"miyabi":"exit"}',
        '{"miyabi":"stop","run":"r"}',
        ' {"miyabi":"exit","run":"r","code":0}',
        '{"miyabi":"exit","run":"r","code":0,"duration_seconds":-1}',
        '{"miyabi":"exit","run":"r","code":0,"duration_seconds":1e308}',
        '{"miyabi":"exit","run":"r","code":99999999999999999999}',
        '{"miyabi":"exit","run":"\ud800","code":0}',
        '{"miyabi":"exit","x":' + "[" * 100_000,
    ],
)
def test_other_lines_are_no_markers(line: str) -> None:
    assert read_marker(line) is None


def test_rates_are_known_once_something_has_ended() -> None:
    assert Tally(running=3, cancelled=2).success_rate is None
    assert Tally(completed=3, failed=1, cancelled=9, completed_seconds=30).success_rate == 0.75
    assert Tally(completed=3, completed_seconds=31).mean_duration_seconds == 10.333


@pytest.mark.parametrize(
    ("task_type", "group"),
    [
        ("cdk_deploy", "/miyabi/cdk-deploy"),
        ("agent_execution", "/miyabi/agents"),
        ("issue_creation", "/miyabi/agents"),
        ("build", "/miyabi/jobs"),
    ],
)
def test_a_types_lines_have_their_group(task_type: str, group: str) -> None:
    assert group_of(task_type) == group
