"""When a run will be done: a range, from its own pace and from earlier runs of the same job.

Both give a time that is left and how far off it may be; they are joined by weights that are the inverse of their
variances, in logarithms, since a time is off by factors. The constants were fitted to recorded runs: see
``benchmarks/eta.py``, which says how far off the result is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import median
from typing import Literal, NamedTuple

from msgspec import Struct

from miyabi.progress.pace import GRID, Mark, Pace

Basis = Literal["pace", "history", "both"]

WIDTH = 1.28
"""Standard deviations on each side of a range that holds 80 % of a normal distribution."""
LEAST = 50.0
"""Ms; what is left is never taken for less, so that its logarithm stays small."""
UNSEEN = 0.45**2
"""What may still happen and no line has told of yet, as a variance ..."""
UNSEEN_WITH_HISTORY = 0.25**2
"""... and what may though earlier runs have."""
ROUGHEST = 8.0
"""An unevenness above this says no more."""
MOST_RUNS = 6


class Run(Struct, array_like=True, frozen=True):
    """An earlier run that came to a good end: how long it took and when it reached which place (ms)."""

    run_id: str
    took: int
    quiet: int
    still: int
    marks: list[Mark]


class Forecast(NamedTuple):
    """Ms that are left after the newest move: ``likely``, in four of five cases from ``low`` to ``high``."""

    low: float
    likely: float
    high: float
    basis: Basis
    runs: int
    whole: bool
    """Whether the whole job's end is meant, not only that of the lap under way."""


class _Guess(NamedTuple):
    """Logarithm of the ms that are left, and its variance."""

    log: float
    variance: float


def remember(runs: Sequence[Run], run_id: str, pace: Pace, took: int) -> list[Run]:
    """``runs`` with the one that just ended, the newest last; a run told of twice counts once."""
    run = Run(run_id, took, pace.quiet, pace.longest, pace.marks)
    if any(known.run_id == run_id for known in runs):
        return [run if known.run_id == run_id else known for known in runs]
    return [*runs, run][-MOST_RUNS:]


def forecast(pace: Pace, runs: Sequence[Run] = ()) -> Forecast | None:
    """What is left of the run; ``None`` when nothing is known or nothing more is said to be left."""
    own, known = _own(pace), _known(pace, runs)
    if known is not None:
        joined = _join(own, known) if own is not None and pace.lap == 0 else known
        return _forecast(joined, "both" if joined is not known else "history", len(runs), whole=True)
    return None if own is None else _forecast(own, "pace", 0, whole=pace.lap == 0)


def _forecast(guess: _Guess, basis: Basis, runs: int, *, whole: bool) -> Forecast:
    off = WIDTH * math.sqrt(guess.variance)
    return Forecast(math.exp(guess.log - off), math.exp(guess.log), math.exp(guess.log + off), basis, runs, whole)


def _own(pace: Pace) -> _Guess | None:
    """By the pace of this lap: the more of it was seen and the more even it was, the surer.

    Jobs are uneven in ways that nobody sees yet; the best guess that knows nothing of pace is that a job takes as
    long again as it has taken. It counts for little once the pace has shown itself.
    """
    if pace.share is None or pace.share >= 1 or pace.work <= 0 or pace.time <= 0:
        return None
    left = (1 - pace.share) * pace.time / pace.work
    uneven = min(ROUGHEST, pace.unevenness) * (1 - pace.share / 2)
    variance = 0.1**2 + 0.2**2 * (1 - pace.share) + 0.6**2 / (1 + pace.moves) + 0.4 * uneven
    again = math.log(max(LEAST, pace.moved - pace.began))
    log = (math.log(max(LEAST, left)) + again * variance) / (1 + variance)
    return _Guess(log, variance / (1 + variance) + UNSEEN)


def _known(pace: Pace, runs: Sequence[Run]) -> _Guess | None:
    """By what earlier runs had left at this place, faster or slower as this one goes so far."""
    if not runs:
        return None
    logs = [math.log(max(LEAST, _left(pace, run))) for run in runs]
    middle = median(logs)
    spread = sum((log - middle) ** 2 for log in logs) / len(logs)
    return _Guess(middle, spread + 0.1**2 + 0.2**2 / len(logs) + UNSEEN_WITH_HISTORY)


def _left(pace: Pace, run: Run) -> float:
    """Ms that ``run`` still had before it where this one is, at this one's speed."""
    took = run.took
    position = pace.position
    reached = None if position is None else reached_at(run.marks, position)
    if position is None or reached is None:
        return took - pace.active
    left = took - reached
    if reached <= 0 or pace.active <= 0:
        return left
    trust = reached / (reached + 0.3 * took)
    return float(left * (pace.active / reached) ** trust)


def reached_at(marks: Sequence[Mark], position: float) -> float | None:
    """When (ms) ``position`` was reached, between the two marks it lies between; ``None`` when none is known."""
    if not marks:
        return None
    place = position * GRID
    behind = bisect_right(marks, place, key=lambda mark: mark.place)
    if behind == 0:
        return float(marks[0].at)
    before = marks[behind - 1]
    if behind == len(marks):
        return float(before.at)
    after = marks[behind]
    return before.at + (after.at - before.at) * (place - before.place) / (after.place - before.place)


def _join(one: _Guess, other: _Guess) -> _Guess:
    weight, beside = 1 / one.variance, 1 / other.variance
    log = (one.log * weight + other.log * beside) / (weight + beside)
    apart = (one.log - other.log) ** 2 * weight * beside / (weight + beside) ** 2
    return _Guess(log, 1 / (weight + beside) + apart)
