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
from msgspec.structs import replace

from miyabi.progress.pace import GRID, MOST_STAGES, Mark, Pace

Basis = Literal["pace", "history", "both"]

WIDTH = 1.6
"""Standard deviations on each side of a range that is to hold 80 %: more than a normal distribution's 1.28, since jobs
are off by a lot more often than that."""
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


class Earlier(NamedTuple):
    """Earlier runs, the newest last: of the job, and of the stage that its lap is of, in whatever job it was."""

    job: Sequence[Run] = ()
    stage: Sequence[Run] = ()


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


def ran(run_id: str, pace: Pace, took: int) -> Run:
    """A run that came to a good end after ``took`` ms."""
    return Run(run_id, took, pace.quiet, pace.longest, pace.marks)


def stages_ran(run_id: str, pace: Pace, took: int) -> dict[str, Run]:
    """Each named stage of it as a run of its own, from its first progress to that of the next."""
    if GRID % pace.grain or pace.lap >= MOST_STAGES:
        return {}
    found: dict[str, Run] = {}
    for lap, stage in enumerate(pace.stages):
        begin, end = lap * GRID, (lap + 1) * GRID
        marks = [mark for mark in pace.marks if begin <= mark.place < end or (mark.place == end and lap == pace.lap)]
        if not stage or not marks:
            continue
        began = marks[0].at
        over = next((mark.at for mark in pace.marks if mark.place >= end and lap < pace.lap), took)
        shifted = [Mark(mark.place - begin, mark.at - began) for mark in marks]
        found[stage] = Run(run_id, max(0, over - began), 0, 0, shifted)
    return found


def remember(runs: Sequence[Run], run: Run) -> list[Run]:
    """``runs`` with the one that just ended, the newest last; a run told of twice counts once."""
    if any(known.run_id == run.run_id for known in runs):
        return [run if known.run_id == run.run_id else known for known in runs]
    return [*runs, run][-MOST_RUNS:]


def forecast(pace: Pace, earlier: Earlier = Earlier()) -> Forecast | None:  # noqa: B008  immutable
    """What is left of the run, or of its lap; ``None`` when nothing is known or nothing more is said to be left."""
    own = _own(pace)
    if earlier.job:
        return _joined(own if pace.lap == 0 else None, _known(pace, earlier.job), len(earlier.job), whole=True)
    if earlier.stage and own is not None:
        lap = replace(pace, began=pace.lap_began, lap=0)
        return _joined(own, _known(lap, earlier.stage), len(earlier.stage), whole=pace.lap == 0)
    return None if own is None else _forecast(own, "pace", 0, whole=pace.lap == 0)


def _joined(own: _Guess | None, known: _Guess, runs: int, *, whole: bool) -> Forecast:
    if own is None:
        return _forecast(known, "history", runs, whole=whole)
    return _forecast(_join(own, known), "both", runs, whole=whole)


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


def _known(pace: Pace, runs: Sequence[Run]) -> _Guess:
    """By what earlier runs had left at this place, faster or slower as this one goes so far."""
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
