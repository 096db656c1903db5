"""Which lines are worth a look: one pass over many lines at once, so that all the others cost next to nothing.

Every alternative begins with a literal letter, rare in logs where possible, and what stands before it is looked at
afterwards: only so does :mod:`re` skip the other letters quickly.
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
_WORDS = re.compile(
    r"fail|Fail|FAIL|rror|RROR|E   |xcep|ucce|UCCE|mplete|OMPLETE|finish|Finish|FINISH|done|Done|DONE|passed|passing"
    r"|bort|BORT|panic|fatal|FATAL|xit|XIT|Kill|kill|Termina|mina(?<=termina)|Traceback|ved \[|\(OK\)|=end|k {1,4}\t"
    r"|gratul|Installed|Prepared|=\d(?<=ed=\d)|❌|✅|✗|up to date|packages|Ran all|PASS|pped(?<=stopped)|gnaled"
    r"|gmentation|mpiled|build|Build|built|Built|BUILD|url: \(|E: |upload: |wnload: |files u|files c|Interrupt|Linking"
    r"|Generating|Ok$|Total time|mmary|Status: |Spider cl|pshot|No changes|ackup "
    r"|OK|Nmap done|problems|s ready|deployed|looks|SUCCESS|up-to-date|omplete!|pleted|examples|assertions|xecuted",
    re.MULTILINE,
)


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
        for kind, pattern in ((NUMBER, _NUMBERS), (WORD, _WORDS)):
            for match in pattern.finditer(text):
                if not ends:
                    ends = list(accumulate(len(line) + 1 for line in self._lines))
                place = bisect_right(ends, match.start())
                found[place] = found.get(place, 0) | kind
        return found


def _ends(line: str) -> str:
    return f"{line[: LONGEST // 2]} {line[-LONGEST // 2 :]}"
