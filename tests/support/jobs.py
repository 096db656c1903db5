"""Jobs whose lines are made up, and what one collector alone makes of them."""

from __future__ import annotations

from typing import Any

import msgspec

from miyabi.collector.collect import newborn
from miyabi.collector.step import advance
from miyabi.model import LogEvent, RunExit, RunStart, marker_line
from miyabi.progress.forecast import Earlier

GROUP = "/miyabi/jobs"
STEPS = 40
BEGAN = 1_795_000_000_000


def lines_of(stream: int) -> list[str]:
    """A job that fails when its number is odd."""
    start = RunStart("r", f"job {stream}", "build", "house", command="make")
    steps = [f"[{step}/{STEPS}] compiling part {step} of {stream}" for step in range(1, STEPS + 1)]
    return [marker_line(start), *steps, marker_line(RunExit("r", stream % 2))]


def undisturbed(stream: int, *, numbered: bool = True) -> dict[str, Any]:
    """What one collector alone makes of a job's lines, which the log service has ``numbered`` or not."""
    lines = enumerate(lines_of(stream))
    events = [LogEvent(str(n), BEGAN + n * 1000, line, n + 1 if numbered else None) for n, line in lines]
    task = advance(None, newborn(GROUP, f"s{stream}", f"s{stream}", 0), events, "", 0, lambda task: Earlier()).task
    return telling(msgspec.to_builtins(task))


def telling(task: dict[str, Any] | None) -> dict[str, Any]:
    """A task without when it was written."""
    written = ("timestamp", "created_at", "updated_at", "ttl")
    return {key: value for key, value in (task or {}).items() if key not in written}
