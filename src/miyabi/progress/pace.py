"""How fast one run goes: what is kept of the times at which its lines came and its progress moved.

It is small and is moved on line by line, in any pieces, to the same answer; no clock is read here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct

GRID = 24
"""Places in one lap (0 to 100 %) at which the time is noted."""
MARKS = 48
"""Notes that are kept; with more of them the grid gets coarser."""
FADES = 0.3
"""Part of the work after which what was seen of the pace counts a third."""
AGAIN = 0.5
"""A share that falls below this part of what it was begins anew: another lap."""
OUTLIER = 4
"""A rest is a stall when it is so many times as long as any before, ..."""
LONG = 0.2
"""... and takes such a part of the lap so far, ..."""
SETTLED = 4
"""... after so many moves."""
MOST_STAGES = 8
"""Laps whose stage is kept; a run with more of them goes round and round."""
LEAP = 24 * 3600 * 1000
"""Ms; no rest is longer."""


class Mark(Struct, array_like=True, frozen=True):
    """``place`` (lap times :data:`GRID` and what is done of it, in whole places) was reached ``at`` ms into the run."""

    place: int
    at: int


class Pace(Struct, array_like=True):
    """Times are in ms since 1970; rests in ms; ``share`` is 0 to 1, ``None`` before the first progress."""

    began: int = 0
    """When the first line came; 0: none has."""
    spoke: int = 0
    """When the newest line came."""
    shift: int = 0
    """What is added to the clock of the lines, so that it only grows."""
    moved: int = 0
    """When progress last moved."""
    quiet: int = 0
    """The longest time between two lines."""
    still: int = 0
    """The longest rest between two moves, stalls left out."""
    longest: int = 0
    """The longest rest of all, stalls too."""
    moves: int = 0
    lap: int = 0
    """How often progress has begun anew."""
    lap_began: int = 0
    share: float | None = None
    time: float = 0.0
    """Ms spent on ``work``; both fade, so that what came last counts most."""
    work: float = 0.0
    squares: float = 0.0
    """Sum of rest² / work, fading likewise: the more uneven the pace is, the more it exceeds ``time²/work``."""
    stalled: int = 0
    """Ms of the one stall that is left out of ``time``; two are no stalls but the way the job works."""
    marks: list[Mark] = []
    grain: int = 1
    """Only places that this divides are noted."""
    stages: list[str] = []
    """What the first laps were of: a stack, a step; empty where no line tells."""

    @property
    def position(self) -> float | None:
        """Laps and the part of this one that are done."""
        return None if self.share is None else self.lap + self.share

    @property
    def unevenness(self) -> float:
        """The variance of the pace (time per work) in parts of its square: 0 where it is even."""
        return max(0.0, self.squares * self.work / self.time**2 - 1) if self.time > 0 else 0.0

    @property
    def active(self) -> int:
        """Ms from the first line to the newest move, the stall left out."""
        return max(0, self.moved - self.began - self.stalled)

    def heard(self, times: Iterable[int]) -> None:
        """Lines came at ``times``. A clock that is set back, or leaps by more than a day, goes on from where it was."""
        for time in times:
            if not self.began:
                self.began = self.spoke = self.moved = time
                continue
            rest = time + self.shift - self.spoke
            if not 0 <= rest <= LEAP:
                self.shift -= rest
            elif rest:
                if rest > self.quiet:
                    self.quiet = rest
                self.spoke += rest

    def at(self, share: float, stage: str = "") -> None:
        """With the newest line progress stood at ``share``, of ``stage`` where a lap is of one."""
        share = round(share, 6)
        if share == self.share:
            return
        time = self.spoke
        if self.share is None or share < self.share * AGAIN:
            self._lap(time, stage, first=self.share is None)
        elif share > self.share:
            self._move(time - self.moved, share - self.share)
        self.share, self.moved = share, time
        self._mark(time)

    def _lap(self, time: int, stage: str, *, first: bool) -> None:
        self.lap += not first
        if self.lap == len(self.stages) < MOST_STAGES:
            self.stages.append(stage)
        self.lap_began = time
        self.time = self.work = self.squares = 0.0
        self.stalled = 0

    def _move(self, rest: int, work: float) -> None:
        self.moves += 1
        self.longest = max(self.longest, rest)
        fade = math.exp(-work / FADES)
        spent = rest
        if self._stall(rest):
            spent = max(self.still, round(work * self.time / self.work))
            if self.stalled:
                spent, self.stalled = rest + self.stalled, 0
            else:
                self.stalled = rest - spent
        if spent >= rest:
            self.still = max(self.still, rest)
        self.time = self.time * fade + spent
        self.squares = self.squares * fade + spent * spent / work
        self.work = self.work * fade + work

    def _stall(self, rest: int) -> bool:
        before = self.moved - self.lap_began
        return self.moves > SETTLED and self.work > 0 and rest > OUTLIER * self.still and rest > LONG * (before + rest)

    def _mark(self, time: int) -> None:
        """Note each newly reached place: of several reached at once the first and the last."""
        last = self.marks[-1].place if self.marks else -self.grain
        place = int((self.lap + (self.share or 0)) * GRID + 1e-6) // self.grain * self.grain
        if place <= last:
            return
        first = last + self.grain
        if place > first > 0:
            self.marks.append(Mark(first, time - self.began))
        self.marks.append(Mark(place, time - self.began))
        while len(self.marks) > MARKS:
            self.grain *= 2
            self.marks = [mark for mark in self.marks if mark.place % self.grain == 0]
