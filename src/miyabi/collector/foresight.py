"""A task's estimate, and whether it has stopped: from its pace and from earlier runs of the same job."""

from __future__ import annotations

import re
from collections.abc import Sequence

from miyabi.model import Estimate, Stopped, Task, iso
from miyabi.progress.forecast import Earlier, Run, forecast
from miyabi.progress.pace import Pace
from miyabi.progress.stops import patience, usual

_STAGE = re.compile(r"(?P<name>[^(]{0,48}?)(?: \((?:[a-z]+ )?(?P<n>\d+) of (?P<m>\d+)[^)]*\))?\s*$")
"""A phase: what it is of, and where it stands among the stages of the job: ``Orders: create (stack 1 of 2)``."""
_NUMBERS = re.compile(r"\d+")


def without_numbers(text: str) -> str:
    """What of a name is the same in every run: ``deploy #41`` and ``deploy #42`` are runs of one job."""
    return _NUMBERS.sub("0", text)


def stage_of(phase: str | None) -> str:
    """What of a phase names its stage in every run; empty when nothing does."""
    found = _STAGE.match(phase or "")
    return without_numbers(found["name"]) if found else ""


def _more_to_come(phase: str | None) -> bool:
    found = _STAGE.match(phase or "")
    return found is not None and found["n"] is not None and int(found["n"]) < int(found["m"])


def estimated(pace: Pace, earlier: Earlier, phase: str | None = None) -> Estimate | None:
    """How long the run still takes, or its ``phase``; ``None`` when nobody can say."""
    left = forecast(pace, earlier)
    if left is None:
        return None
    return Estimate(
        as_of=iso(pace.moved),
        low_seconds=_seconds(left.low),
        likely_seconds=_seconds(left.likely),
        high_seconds=_seconds(left.high),
        holds_seconds=_seconds(usual(pace.still, [run.still for run in earlier.job])),
        basis=left.basis,
        runs=left.runs,
        whole=left.whole and (bool(earlier.job) or not _more_to_come(phase)),
    )


def _seconds(ms: float) -> float:
    """Three digits say all there is to say."""
    return float(f"{ms / 1000:.3g}")


def stopped(task: Task, pace: Pace, runs: Sequence[Run], silent: int, still: int) -> Stopped | None:
    """Whether a task has stopped when there was no line for ``silent`` ms and no progress for ``still`` ms."""
    if task.status != "running" or not pace.began:
        return None
    wait_still, wait_silent = patience(pace, runs)
    if silent >= wait_silent:
        return Stopped("output", iso(pace.spoke), _seconds(usual(pace.quiet, [run.quiet for run in runs])))
    if still >= wait_still and pace.share is not None and pace.share < 1:
        return Stopped("progress", iso(pace.moved), _seconds(usual(pace.still, [run.still for run in runs])))
    return None
