"""The reader of one log stream: line after line in, what changed out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from miyabi.model import Progress, Source
from miyabi.progress import agent, general, jsonlines, outcome, track
from miyabi.progress.formats import rows
from miyabi.progress.formats.row import UNMARKED
from miyabi.progress.found import MOST, Found, clip
from miyabi.progress.reading import Reading, ReadStatus
from miyabi.progress.sieve import LAST, NUMBER, WORD, Lines
from miyabi.progress.state import decode, encode
from miyabi.progress.terminal import TASKBAR, row, rows_up, taskbar

BATCH = 2000
"""Messages that are looked through at once."""
BURST = 20
"""Lines; an error so long after the last one is a new matter."""
_NUMBER = re.compile(r"\s*(\d{1,3})\s*$")

__all__ = ["Reader", "Reading"]


class Reader:
    """Reads one stream. ``state`` is what :meth:`save` gave: it goes on from there to the same answers."""

    def __init__(self, state: bytes | None = None) -> None:
        self._state = decode(state)

    @property
    def reading(self) -> Reading:
        """The newest."""
        return self._state.reading

    def save(self) -> bytes:
        """All that is needed to go on, in at most 4 KB."""
        return encode(self._state)

    def read(self, messages: Sequence[str]) -> list[tuple[int, Reading]]:
        """Read ``messages``: the index of each that changed the reading, with the reading after it."""
        changes: list[tuple[int, Reading]] = []
        for first in range(0, len(messages), BATCH):
            changes += self._batch(messages[first : first + BATCH], first)
        return changes

    def _batch(self, messages: Sequence[str], first: int) -> Iterator[tuple[int, Reading]]:
        state = self._state
        base = state.line
        lines = Lines(messages)
        for place in lines.worth(self._every):
            state.line = base + lines.number(place)
            was = state.reading
            self._line(messages[place], lines.text(place), lines.kind(place))
            if not _same(was, state.reading):
                yield first + place, state.reading
        state.line = base + lines.number(len(messages) - 1)

    def _every(self) -> bool:
        """Whether the next line is to be looked at, whatever it is."""
        state = self._state
        return bool(state.bare is not None or state.trace or state.asking or state.boxes[1] or UNMARKED in state.memory)

    def _line(self, message: str, text: str, kind: int) -> None:
        redrawn = message.endswith("\r")
        bar = taskbar(message) if TASKBAR in message else None
        if bar is not None and bar[1] is not None and bar[0] in (1, 2, 4):
            self._progress(Found("OSC 9;4", percentage=min(100, bar[1]), confidence=1.0), text)
            return
        if agent.asks(self._state, text):
            self._blocked()
            return
        if not text or text.isspace():
            return
        found = self._found(text, redrawn) if kind & NUMBER or self._every() else None
        if found is not None:
            self._progress(found._replace(depth=self._depth(message), lane=general.lane(text)), text)
        last = kind & LAST and found is not None and found.current == found.total
        if kind & WORD or last or self._state.trace:
            self._outcome(text, found is not None and not text.startswith("not ok"))

    def _depth(self, message: str) -> int:
        """How many rows below the first bar the text stands."""
        place = row(message)
        if place is None:
            return rows_up(message) if message.endswith("\r") else 0
        if not self._state.top or place < self._state.row:
            self._state.row = place
        return place - self._state.row

    def _found(self, text: str, redrawn: bool) -> Found | None:
        state = self._state
        counted = track.count(state, text)
        if counted is not None:
            return counted
        listed = agent.box(state, text)
        if listed is not None:
            return listed
        number = _NUMBER.match(text)
        if state.bare is not None:
            if number is None:
                state.bare = None
            else:
                return self._bare(float(number.group(1)))
        if "{" in text and '":' in text and text.rstrip().endswith("}"):
            return jsonlines.read(text)
        for rule in rows(text):
            match = rule.pattern.match(text)
            if match is not None:
                return rule.read(rule.name, match, state.memory)
        found, hint = general.read(text, redrawn)
        if found is None and hint is not None:
            found = track.suspect(state, hint)
        return found

    def _bare(self, value: float) -> Found | None:
        """A stream of nothing but numbers that grow to 100 is a percentage (``pv -n``, ``dialog --gauge``)."""
        state = self._state
        was, state.bare = state.bare, value
        if was is None or value < was or value > 100:
            state.bare = None
            return None
        return Found("numbers", percentage=value, confidence=0.7) if was >= 0 else None

    def _progress(self, found: Found, text: str) -> None:
        state = self._state
        progress = track.follow(state, found)
        if progress is None or max(progress.current or 0, progress.total or 0) > MOST:
            return
        if progress.percentage is not None:
            progress = Progress(progress.current, progress.total, round(progress.percentage, 1))
        was = state.reading
        status: ReadStatus = was.status
        error = was.error
        if progress != was.progress and (was.status != "failed" or state.weight < 2):
            status, error, state.weight = "running", None, 0
        state.reading = Reading(
            progress,
            status,
            clip(found.phase) if found.phase else was.phase,
            clip(found.step or text),
            error,
            Source(found.format, max(1, state.line), clip(text), found.confidence),
        )

    def _blocked(self) -> None:
        """Somebody has to answer first; progress goes on when he has."""
        state = self._state
        step = clip(" · ".join(state.questions)) or state.reading.step
        state.reading, state.weight = replace(state.reading, status="blocked", step=step), 0

    def _outcome(self, text: str, progressed: bool) -> None:
        state = self._state
        if state.trace and not text[0].isspace():
            state.trace = False
            if outcome.EXCEPTION.match(text):
                state.cause, state.cause_line = clip(text), state.line
                self._end("failed", 1, text)
                return
        if outcome.TRACEBACK.match(text):
            state.trace = True
            return
        start = general.start(text)
        words = text[start:] if start else text
        words = words[general.lane_end(words) :]
        if outcome.CAUSE.match(words):
            self._because(text)
        said = outcome.verdict(words)
        if said is None or (said[0] == "failed" and progressed and not outcome.GLUED.match(words)):
            return
        self._end(said[0], said[1], text if said[0] == "failed" else None)

    def _because(self, text: str) -> None:
        """Keep the first line of a burst of errors: those after it tend to follow from it."""
        state = self._state
        if state.cause is None or state.line - state.cause_line > BURST:
            state.cause = clip(text)
        state.cause_line = state.line

    def _end(self, status: ReadStatus, weight: int, error: str | None) -> None:
        state = self._state
        was = state.reading
        if state.weight > weight or (state.weight == weight == 1 and (was.status, status) == ("failed", "succeeded")):
            return  # ``write error``, then ``Done.``: nothing has moved since
        state.weight = weight
        why = clip(state.cause or was.error or error or "") if status == "failed" else None
        if status == "succeeded":
            state.cause = None
        state.reading = replace(was, status=status, error=why)


def _same(one: Reading, other: Reading) -> bool:
    return one is other or (
        one.progress == other.progress
        and one.status == other.status
        and one.phase == other.phase
        and one.step == other.step
        and one.error == other.error
    )
