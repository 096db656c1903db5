"""A notice in words, English or Japanese: short, and with what one wants to know before one looks at the board."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from miyabi.model import Progress, Task, millis
from miyabi.notices import Kind, Language, News, Notice
from miyabi.notices.news import ran_seconds

MOST_LINES = 20
"""News that a digest shows; of the others only the number."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_CALLS = re.compile(r"@(?=everyone|here|channel|all\b)|<(?=[!@#])", re.IGNORECASE)
"""What makes a chat service call people."""


class _Words(NamedTuple):
    titles: Mapping[Kind, str]
    ran: str
    """After a while that a task has run and ended."""
    runs: str
    at: str
    ended_at: str
    no_progress: str
    no_output: str
    digest: str
    more: str
    test: str
    tested: str


WORDS: Mapping[Language, _Words] = {
    "en": _Words(
        {
            "completed": "✓ {name} completed",
            "failed": "✗ {name} failed",
            "blocked": "⏸ {name} waits for somebody",
            "stopped": "⚠ {name} has stopped",
            "cancelled": "⊘ {name} was cancelled",
            "running": "▶ {name} has begun",
            "pending": "… {name} is to begin",
        },
        "took {time}",
        "running for {time}",
        "at {far}",
        "stopped at {far}",
        "no progress for {time}",
        "no output for {time}",
        "{count} notices from the quiet hours",
        "… and {count} more",
        "Miyabi: a test",
        "Notices reach you here.",
    ),
    "ja": _Words(
        {
            "completed": "✓ {name} が完了しました",
            "failed": "✗ {name} が失敗しました",
            "blocked": "⏸ {name} が対応を待っています",
            "stopped": "⚠ {name} が止まっています",
            "cancelled": "⊘ {name} が取り消されました",
            "running": "▶ {name} が始まりました",
            "pending": "… {name} が待機しています",
        },
        "所要時間 {time}",
        "開始から {time}",
        "進捗 {far}",
        "{far} で終了",
        "{time}進捗なし",
        "{time}出力なし",
        "静かな時間帯の通知 {count} 件",
        "… ほか {count} 件",
        "Miyabi: テスト通知",
        "通知はここに届きます。",
    ),
}
_UNITS: Mapping[Language, tuple[str, str, str, str]] = {
    "en": (" d", " h", " min", " s"),
    "ja": ("日", "時間", "分", "秒"),
}


class Text(NamedTuple):
    """A title of one line, and some lines of plain text."""

    title: str
    body: str


def text_of(notice: Notice, url: str | None) -> Text:
    """A notice in its language. ``url``: the board's public address, for links; ``None`` leaves them out."""
    words = WORDS[notice.language]
    if notice.test:
        return Text(words.test, "\n".join(filter(None, [words.tested, url])))
    if len(notice.news) == 1 and not notice.more:
        news = notice.news[0]
        return Text(_title(news, notice.language), _body(news, notice.language, url))
    return _digest(notice, url)


def link(task: Task, url: str | None) -> str | None:
    """The address of a task's page."""
    return f"{url.rstrip('/')}/tasks/{quote(task.task_id, safe='')}" if url else None


def duration(seconds: float, language: Language) -> str:
    """``4 min 10 s``: the two largest units that there are."""
    rest = max(0, round(seconds))
    parts: list[str] = []
    for size, unit in zip((86400, 3600, 60, 1), _UNITS[language], strict=True):
        if rest >= size or (size == 1 and not parts):
            parts.append(f"{rest // size}{unit}")
        rest %= size
    return ("" if language == "ja" else " ").join(parts[:2])


def far(progress: Progress) -> str:
    """``52 % (15/29)``; empty when nothing may be claimed."""
    count = f"{_number(progress.current)}/{_number(progress.total)}" if progress.current is not None else ""
    count = count if progress.total is not None else ""
    if progress.percentage is None:
        return count
    return f"{_number(progress.percentage)} %{f' ({count})' if count else ''}"


def plain(text: str) -> str:
    """What a job or a person wrote, without what would steer a terminal or call everybody in a chat."""
    return _CALLS.sub("\\g<0>\u200b", _CONTROL.sub(" ", text)).strip()


def _digest(notice: Notice, url: str | None) -> Text:
    words = WORDS[notice.language]
    count = len(notice.news) + notice.more
    lines = [_line(news, notice.language) for news in notice.news[:MOST_LINES]]
    if rest := count - len(lines):
        lines.append(words.more.format(count=rest))
    return Text(words.digest.format(count=count), "\n".join([*lines, *([url] if url else [])]))


def _line(news: News, language: Language) -> str:
    why = news.task.details.error_message if news.kind == "failed" else None
    parts = [_title(news, language), news.task.project_id, *([plain(why.partition("\n")[0])] if why else [])]
    return " · ".join(parts)


def _title(news: News, language: Language) -> str:
    name = plain(news.task.task_name).replace("\n", " ")
    return WORDS[language].titles[news.kind].replace("{name}", name)


def _body(news: News, language: Language, url: str | None) -> str:
    task = news.task
    about = " · ".join([task.project_id, task.task_type, *_state(news, language)])
    said = [task.details.error_message if news.kind in ("failed", "blocked") else None, _doing(news)]
    return "\n".join(filter(None, [about, *(plain(one) for one in said if one), link(task, url)]))


def _doing(news: News) -> str | None:
    """What it was doing: of no use once it has come to a good end."""
    details = news.task.details
    if news.kind in ("completed", "running", "pending"):
        return None
    return " · ".join(filter(None, [details.phase, details.current_step])) or None


def _state(news: News, language: Language) -> list[str]:
    """How far it got and how long it took, in some words each."""
    words, task, stopped = WORDS[language], news.task, news.task.details.stopped
    if news.kind in ("pending", "running"):
        return []
    found = []
    if news.kind == "stopped" and stopped:
        wait = duration((news.at - millis(stopped.since)) / 1000, language)
        found.append((words.no_output if stopped.what == "output" else words.no_progress).format(time=wait))
    if news.kind != "completed" and (progress := far(task.progress)):
        found.append((words.ended_at if task.final else words.at).format(far=progress))
    time = duration(ran_seconds(task, news.at), language)
    found.append((words.ran if task.final else words.runs).format(time=time))
    return found


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else f"{value:g}"
