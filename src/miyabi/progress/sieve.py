"""Which lines are worth a look: one pass over many lines at once, so that all the others cost next to nothing.

The pass is an Aho-Corasick automaton over some hundred literals. It sees *shapes*: lines in UTF-8 with every digit a 0.
Lines that differ in digits alone have the same shape, so what was found in one is remembered for all: logs repeat
themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from ahocorasick_rs import BytesAhoCorasick, Implementation

from miyabi.progress.terminal import TASKBAR, visible

NUMBER, WORD, LAST = 1, 2, 4
LONGEST = 4000
"""Characters of a line that are looked at: half from its beginning, half from its end."""
LONGEST_JSON = 65_536
"""Characters of a line that may be one JSON object."""
GAPS = tuple(" " * n for n in range(1, 6))
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")

_NUMBERS = (
    *(f"{before}/{gap}{about}0" for before in "0 KMGTB" for gap in ("", *GAPS) for about in ("", "~")),
    *(f"f{gap}0" for gap in GAPS),
    *("0%", " %", "percent", "time=", "Duration: ", "mstatus:", "dlstatus:", "##vso", '{"', "pct=", "progress="),
    *("poch", "Pull", "xists", "mplete after", "[CV", "Plan: ", " fits", "ok 0", "OK ]", "unning 0", "..0", "+ 0"),
    *(
        "✓",
        "✔",
        "✘",
        "✖",
        "█",
        "☐",
        "□",
        "step 0",
        "steps, ",
        "MAX_ITER",
        "max_iter",
        "_steps",
        "nsteps",
        "iter: 0",
        " out of ",
        "☒",
        "☑",
        "⬜",
        "[ ] ",
        "[x] ",
        "[X] ",
        "[CALLOUT]",
        "Test Su",
        "Page 0",
        "ages 0",
    ),
    *("0 [=", "0 [>", "0 [#"),
    *("test(s)", " ... ", "....", "Test Files", "Left: "),
    *("otal=", "otal:", " remaining", " left", " to go", " pending", "％", "／", "件", "個", "のうち"),
    *(f"0 {of} 0" for of in ("von", "sur", "de", "di", "van")),
    *("Package op", "Installing ", "Updating ", "Upgrading ", "Downgrading ", "Removing "),
)
"""Literals of lines that may hold a number of interest."""
_WORDS = (
    *"fail Fail FAIL rror RROR xcep ucce UCCE omplet OMPLET inish INISH done Done DONE passed".split(),
    *"passing bort BORT panic fatal FATAL xit XIT Kill kill erminat Traceback (OK) =end gratul".split(),
    *"Installed Prepared ❌ ✅ ✗ pdated packages PASS stopped signaled gmentation ompiled".split(),
    *"built Built BUILD upload: wnload: Interrupt Ok ummary Status:".split(),
    *"pshot ackup OK roblems ready deployed looks xamples ssertions xecuted curl: files Spider".split(),
    *"up-to-date failed= unreachable= fail PASS= but check しました エラー".split(),
    *"ERR! ERR_ non-zero speedup issues INTERRUPT Fatal resolved errors".split(),
    *("# ok", "E   ", "saved [", "E: ", "up to date", "Ran all", "No changes", "ok  \t", "ok \t", "otal time"),
    *("not ok", "refused", "No such file", "denied", "No space", "not found", "timed out", "✖", "✘", "Saved pipe"),
    *(
        "Cloned",
        ": success",
        "igest: sha000",
        "newly deployed",
        "estored",
        "is_error",
        "turn.failed",
        "with 0 errors",
        "Duration: ",
        "Executed ",
        "uration: ",
        "dumped)",
        "RUN_",
        "hase: ",
        "BORTING",
        "TEST FAIL",
        "ERROR ~",
        "Failure",
        "ackup OK",
        "napshot with",
        "Backed up",
        "pass.",
        "wnloaded ",
        "transferred in ",
        "installed [",
        "sful run",
        "nvalid ",
        "nknown ",
        "nrecogni",
        "[E::",
        "reated ",
        "all OK",
        "(passes=",
        "re correct",
    ),
)
"""Literals of :mod:`miyabi.progress.outcome`'s phrases."""
_LASTS = (
    "] Build",
    "] build",
    "] Link",
    "] link",
    "] Generat",
    "] Compil",
    "] compil",
    "] CXX",
    "] CC",
    "] AR",
    "] STAMP",
    "] stamp",
    "] copy",
    "] Copy",
    "] running",
    "] Running",
)
"""Literals of steps of which the last one is the end: of interest only where it is the last."""
_LITERALS = (
    *((literal, NUMBER) for literal in _NUMBERS),
    *((literal, WORD) for literal in _WORDS),
    *((literal, LAST) for literal in _LASTS),
)
_AUTOMATON = BytesAhoCorasick([literal.encode() for literal, _ in _LITERALS], implementation=Implementation.DFA)
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_KINDS: dict[bytes, int] = {}
"""What is known of shapes: lines with every digit a 0, in UTF-8."""
MOST_SHAPES = 8192
LONGEST_SHAPE = 300
"""Bytes; longer lines are seldom the same again."""


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
        self._lines = text.split("\n")
        if _CONTROLS.search(text):
            self._lines = [line if line.isprintable() else visible(line) for line in self._lines]
            text = "\n".join(self._lines)
        redrawn = "\r" in text
        self._numbers = list(accumulate(not line.endswith("\r") for line in self._lines)) if redrawn else None
        self._kinds = _sieved(text)

    def text(self, place: int) -> str:
        """What a terminal shows of a message: the beginning and the end of a long one."""
        line = self._lines[place].rstrip("\r")
        return line if len(line) <= LONGEST or line.startswith("{") else _ends(line)

    def kind(self, place: int) -> int:
        """:data:`NUMBER` | :data:`WORD` | :data:`LAST`, what a line may have."""
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


def forget() -> None:
    """Forget all shapes, as a new process would have."""
    _KINDS.clear()


def remembered() -> int:
    """How many shapes are known."""
    return len(_KINDS)


def _sieved(text: str) -> dict[int, int]:
    """The kinds of the lines of ``text`` that have one, by their places."""
    shapes = text.encode("utf-8", "surrogatepass").translate(_DIGITS).split(b"\n")
    kinds = [_KINDS.get(shape, -1) for shape in shapes]
    new = [place for place, kind in enumerate(kinds) if kind < 0]
    if new:
        found = _looked_through([shapes[place] for place in new])
        if len(_KINDS) > MOST_SHAPES:
            _KINDS.clear()
        for number, place in enumerate(new):
            kinds[place] = kind = found.get(number, 0)
            if len(shapes[place]) <= LONGEST_SHAPE:
                _KINDS[shapes[place]] = kind
    return {place: kind for place, kind in enumerate(kinds) if kind}


def _looked_through(shapes: Sequence[bytes]) -> dict[int, int]:
    ends = list(accumulate(len(shape) + 1 for shape in shapes))
    found: dict[int, int] = {}
    for literal, start, _ in _AUTOMATON.find_matches_as_indexes(b"\n".join(shapes), overlapping=True):
        place = bisect_right(ends, start)
        found[place] = found.get(place, 0) | _LITERALS[literal][1]
    return found


def _ends(line: str) -> str:
    return f"{line[: LONGEST // 2]} {line[-LONGEST // 2 :]}"
