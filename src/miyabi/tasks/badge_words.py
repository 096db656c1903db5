"""What a badge says of a task or a project: how far it has got and what is left, else how it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from miyabi.database import ProjectRow
from miyabi.model import Status, Task, millis

Language = Literal["en", "ja"]
Kind = Literal["running", "completed", "failed", "blocked", "cancelled", "pending", "unknown"]

WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "pending": "pending", "running": "running", "completed": "completed", "failed": "failed",
        "blocked": "blocked", "cancelled": "cancelled", "unknown": "not found", "none": "no tasks yet",
        "left": "{} left", "many": "{} running", "progress": "no progress", "output": "no output",
        "under": "under 1 min", "minute": "{} min", "hour": "{} h", "day": "{} d",
    },
    "ja": {
        "pending": "待機中", "running": "実行中", "completed": "完了", "failed": "失敗",
        "blocked": "ブロック中", "cancelled": "取り消し", "unknown": "見つかりません", "none": "タスクなし",
        "left": "残り{}", "many": "{}件実行中", "progress": "進捗なし", "output": "出力なし",
        "under": "1分未満", "minute": "{}分", "hour": "{}時間", "day": "{}日",
    },
}  # fmt: skip
UNITS = (("day", 86_400, 36 * 3600), ("hour", 3600, 90 * 60), ("minute", 60, 60))
"""A unit, its seconds, and from how many seconds on it is the one to speak in."""


class Said(NamedTuple):
    """A badge's word, what kind it is, and how much of the work is done (0 to 1; ``None``: nobody knows)."""

    text: str
    kind: Kind
    language: Language
    share: float | None = None


def of_nothing(language: Language) -> Said:
    """Of what is not there."""
    return Said(WORDS[language]["unknown"], "unknown", language)


def of_task(task: Task, now: int, language: Language) -> Said:
    """Of one task at ``now`` (ms): ``52 % · 4 min left``, else its status."""
    words = WORDS[language]
    if task.status != "running":
        return Said(words[task.status], task.status, language)
    percentage = task.progress.percentage
    stopped = task.details.stopped
    parts = [words["running"] if percentage is None else _percent(percentage)]
    if stopped:
        parts.append(words[stopped.what])
    elif left := _left(task, now, language):
        parts.append(left)
    return Said(" · ".join(parts), "running", language, None if percentage is None else percentage / 100)


def of_project(row: ProjectRow, running: Sequence[Task], last: Task | None, now: int, language: Language) -> Said:
    """Of a project: its one running task, how many run and how far they have got, or how the ``last`` task ended."""
    words, tally = WORDS[language], row.tally
    if len(running) == 1 and tally.running <= 1:
        return of_task(running[0], now, language)
    if running:
        known = [task.progress.percentage for task in running if task.progress.percentage is not None]
        mean = sum(known) / len(known) if known else None
        many = words["many"].format(max(tally.running, len(running)))
        text = many if mean is None else f"{many} · {_percent(mean)}"
        return Said(text, "running", language, None if mean is None else mean / 100)
    waiting: Status | None = "blocked" if tally.blocked else "pending" if tally.pending else None
    status = waiting if waiting == "blocked" or last is None else last.status
    return Said(words[status or "none"], status or "unknown", language)


def _percent(percentage: float) -> str:
    """Never ``100 %`` below 100, never ``0 %`` for what has begun to count."""
    whole = round(percentage) if percentage in (0, 100) else min(99, max(1, round(percentage)))
    return f"{whole} %"


def _left(task: Task, now: int, language: Language) -> str | None:
    """What is likely left of the whole job, in one unit; ``None`` where that is not known or is long over."""
    estimate = task.details.estimate
    if estimate is None or not estimate.whole:
        return None
    passed = max(0.0, (now - millis(estimate.as_of)) / 1000)
    if passed > estimate.high_seconds:
        return None
    words = WORDS[language]
    return words["left"].format(_span(max(0.0, estimate.likely_seconds - min(passed, estimate.holds_seconds)), words))


def _span(seconds: float, words: Mapping[str, str]) -> str:
    for unit, length, least in UNITS:
        if seconds >= least:
            return words[unit].format(max(1, round(seconds / length)))
    return words["under"]
