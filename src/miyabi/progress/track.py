"""From what single lines say to how far the job is: pieces of a whole, bars below bars, counts that overshoot."""

from __future__ import annotations

import re
from zlib import crc32

from miyabi.model import Progress
from miyabi.progress.doubt import doubtful
from miyabi.progress.found import MOST, Found, number
from miyabi.progress.general import Hint
from miyabi.progress.state import Counted, Stage, State, Suspect
from miyabi.progress.tally import TALLIES, Tally

PROVEN = 2
"""A number of unknown meaning counts work when it has grown so often."""
SUSPECTS = 12
SAME = 0.0101
"""Shares that differ by no more say the same."""
NEARLY = 0.95


def follow(state: State, found: Found) -> Progress | None:
    """The job's progress after ``found``; ``None`` when it says nothing of the whole."""
    if not _plausible(found):
        return None
    if found.begun:
        return _begin(state, found.current or 0, found.total or 1)
    label = crc32(found.label.encode("utf-8", "replace"))
    if found.depth and state.top and label != state.over:
        return None
    share = _share(found)
    if state.overall and not found.overall:
        return None
    if doubtful(state, found, share, label):
        return Progress() if label == state.shown else None
    state.shown = label
    state.overall = found.overall and share < 1
    if not found.depth:
        state.top, state.over = share < 1, label
    if found.whole or found.overall:
        state.piece = state.stage = None
    stage = state.stage
    if stage is not None and _same_count(stage, found, label):
        return _next_stage(state, stage, found.current or 0, found.total or 1)
    if found.stage and found.current == 1 and state.piece is None and (stage is None or stage.at >= stage.of):
        state.stage = Stage(label, 1, found.total or 1, lane=found.lane)
    elif stage is not None and stage.lane == found.lane:
        _inside(state, stage, share)
    if state.piece and (stage is None or stage.lane == found.lane):
        return _within(state, found, share)
    if found.total is None or found.current is None:
        return Progress(percentage=found.percentage)
    return Progress.of(found.current, found.total)


def _plausible(found: Found) -> bool:
    """Whether it can be how far something is; a damaged line may say anything."""
    counts = found.current or 0, found.total or 0
    return min(counts) >= 0 and max(counts) <= MOST and 0 <= (found.percentage or 0) <= 100


def _begin(state: State, piece: float, pieces: float) -> Progress:
    """A piece of the whole begins; where stages are counted too, of each stage."""
    stage = state.stage
    if stage is not None and stage.of >= 2:
        stage.inside = True
        piece, pieces = (stage.at - 1) * pieces + piece, stage.of * pieces
    state.piece, state.within = (piece, pieces), 0.0
    return Progress.of(max(0, piece - 1), pieces)


def _same_count(stage: Stage, found: Found, label: int) -> bool:
    """Whether it is the line that counts stages again: of the same total or in the same words; redrawn, in both."""
    if (found.current or 0) < stage.at:
        return False
    if not found.stage:
        return stage.of == found.total and stage.label == label
    return stage.of == found.total or stage.label == label


def _next_stage(state: State, stage: Stage, at: float, of: float) -> Progress:
    """The line that counts stages, again: one begins when something was seen inside of those before, else is done."""
    stage.at, stage.of, stage.begins = at, of, True
    if not stage.inside:
        return Progress.of(at, stage.of)
    state.piece, state.within = (at, stage.of), 0.0
    return Progress.of(max(0, at - 1), stage.of)


def _inside(state: State, stage: Stage, share: float) -> None:
    """Something else is counted between the lines that count stages: it is within the stage that is under way.

    Not when it says the same of the whole, or goes on from stage to stage without beginning again.
    """
    if stage.inside and stage.begins and 0 < stage.share < min(NEARLY, share):
        state.stage = state.piece = None
    elif not stage.inside and stage.at >= stage.of:
        state.stage = None  # all of that is done: a matter of its own
    elif not stage.inside and state.piece is None and abs(share - stage.at / stage.of) > SAME:
        stage.inside, state.piece, state.within = True, (stage.at, stage.of), 0.0
    stage.share, stage.begins = share, False


def _share(found: Found) -> float:
    if found.current is not None and found.total:
        return min(1.0, found.current / found.total)
    return (found.percentage or 0) / 100


def _within(state: State, found: Found, share: float) -> Progress | None:
    """A count inside piece k of a whole of K: (k - 1 + share) of K."""
    piece, pieces = state.piece or (1, 1)
    if piece >= pieces and state.within >= 1 and share < 1:
        state.piece = state.stage = None
        return follow(state, found)
    state.within = max(state.within, share)
    if share < state.within:
        return None
    if found.current is None or not found.total:
        return Progress(percentage=min(100.0, 100 * (max(0, piece - 1) + share) / pieces))
    return Progress.of(max(0, piece - 1) * found.total + found.current, pieces * found.total)


def suspect(state: State, hint: Hint) -> Found | None:
    """``hint`` as progress, once numbers of its shape have only grown towards one total."""
    current = hint.found.current if hint.found.current is not None else hint.found.percentage or 0
    total = hint.found.total or 100
    shape = crc32(hint.shape.encode("utf-8", "replace"))
    for place, known in enumerate(state.suspects):
        if known.shape != shape:
            continue
        if known.total != total or current < known.current:
            known.grown = 0
        elif current > known.current:
            known.grown += 1
        known.current, known.total = current, total
        state.suspects.append(state.suspects.pop(place))
        return hint.found._replace(confidence=0.6) if known.grown >= PROVEN else None
    state.suspects = [*state.suspects[1 - SUSPECTS :], Suspect(shape, current, total)]
    return None


def count(state: State, text: str) -> Found | None:
    """A piece of a tally announced or done."""
    for tally in TALLIES:
        for hint in tally.hints:
            if hint in text:
                found = _counted(state, tally, text)
                if found is not None:
                    return found
                break
    return None


def _counted(state: State, tally: Tally, text: str) -> Found | None:
    total = tally.total and tally.total.search(text)
    piece = tally.piece and tally.piece.match(text)
    done = tally.done.match(text)
    if not (total or piece or done):
        return None
    known = next((c for c in state.counted if c.name == tally.name), None)
    if total:
        state.counted = [c for c in state.counted if c is not known][-3:]
        known = Counted(tally.name, 0, sum(int(number(g)) for g in total.groups() if g))
        state.counted.append(known)
    elif known is None:
        if not piece:
            return None
        known = Counted(tally.name)
        state.counted.append(known)
    known.total += bool(piece)
    if done:
        known.done = _done(done, known.done)
    if not known.total or not done:
        return None
    return Found(tally.name, min(known.done, known.total), known.total, label=tally.name, whole=True)


def _done(piece: re.Match[str], before: int) -> int:
    """How many pieces are done after the one or more that ``piece`` names."""
    if "marks" in piece.re.groupindex:
        return before + len(piece["marks"] or "1")
    return int(number(piece.group(1))) if piece.re.groups else before + 1
