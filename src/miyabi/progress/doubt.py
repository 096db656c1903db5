"""Counts that jump about are names with numbers in them: tests in any order, messages that tell of many things."""

from __future__ import annotations

from miyabi.progress.found import Found
from miyabi.progress.state import Jumps, State

SURE = 0.9
"""A count so sure of itself (with a bar, or a percentage that agrees) is never doubted."""
JUMP = 0.1
"""A share that falls by more than this, and not to its beginning, has jumped."""
PATIENCE = 2
"""So many jumps are too many."""
NEARLY = 0.95
"""What has come so far may begin again at any place."""
LABELS = 8


def doubtful(state: State, found: Found, share: float, label: int) -> bool:
    """Whether the counts of this label have jumped about too often to count work."""
    if found.format != "count" or found.confidence >= SURE:
        return False
    known = next((jumps for jumps in state.jumps if jumps.label == label), None)
    if known is None:
        state.jumps = [*state.jumps[1 - LABELS :], Jumps(label, share)]
        return False
    jumped = JUMP < share < known.share - JUMP and (found.current or 0) > 1
    known.times += jumped and known.share < NEARLY
    known.share = share
    return known.times >= PATIENCE
