"""Which lines the reader looks at, and that what is remembered of them changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miyabi.progress import sieve
from miyabi.progress.sieve import NUMBER, WORD, Lines


def test_lines_without_a_sign_of_progress_or_an_end_are_passed_over() -> None:
    lines = ["copying the quick brown fox", "2025-11-15 10:15:30 INFO started worker a5", "/usr/lib/python3.11/site.py"]
    assert [*Lines(lines).worth(lambda: False)] == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("15/29", NUMBER),
        ("copied 3 MB /  7 MB", NUMBER),
        ("step 3 of   7", NUMBER),
        ("52.4 %", NUMBER),
        ("error: no such file", WORD),
        ("12% tests passed, 7 failed", NUMBER | WORD),
        ("漢字 ✅ done", WORD),
        ("\x1b[32mDone\x1b[0m 3/3", NUMBER | WORD),
    ],
)
def test_a_line_is_looked_at_for_what_it_may_have(line: str, kind: int) -> None:
    assert Lines(["a", line, "b"]).kind(1) == kind


@given(
    st.lists(st.text(max_size=30) | st.sampled_from(["7/9", "100%", "fail", "ok 3", "x" * 400 + " 5/9", "\ud800 3/4"]))
)
def test_what_is_remembered_of_other_lines_changes_no_answer(lines: list[str]) -> None:
    sieve.forget()
    first = [Lines([line]).kind(0) for line in lines]
    together = Lines(lines)
    assert [together.kind(place) for place in range(len(lines))] == first


def test_what_is_remembered_is_bounded() -> None:
    sieve.forget()
    for start in range(0, 40_000, 2_000):
        Lines([f"{chr(0x4E00 + n)} unlike any other" for n in range(start, start + 2_000)])
    assert sieve.remembered() <= sieve.MOST_SHAPES + 2_000
