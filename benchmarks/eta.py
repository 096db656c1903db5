"""How far off is the time left? Recorded runs at 25, 50 and 75 % of their time, beside linear extrapolation.

The error is that of the time left in parts of the whole run time, at most :data:`MOST`. tqdm extrapolates in two ways:
from the mean rate, or from a moving average over its updates (smoothing 0.3, not more than ten a second).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import mean, median
from typing import NamedTuple

from tests.support.runs import STALLED_RUN, START, Recorded, repeated, single

from benchmarks.table import Row
from miyabi.collector.foresight import estimated
from miyabi.progress.forecast import Earlier, Run, ran, remember
from miyabi.progress.stops import patience

PARTS = (0.25, 0.5, 0.75)
EARLIER = 3
SHORTEST_RUN = 2000
FEWEST_MOVES = 4
MOST = 5.0
SMOOTHING, SHORTEST_UPDATE = 0.3, 100

Points = list[tuple[int, float]]


class Guess(NamedTuple):
    """Errors in parts of the run time, ours and those of two linear ones; whether the range held the truth."""

    ours: float
    linear: float
    smooth: float
    held: bool


def measure() -> list[Row]:
    """The mean error, without and with the history of earlier runs; how often the range held; stops seen and not."""
    many, one = list(repeated()), list(single())
    new = list(_guesses([*many, *one], lambda run: ()))
    known = list(_guesses(many, _earlier(many)))
    return [
        _row("without history", new, 0.7),
        _row("with 3 earlier runs", known, 0.4),
        *_held(new, known),
        *_stops(many),
    ]


def _row(what: str, guesses: list[Guess], goal: float) -> Row:
    ours, linear, smooth = (mean(guess[place] for guess in guesses) for place in range(3))
    middle = median(guess.ours for guess in guesses) / median(guess.linear for guess in guesses)
    beside = f"tqdm, mean rate {linear:.3f}, smoothed {smooth:.3f} ({ours / smooth:.2f}); medians {middle:.2f}"
    ratio = ours / min(linear, smooth)
    return Row(
        f"error of the time left, {what}", f"{ours:.3f} of the run time", f"≤ {goal}×", ratio <= goal, beside, ratio
    )


def _held(new: list[Guess], known: list[Guess]) -> Iterator[Row]:
    for what, guesses in (("without history", new), ("with 3 earlier runs", known)):
        yield Row(
            f"ranges that held, {what}", f"{100 * mean(guess.held for guess in guesses):.0f} %", beside="meant: 80 %"
        )


def _guesses(runs: Sequence[Recorded], history: Callable[[Recorded], Sequence[Run]]) -> Iterator[Guess]:
    for run in runs:
        for part in PARTS:
            guess = _guess(run, part * run.took, history(run))
            if guess is not None:
                yield guess


def _guess(run: Recorded, at: float, runs: Sequence[Run]) -> Guess | None:
    """``None`` where there is no progress yet or no more, or nothing to extrapolate from."""
    points = _points(run, at)
    linear = _linear(points, at)
    all_points = len(_points(run, run.took))
    if linear is None or run.took < SHORTEST_RUN or all_points < FEWEST_MOVES:
        return None
    estimate = estimated(run.pace(at), Earlier(runs))
    if estimate is None:
        return None
    since = at + START - run.pace(at).moved
    counted = min(since / 1000, estimate.holds_seconds)
    low, likely, high = (
        max(0.0, 1000 * (seconds - counted))
        for seconds in (estimate.low_seconds, estimate.likely_seconds, estimate.high_seconds)
    )
    left = run.took - at
    ours, straight, smooth = (
        min(MOST, abs(guess - left) / run.took) for guess in (likely, linear, _smooth(points, at))
    )
    return Guess(ours, straight, smooth, low <= left <= high)


def _earlier(runs: Sequence[Recorded]) -> Callable[[Recorded], Sequence[Run]]:
    """Up to :data:`EARLIER` others of the same command, those that were stopped left out."""

    def history(run: Recorded) -> Sequence[Run]:
        found: list[Run] = []
        others = [o for o in runs if o.job == run.job and o.run not in (run.run, STALLED_RUN)]
        for other in others[:EARLIER]:
            found = remember(found, ran(f"{other.job}-{other.run}", other.pace(), other.took))
        return found

    return history


def _points(run: Recorded, until: float) -> Points:
    """When progress changed, and to what."""
    points: Points = []
    for moment in run.moments:
        if moment.at > until:
            break
        if moment.share is not None and (not points or points[-1][1] != moment.share):
            points.append((moment.at, moment.share))
    return points


def _linear(points: Points, at: float) -> float | None:
    if len(points) < 2 or not 0 < points[-1][1] < 1 or points[-1][1] <= points[0][1]:
        return None
    return (1 - points[-1][1]) * (at - points[0][0]) / (points[-1][1] - points[0][1])


def _smooth(points: Points, at: float) -> float:
    work = time = 0.0
    last, done = points[0]
    for now, share in points[1:]:
        if now - last >= SHORTEST_UPDATE:
            work = SMOOTHING * (share - done) + (1 - SMOOTHING) * work
            time = SMOOTHING * (now - last) + (1 - SMOOTHING) * time
            last, done = now, share
    if work <= 0:
        return _linear(points, at) or 0.0
    return (1 - points[-1][1]) * time / work


def _stops(runs: Sequence[Recorded]) -> Iterator[Row]:
    """Stops that were called while nothing was wrong, and those of the stopped runs that were seen, on a first run."""
    false = [run for run in runs if not run.stalled and _called(run)]
    stopped = [run for run in runs if run.stalled]
    seen = [run for run in stopped if any(run.stalled[0] <= at <= run.stalled[1] + 500 for at in _called(run))]  # type: ignore[index]
    fine = sum(not run.stalled for run in runs)
    beside = f"{len(seen)} of {len(stopped)} real stops of 10 to 20 s seen while they lasted"
    yield Row("false “stopped” on a first run", f"{len(false)} of {fine} runs", beside=beside)


def _called(run: Recorded) -> list[float]:
    """The moments (ms into the run) at which it is said to have stopped."""
    called: list[float] = []
    times = [moment.at for moment in run.moments] + [run.took]
    for now, after in pairwise(times):
        if after - now < 5000:
            continue
        pace = run.pace(now)
        still, silent = patience(pace, ())
        due = [now + silent]
        if pace.share is not None and pace.share < 1:
            due.append(pace.moved - START + still)
        called += [moment for moment in due if now < moment < after]
    return called
