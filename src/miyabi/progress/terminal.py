"""What a terminal would show of a message: no colours, no cursor, no title."""

from __future__ import annotations

import re

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor, erasing
    r"|\x1b[\]P_^X][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # OSC and its like: titles, links
    r"|\x1b[()*+][0-9A-Za-z]|\x1b[ -~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]"
)
_UP = re.compile(r"\x1b\[(\d*)[AF]\r?$")
_GAP = re.compile(r"\x1b\[\d*[CG]")
_PLACE = re.compile(r"\x1b\[(\d{0,4})(?:;\d{0,4})?[Hf]")
_OSC_PROGRESS = re.compile(r"\x1b\]9;4;([0-4])(?:;(\d{1,3}))?(?:\x07|\x1b\\|$)")
_TAIL = 16
TASKBAR = "\x1b]9;4"


def visible(message: str) -> str:
    """``message`` without control characters and escape sequences; tabs, ``\\r`` and ``\\n`` stay.

    A move to a column further right is a gap: what follows stands apart.
    """
    return _CONTROL.sub("", _GAP.sub("   ", message))


def row(message: str) -> int | None:
    """The row that the cursor was moved to for ``message``, 1 being the first; ``None`` where nobody said."""
    place = _PLACE.match(message)
    return int(place.group(1) or 1) if place else None


def rows_up(message: str) -> int:
    """How many rows the cursor goes up behind the text: a bar that stands below another one ends so."""
    found = _UP.search(message, max(0, len(message) - _TAIL))
    if found is None or not visible(message[: found.start()]).strip():
        return 0
    return int(found.group(1) or 1)


def taskbar(message: str) -> tuple[int, int | None] | None:
    """State (0 none, 1 normal, 2 error, 3 unknown, 4 paused) and percentage of an OSC 9;4 sequence.

    The sequence is ConEmu's; Windows Terminal, Ghostty and systemd use it too.
    """
    found = _OSC_PROGRESS.search(message)
    if found is None:
        return None
    return int(found.group(1)), int(found.group(2)) if found.group(2) else None
