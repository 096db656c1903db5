"""Telling people when it matters: a task completed, failed, waits for somebody or has stopped.

A follower reads the database's change feed and enters what is news into a ledger, a memo that all collectors share; a
sender for each target takes from it what is due. What is told is decided by rules, which are pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

from msgspec import Struct

from miyabi.model import STATUSES, Status, Task

Kind = Status | Literal["stopped"]
"""What is told of a task: that it has come into a status, or that it has stopped by what is usual for it."""
KINDS: tuple[Kind, ...] = (*STATUSES, "stopped")
CONDITIONS: frozenset[Kind] = frozenset({"blocked", "stopped"})
"""A task may come into these several times in one run, and each time is news."""
Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class News(Struct, frozen=True, array_like=True):
    """One thing to tell: ``task`` (what a notice shows of it) is ``kind`` since ``at`` (ms, the board's clock).

    ``id`` is the same wherever and however often it is told.
    """

    id: str
    kind: Kind
    at: int
    task: Task


class Notice(Struct, frozen=True):
    """What a target is handed: one or more news. ``more``: so many others happened beside those in ``news``."""

    id: str
    news: Sequence[News]
    language: Language = "en"
    more: int = 0
    test: bool = False


class NotTold(Exception):
    """A target did not take a notice. ``again``: whether trying later may help; ``after`` seconds at the soonest."""

    def __init__(self, reason: str, *, again: bool, after: float = 0.0) -> None:
        super().__init__(reason)
        self.again, self.after = again, after


class Target(Protocol):
    """Where notices go. ``name`` can be shown: there is no secret in it."""

    name: str

    async def tell(self, notice: Notice) -> str:
        """Hand it over and return what was answered, in some words. Raises :class:`NotTold`."""
