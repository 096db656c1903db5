"""The line that a run adds at its end."""

from __future__ import annotations

import pytest

from miyabi.cli.run.closing import duration, paint, status_of, where
from miyabi.cli.run.shipper import Report
from miyabi.cli.run.spool import Exit


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (Exit(0), "✓ completed"),
        (Exit(3), "✗ failed (exit 3)"),
        (Exit(130, 2), "✗ ended by SIGINT"),
        (Exit(None), "– ended with nobody watching"),
    ],
)
def test_the_end_is_told_in_a_word(ended: Exit, words: str) -> None:
    assert " ".join(status_of(ended)) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (0.42, "0.4s"),
        (59.94, "59.9s"),
        (59.96, "1m 00s"),
        (123, "2m 03s"),
        (3600, "1h 00m"),
        (7384, "2h 03m"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_address_is_the_task_on_the_board() -> None:
    assert where(Report("sent", "http://127.0.0.1:8420"), "t-1") == "http://127.0.0.1:8420/tasks/t-1"


def test_lines_that_wait_are_told_with_the_reason_and_what_to_do() -> None:
    text = where(Report("waiting", None, "http://x can't be reached (refused)"), "t-1")
    assert "http://x can't be reached (refused)" in text
    assert "miyabi flush" in text


def test_colour_is_for_terminals_whose_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert paint("✓", "32", terminal=True) == "\x1b[32m✓\x1b[0m"
    assert paint("✓", "32", terminal=False) == "✓"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("✓", "32", terminal=True) == "✓"
