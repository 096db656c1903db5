"""How long a run may rest before it has stopped, by what is usual for it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from miyabi.progress.forecast import Run
from miyabi.progress.pace import Pace

SHORTEST_STOP = 15_000
"""Ms; nobody wants to hear of a shorter rest, ..."""
UNSETTLED_STOP = 30_000
"""... nor of this one before it is known how the job goes."""
SETTLED = 5
"""Moves after which that is known."""
UNUSUAL = 4
"""A rest is a stop when it is so many times as long as any in this run, ..."""
UNUSUAL_AGAIN = 1.5
"""... or as any in earlier runs, of which more is known."""


def patience(pace: Pace, runs: Sequence[Run]) -> tuple[int, int]:
    """How long (ms) progress may stand still, and how long there may be no line, before that is a stop."""
    settled = pace.moves >= SETTLED
    return (
        _patience(pace.still, [run.still for run in runs], settled=settled),
        _patience(pace.quiet, [run.quiet for run in runs], settled=settled),
    )


def usual(longest: int, earlier: Sequence[int]) -> float:
    """The longest rest (ms) that is usual: this run's so far, or what is common for earlier ones."""
    return max(longest, median(earlier)) if earlier else longest


def _patience(longest: int, earlier: Sequence[int], *, settled: bool) -> int:
    if earlier:
        return max(SHORTEST_STOP, round(UNUSUAL_AGAIN * usual(longest, earlier)))
    return max(SHORTEST_STOP if settled else UNSETTLED_STOP, UNUSUAL * longest)
