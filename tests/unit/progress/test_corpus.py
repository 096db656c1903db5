"""What the reader makes of recorded logs of real tools."""

from __future__ import annotations

import json

import pytest
from tests.support.corpus import CAPTURES, DATA, Case, cases, updates, wrong

from miyabi.progress.reader import Reader

CASES = [pytest.param(case, id=case.name) for data in (DATA, CAPTURES) for case in cases(data)]
KNOWN = 3
"""Checkpoints that nobody could know yet: curl's meter before it has a total, the first number of ``pv -n``."""


def test_at_99_percent_of_all_checkpoints_the_percentage_is_what_a_careful_reader_says() -> None:
    mistakes = [mistake for case in cases() for mistake in wrong(case)]
    total = sum(len(case.checkpoints) for case in cases())
    assert total > 1800
    assert len(mistakes) <= KNOWN, "\n".join(mistakes)


def test_at_99_percent_of_the_checkpoints_of_tools_captured_later_it_is_right_too() -> None:
    captured = list(cases(CAPTURES))
    mistakes = [mistake for case in captured for mistake in wrong(case)]
    assert len(mistakes) <= sum(len(case.checkpoints) for case in captured) // 100, "\n".join(mistakes)


@pytest.mark.parametrize("case", CASES)
def test_a_log_that_shows_how_it_ended_is_read_so(case: Case) -> None:
    changes = updates(case.raw)
    status = changes[-1][1].status if changes else "running"
    if case.final_status != "unknown":
        assert status == case.final_status
    if status == "failed":
        assert changes[-1][1].error


@pytest.mark.parametrize("line", (DATA / "negatives.txt").read_text().splitlines())
def test_a_line_that_is_not_progress_gives_none(line: str) -> None:
    reader = Reader()
    reader.read([line])
    assert reader.reading.progress.percentage is None
    assert reader.reading.progress.total is None


@pytest.mark.parametrize("text", (DATA / "lines.jsonl").read_text().splitlines())
def test_a_line_that_says_it_all_is_read_alone(text: str) -> None:
    label = json.loads(text)
    reader = Reader()
    reader.read([label["line"]])
    assert reader.reading.progress.percentage == pytest.approx(label["percentage"], abs=1)
    assert reader.reading.source is not None
