"""Which lines are worth a look: one pass over many lines at once, so that all the others cost next to nothing.

Every alternative begins with a letter that is rare in logs; what stands before it is looked at afterwards.
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
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")

_NUMBERS = (
    r"/(?<=[\d KMGTB]/) {0,5}~?\d",
    r"%(?<=[\d ]%)",
    r"f {1,5}\d",
    r"me=(?<=time=)|Duration: ",
    r"mstatus:|lstatus:|##vso",
    r"\{\"",
    r"pct=|percent(?:age)?=|progress=(?!end)",
    r"poch",
    r"Pull|xists|mplete after",
    r"\[CV|Plan: |lling \d|k \d(?<=ok \d)|OK \]|unning \d|1\.\.\d|[✓✔✘✖█]",
    r"Package op|Installing |Updating |Upgrading |Downgrading |Removing ",
    r"\[[ xX]\] |[☐☒☑⬜]|\[CALLOUT\]",
    r"\d \+ \d|Test Su",
)
_WORDS = (
    r"ail(?<=[Ff]ail)|FAIL|rror|RROR|E   |xcep|ucce|UCCE|mplete|OMPLETE|inish|INISH|done|Done|DONE|passed|passing",
    r"bort|BORT|panic|fatal|xit|[Kk]ill|ermina|Traceback|saved|\(OK\)|=end|ok +\t?|ongratul|Installed|Prepared",
    r"ed=\d|[❌✅✗]|no errors|up to date|added \d|Ran all|PASS|stopped|signaled|egmentation|compiled|0 failures",
    r", \d+ failure|[Bb]uil[dt]|BUILD|curl:|E: |examples|upload: |download: |updated|created|Interrupt|rolled out",
    r"Linking|\] Generating|Ok$|otal time|summary|Status: |losed|packages|[Bb]ackup|snapshot|destroyed|No changes",
)
_SIEVE = re.compile(rf"({'|'.join(_NUMBERS)})|{'|'.join(_WORDS)}", re.MULTILINE)


class Lines:
    """Some messages, cleaned and sieved together."""

    def __init__(self, messages: Sequence[str]) -> None:
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
        return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} {line[-LONGEST // 2 :]}"

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
        for match in _SIEVE.finditer(text):
            if not ends:
                ends = list(accumulate(len(line) + 1 for line in self._lines))
            place = bisect_right(ends, match.start())
            found[place] = found.get(place, 0) | (NUMBER if match.lastindex else WORD)
        return found
