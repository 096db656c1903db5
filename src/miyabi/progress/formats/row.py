"""A row of the table of formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from miyabi.progress.found import Found, number, ratio, scale

Memory = dict[str, float]
"""What rows remember between lines of a stream: a total named earlier, the way a tool was started. Few and small."""

UNMARKED = "unmarked"
"""Remembered while a tool draws lines that only its own row can tell from any others: all are looked at then."""

Example = tuple[str, float | None, float | None, float | None]
"""A line, and the current, total and percentage it gives; three times ``None`` for a line that gives nothing."""


def take(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """The groups ``n`` of ``m`` (in the units ``u`` and ``v``), or ``p`` per cent; ``step`` is what is being done."""
    groups = found.groupdict()
    label, step = groups.get("label") or name, groups.get("step")
    percent = groups.get("p")
    if groups.get("m") is None:
        if percent is None or float(percent) > 100:
            return None
        return Found(name, percentage=float(percent), label=label, step=step)
    current, total = number(groups["n"]), number(groups["m"])
    if total <= 0:
        return None
    if groups.get("u") or groups.get("v"):
        current, total = current * scale(groups.get("u") or groups["v"]), total * scale(groups["v"])
        share = float(percent) if percent else ratio(current, total)
        return Found(name, percentage=round(share, 2), label=label, step=step)
    return Found(name, min(current, total), total, label=label, step=step)


def to_go(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """The group ``n`` is done and ``left`` is still to do."""
    done, left = number(found["n"]), number(found["left"])
    return Found(name, done, done + left, label=name) if done + left else None


def nothing(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """The line is known and is not progress."""
    return None


class Format(NamedTuple):
    """``pattern`` is matched at the beginning of a line without control characters; ``read`` says what a match gives.

    ``hints`` are literal texts: a line with none of them is never tried.
    """

    name: str
    about: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    examples: tuple[Example, ...]
    read: Callable[[str, re.Match[str], Memory], Found | None] = take
