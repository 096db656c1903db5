"""Which lines are worth a look: one pass over many lines at once, so that all the others cost next to nothing.

Every alternative of the pattern begins with a literal letter, rare in logs where possible, and what stands before it is
looked at afterwards: only so does :mod:`re` skip the other letters quickly.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from miyabi.progress.terminal import TASKBAR, visible

NUMBER, WORD = 1, 2
LONGEST = 4000
"""Characters of a line that are looked at: half from its beginning, half from its end."""
LONGEST_JSON = 65_536
"""Characters of a line that may be one JSON object."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")

_NUMBERS = re.compile(
    r"/(?<=[\d KMGTB]/) {0,5}~?\d|%(?<=[\d ]%)|percent |percent$|f {1,5}\d|me=(?<=time=)"
    r"|Duration: |mstatus:|dlstatus:|##vso"
    r'|\{"|pct=|percent=|percentage=|progress=(?!end)|poch|Pull|xists|mplete after|\[CV|Plan: |fits$|k \d(?<=ok \d)'
    r"|OK \]|unning \d|\.\.\d|✓|✔|✘|✖|█|Package op|Installing |Updating |Upgrading |Downgrading |Removing "
    r"|\[[ xX]\] |☐|☒|☑|⬜|\[CALLOUT\]|\+ \d|Test Su",
    re.MULTILINE,
)
_WORDS = (
    *"fail Fail FAIL rror RROR xcep ucce UCCE omplet OMPLET inish INISH done Done DONE passed".split(),
    *"passing bort BORT panic fatal FATAL xit XIT Kill kill erminat Traceback (OK) =end gratul".split(),
    *"Installed Prepared ❌ ✅ ✗ pdated packages PASS stopped signaled gmentation ompiled build".split(),
    *"Build built Built BUILD upload: wnload: Interrupt Linking Generating Ok ummary Status:".split(),
    *"pshot ackup OK roblems ready deployed looks xamples ssertions xecuted curl: files Spider".split(),
    *"up-to-date failed= unreachable=".split(),
    *("E   ", "saved [", "E: ", "up to date", "Ran all", "No changes", "ok  \t", "ok \t", "Total time"),
)
"""Literals of :mod:`miyabi.progress.outcome`'s phrases. Finding each is faster than one pattern of them all."""


class Lines:
    """Some messages, cleaned and sieved together."""

    def __init__(self, messages: Sequence[str]) -> None:
        if any(len(message) > LONGEST_JSON for message in messages):
            messages = [message if len(message) <= LONGEST_JSON else _ends(message) for message in messages]
        text = "\n".join(messages)
        if text.count("\n") != len(messages) - 1:
            text = "\n".join(message.replace("\n", " ") for message in messages)
        self._marked = (
            [place for place, message in enumerate(messages) if TASKBAR in message] if TASKBAR in text else []
        )
        if _CONTROLS.search(text):
            text = visible(text)
        self._lines = text.split("\n")
        redrawn = "\r" in text
        self._numbers = list(accumulate(not line.endswith("\r") for line in self._lines)) if redrawn else None
        self._kinds = self._sieved(text)

    def text(self, place: int) -> str:
        """What a terminal shows of a message: the beginning and the end of a long one."""
        line = self._lines[place].rstrip("\r")
        return line if len(line) <= LONGEST or line.startswith("{") else _ends(line)

    def kind(self, place: int) -> int:
        """:data:`NUMBER` | :data:`WORD`, what a line may have."""
        return self._kinds.get(place, 0)

    def number(self, place: int) -> int:
        """How many finished lines there are up to ``place``; a line that is redrawn is not one."""
        if self._numbers is None:
            return place + 1
        return self._numbers[place]

    def worth(self, every: Callable[[], bool]) -> Iterator[int]:
        """The places to look at, in order; all of them as long as ``every`` says so."""
        sieved = iter([*sorted({*self._kinds, *self._marked}), len(self._lines)])
        place = 0
        for stop in sieved:
            while place < stop and every():
                yield place
                place += 1
            if stop < len(self._lines) and place <= stop:
                yield stop
                place = stop + 1

    def _sieved(self, text: str) -> dict[int, int]:
        found: dict[int, int] = {}
        ends: list[int] = []
        for match in _NUMBERS.finditer(text):
            ends = ends or list(accumulate(len(line) + 1 for line in self._lines))
            found[bisect_right(ends, match.start())] = NUMBER
        for word in _WORDS:
            at = text.find(word)
            while at >= 0:
                ends = ends or list(accumulate(len(line) + 1 for line in self._lines))
                place = bisect_right(ends, at)
                found[place] = found.get(place, 0) | WORD
                at = text.find(word, ends[place])
        return found


def _ends(line: str) -> str:
    return f"{line[: LONGEST // 2]} {line[-LONGEST // 2 :]}"
