"""The one line that a run adds to the terminal: how it ended, how long it took, and where to look."""

from __future__ import annotations

import os
import signal

from miyabi.cli.run.shipper import Report
from miyabi.cli.run.spool import Exit

GREEN, RED, DIM = "32", "31", "2"


def status_of(ended: Exit, *, has_command: bool = True) -> tuple[str, str]:
    """Mark and words for the end of a run."""
    if ended.code == 0:
        return "✓", "completed"
    if ended.signal:
        return "✗", f"ended by {signal.Signals(ended.signal).name}"
    if ended.code is None:
        return "–", "ended with nobody watching" if has_command else "end of input"
    return "✗", f"failed (exit {ended.code})"


def duration(seconds: float) -> str:
    """A duration for people.

    >>> duration(0.42), duration(7.3), duration(123), duration(7384)
    ('0.4s', '7.3s', '2m 03s', '2h 03m')
    """
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    return f"{minutes // 60}h {minutes % 60:02}m"


def where(report: Report, task_id: str) -> str:
    """Where the task is seen, or what keeps it from being seen."""
    if report.state == "waiting" or report.problem:
        why = report.problem or "the lines could not be sent"
        return f"{why}; what was not sent waits on disk: the next `miyabi run` sends it, or `miyabi flush`"
    if report.address is None:
        return "`miyabi up` shows it" if report.state == "sent" else "the lines are still being stored"
    return f"{report.address}/tasks/{task_id}" + (" (lines are still being sent)" if report.state == "sending" else "")


def unrecorded(lost: int, why: str) -> str:
    """The notice that something of the output was not kept; empty when all was."""
    if not lost:
        return ""
    return f"{lost:,} bytes of output were not recorded ({why.lower()}); the command was not affected"


def paint(text: str, color: str, *, terminal: bool) -> str:
    """``text`` in a colour, on a terminal whose user has not said ``NO_COLOR``."""
    if not terminal or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{color}m{text}\x1b[0m"
