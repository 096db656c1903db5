"""Notices in words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.tasks import START, a_task

from miyabi.model import Details, Progress, Stopped, iso
from miyabi.notices import KINDS, LANGUAGES, Language, Notice
from miyabi.notices.news import MOST_TEXT, news_of
from miyabi.notices.text import WORDS, Text, duration, far, text_of

BOARD = "https://board.example.org"


def said(language: Language = "en", url: str | None = BOARD, **fields: Any) -> Text:
    """The text of a task 250 s after its beginning."""
    task = a_task("deploy-1", task_name="deploy prod", task_type="cdk_deploy", **fields)
    return text_of(Notice("msg_1", [news_of(task, START + 250_000)], language), url)


def test_a_failure_says_what_where_how_far_how_long_and_why() -> None:
    assert said(
        status="failed",
        duration_seconds=250.4,
        progress=Progress.of(15, 29),
        details=Details(error_message="Resource handler returned message: no such bucket", phase="Orders: create"),
    ) == (
        "✗ deploy prod failed",
        "house · cdk_deploy · stopped at 51.7 % (15/29) · took 4 min 10 s\n"
        "Resource handler returned message: no such bucket\n"
        "Orders: create\n"
        "https://board.example.org/tasks/deploy-1",
    )


def test_the_same_in_japanese() -> None:
    details = Details(error_message="バケットがありません")
    assert said("ja", None, status="failed", duration_seconds=250, progress=Progress.of(15, 29), details=details) == (
        "✗ deploy prod が失敗しました",
        "house · cdk_deploy · 51.7 % (15/29) で終了 · 所要時間 4分10秒\nバケットがありません",
    )


def test_a_completed_task_says_how_long_it_took() -> None:
    text = said(status="completed", duration_seconds=723, progress=Progress.of(29, 29), details=Details(phase="x"))
    assert text.title == "✓ deploy prod completed"
    assert text.body.splitlines() == ["house · cdk_deploy · took 12 min 3 s", f"{BOARD}/tasks/deploy-1"]


def test_one_that_waits_says_what_for() -> None:
    text = said(status="blocked", progress=Progress.of(1, 4), details=Details(current_step="Allow `rm -r build`?"))
    assert text.title == "⏸ deploy prod waits for somebody"
    assert text.body.splitlines()[:2] == [
        "house · cdk_deploy · at 25 % (1/4) · running for 4 min 10 s",
        "Allow `rm -r build`?",
    ]


@pytest.mark.parametrize(
    ("what", "language", "words"),
    [
        ("progress", "en", "no progress for 3 min 20 s"),
        ("output", "en", "no output for 3 min 20 s"),
        ("progress", "ja", "3分20秒進捗なし"),
        ("output", "ja", "3分20秒出力なし"),
    ],
)
def test_one_that_has_stopped_says_since_when(what: Any, language: Language, words: str) -> None:
    text = said(language, details=Details(stopped=Stopped(what, iso(START + 50_000), 20.0)))
    assert words in text.body


def test_nothing_is_claimed_of_a_progress_that_nobody_knows() -> None:
    assert "%" not in said(status="failed").body
    assert [far(Progress()), far(Progress(3)), far(Progress(percentage=52)), far(Progress(15, 29))] == [
        "",
        "",
        "52 %",
        "15/29",
    ]


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (0, "0 s", "0秒"),
        (59.6, "1 min", "1分"),
        (3600, "1 h", "1時間"),
        (3725, "1 h 2 min", "1時間2分"),
        (90061, "1 d 1 h", "1日1時間"),
        (-5, "0 s", "0秒"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, english: str, japanese: str) -> None:
    assert (duration(seconds, "en"), duration(seconds, "ja")) == (english, japanese)


def test_what_a_job_prints_steers_no_terminal_calls_nobody_and_is_bounded() -> None:
    wild = "\x1b[31mred\x1b[0m @here <!channel> \x07\u202e" + "x" * 10_000
    text = said(status="failed", details=Details(error_message=wild))
    assert not any(bad in text.body for bad in ("\x1b", "\x07", "@here", "<!", "\u202e"))
    assert len(text.body) < MOST_TEXT + 300


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_its_title_in_every_language(language: Language) -> None:
    assert set(WORDS[language].titles) == set(KINDS)
    assert all("{name}" in title for title in WORDS[language].titles.values())


def test_a_name_may_hold_whatever_a_format_would_take() -> None:
    task = a_task("a", status="failed", task_name="{name} {0} %s\nnext")
    assert text_of(Notice("msg_1", [news_of(task, START)]), None).title == "✗ {name} {0} %s next failed"


def test_a_digest_has_a_line_for_each_and_says_how_many_more() -> None:
    details = Details(error_message="first line\nsecond line")
    news = [news_of(a_task(f"t{n}", status="failed", details=details), START) for n in range(30)]
    text = text_of(Notice("msg_1", news, more=7), BOARD)
    lines = text.body.splitlines()
    assert text.title == "37 notices from the quiet hours"
    assert lines[0] == "✗ t0 failed · house · first line"
    assert lines[-2:] == ["… and 17 more", BOARD]
    assert len(lines) == 22


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_says_that_it_is_one(language: Language) -> None:
    text = text_of(Notice("msg_1", (), language, test=True), BOARD)
    assert text.title == WORDS[language].test
    assert text.body.endswith(BOARD)
