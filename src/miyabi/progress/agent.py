"""How coding agents tell what they do: lists with boxes to tick, and questions to people."""

from __future__ import annotations

import re

from miyabi.progress.found import Found, clip
from miyabi.progress.state import State

_BOX = re.compile(
    r"(?:[⎿│>└] {0,9})?(?:[-*+]|\d{1,4}[.)])? {0,9}(?:\[(?P<mark>[ xX~>-])\]|(?P<sign>[☐☒☑✅⬜□])) {1,9}\S"
)
_CHECK = re.compile(r"(?P<corner>└ )?[✔✓] \S")
"""A ticked box where a list is under way, or begins in a corner (Codex); anywhere else it says that something is ok."""
_CALLOUT = re.compile(r"\s*\[CALLOUT\](?P<rest>.*)")
_END = re.compile(r"\s*(?:\[/CALLOUT\]|\[END CALLOUT\]|-{3,}|={3,}|$)")
SHORTEST = 2
"""Boxes; a single one is no list."""
TICKED = ("x", "X", "☒", "☑", "✅")
QUESTIONS = 5
LONGEST_QUESTION = 150


def box(state: State, text: str) -> Found | None:
    """What a list of boxes says once it is whole: at the line behind it, or when it is as long as the last one.

    Lists are printed whole and again at each change, one box a line; half a list says nothing.
    """
    ticked = _ticked(state, text.lstrip())
    done, total = state.boxes
    if ticked is None:
        state.boxes = (0, 0)
        if total >= SHORTEST:
            return _listed(state, done, total)
        return _ticked_off(state) if total == done == 1 else None
    done, total = done + ticked, total + 1
    state.boxes = (done, total)
    return _listed(state, done, total) if total == state.listed else None


def _ticked(state: State, text: str) -> bool | None:
    """Whether the line is a box with a tick; ``None`` when it is no box."""
    match = _BOX.match(text)
    if match is not None:
        return (match["mark"] or match["sign"]) in TICKED
    check = _CHECK.match(text)
    return True if check and (check["corner"] or state.boxes[1]) else None


def _listed(state: State, done: int, total: int) -> Found:
    """A list that is printed again is the plan of the whole job: what is counted meanwhile is a part of it."""
    again = total == state.listed
    state.listed, state.ticked = total, done
    return Found("todo list", done, total, label="todo", whole=True, overall=again)


def _ticked_off(state: State) -> Found | None:
    """One box of the list that was printed before."""
    if state.ticked >= state.listed:
        return None
    state.ticked += 1
    return Found("todo list", state.ticked, state.listed, label="todo", whole=True, overall=True)


def asks(state: State, text: str) -> bool:
    """Whether ``text`` belongs to a ``[CALLOUT]`` block: the job waits for an answer to what stands in it."""
    match = _CALLOUT.match(text)
    if match is not None:
        first = match["rest"].strip(" :-")
        state.questions = [clip(first, LONGEST_QUESTION)] if first else []
        state.asking = True
        return True
    if not state.asking:
        return False
    if _END.match(text):
        state.asking = False
    elif len(state.questions) < QUESTIONS:
        state.questions.append(clip(text, LONGEST_QUESTION))
    return True
