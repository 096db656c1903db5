"""What a restore is asked for and what it answers, whichever the database."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from miyabi.model import iso

MOST_WRONG = 20
"""So many faults are told one by one."""


class NotRestored(Exception):
    """Nothing was restored, or it is not finished; the message says why and what to do."""


class Restored(Struct, frozen=True, kw_only=True):
    """What came back, and whether it is right.

    ``at``: the moment, ISO 8601. ``where``: the folder or the tables' prefix. ``checked``: tasks that were compared one
    by one, of ``tasks``. ``wrong``: each fault in a line, empty when all is right. ``notes``: what is worth knowing.
    ``setting``: the ``MIYABI_DATABASE`` that names it. ``drop``: the commands that remove it again.
    """

    at: str
    where: str
    tasks: int
    versions: int | None
    """Versions that are kept beside the current states; ``None`` where they were not counted."""
    projects: int
    checked: int
    wrong: list[str]
    notes: list[str]
    setting: str = ""
    drop: list[str] = []

    @property
    def right(self) -> bool:
        """Whether every check passed."""
        return not self.wrong


class Told(Protocol):
    """Is told how far a restore is: what it does, and how much of how much (``None``: unknown) is done."""

    def __call__(self, what: str, done: int = 0, total: int | None = None) -> None: ...


class Faults:
    """Collects what is wrong."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._more = 0

    def add(self, line: str) -> None:
        """One more fault."""
        if len(self._lines) < MOST_WRONG:
            self._lines.append(line)
        else:
            self._more += 1

    def lines(self) -> list[str]:
        """The first of them, and how many there are besides."""
        return [*self._lines, *([f"and {self._more} more"] if self._more else [])]


def outside(at: int, earliest: int, latest: int) -> NotRestored:
    """The error for a moment outside of what can be restored (all in ms)."""
    return NotRestored(
        f"{iso(at)} can't be restored: only what was between {iso(earliest)} and {iso(latest)}. Choose a time in there."
    )
