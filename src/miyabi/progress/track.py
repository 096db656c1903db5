"""From what single lines say to how far the job is: pieces of a whole, bars below bars, counts that overshoot."""

from __future__ import annotations

from zlib import crc32

from miyabi.model import Progress
from miyabi.progress.found import Found
from miyabi.progress.general import Hint
from miyabi.progress.state import Counted, State, Suspect
from miyabi.progress.tally import TALLIES, Tally

PROVEN = 2
"""A number of unknown meaning counts work when it has grown so often."""
SUSPECTS = 12


def follow(state: State, found: Found) -> Progress | None:
    """The job's progress after ``found``; ``None`` when it says nothing of the whole."""
    if found.begun:
        piece, pieces = found.current or 0, found.total or 1
        state.piece, state.within = (piece, pieces), 0.0
        return Progress.of(max(0, piece - 1), pieces)
    label = crc32(found.label.encode("utf-8", "replace"))
    if found.depth and state.top and label != state.over:
        return None
    share = _share(found)
    if not found.depth:
        state.top, state.over = share < 1, label
    if state.piece:
        return _within(state, found, share)
    if found.total is None or found.current is None:
        return Progress(percentage=found.percentage)
    return Progress.of(found.current, found.total)


def _share(found: Found) -> float:
    if found.current is not None and found.total:
        return min(1.0, found.current / found.total)
    return (found.percentage or 0) / 100


def _within(state: State, found: Found, share: float) -> Progress | None:
    """A count inside piece k of a whole of K: (k - 1 + share) of K."""
    piece, pieces = state.piece or (1, 1)
    if piece >= pieces and state.within >= 1 and share < 1:
        state.piece = None
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
        known = Counted(tally.name, 0, sum(int(g) for g in total.groups() if g))
        state.counted.append(known)
    elif known is None:
        if not piece:
            return None
        known = Counted(tally.name)
        state.counted.append(known)
    known.total += bool(piece)
    if done:
        known.done = int(done.group(1)) if done.re.groups else known.done + 1
    if not known.total or not done:
        return None
    return Found(tally.name, min(known.done, known.total), known.total, label=tally.name)
