"""Bytes in, segments out: what a terminal would show as one line, or as one state of a line that is redrawn."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

MAX_LINE = 1_000_000
"""Bytes of one line; a longer one is cut into pieces of this length."""

_CUT = re.compile(
    rb"\n|\r{1,3}\n"  # a line's end; a terminal driver may write \r\r\n
    rb"|\r(?=[^\r\n]|\r{3})"  # back to column 1: what follows draws over it
    rb"|\x08(?=[^\x08])"  # backspaces do the same
    rb"|\x1b(?:\[(?:\d*[ABDEF]|[01]?G|[0-9;]*[Hf]|[12]K)|[78])"  # and so does the cursor
)
_BACK = b"\r\x08"
_UP = re.compile(rb"\x1b\[\d*[AF]")
_PLACE = re.compile(rb"\x1b\[[0-9;]*[Hf]")


class Segment(NamedTuple):
    """``message`` is the text without its end, with a trailing ``\\r`` where the next segment redraws it.

    ``end`` is the offset in the stream of bytes just behind the segment.
    """

    message: str
    end: int


class Splitter:
    """Splits a stream of bytes at ``\\n`` and where the cursor goes back to redraw.

    UTF-8; what is not becomes U+FFFD. It keeps at most one line of :data:`MAX_LINE` bytes.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._place = b""
        self._scanned = 0
        self._offset = 0

    def feed(self, data: bytes) -> list[Segment]:
        """The segments that ``data`` completes, in order; the rest waits for more."""
        buffer = self._rest
        buffer += data
        segments: list[Segment] = []
        start = 0
        for found in _CUT.finditer(buffer, self._scanned):
            segments += self._pieces(bytes(buffer[start : found.start()]), found.group(), start)
            start = found.end()
        while len(buffer) - start > MAX_LINE:
            end = _boundary(buffer, start + MAX_LINE)
            segments.append(Segment(_text(buffer[start:end]), self._offset + end))
            start = end
        self._offset += start
        del buffer[:start]
        self._scanned = max(0, len(buffer) - 32)
        return segments

    def partial(self) -> Segment | None:
        """What has come since the last end, as if it were redrawn. It is not consumed: the whole line comes later."""
        if not self._rest:
            return None
        text = codecs.getincrementaldecoder("utf-8")("replace").decode(self._place + self._rest.rstrip(_BACK))
        return Segment(text + "\r", self._offset + len(self._rest))

    def flush(self) -> Segment | None:
        """The last line when the stream has ended without one; ``None`` when nothing is left."""
        if not self._rest:
            return None
        line = self._rest.rstrip(_BACK)
        redrawn = len(line) < len(self._rest)
        self._offset += len(self._rest)
        message = _text(self._place + line) + ("\r" if redrawn else "")
        self._rest, self._place, self._scanned = bytearray(), b"", 0
        return Segment(message, self._offset)

    def _pieces(self, line: bytes, end: bytes, start: int) -> list[Segment]:
        """The segments of one line that ``end`` ended; ``start`` is its place in the buffer."""
        stop = self._offset + start + len(line) + len(end)
        pieces: list[Segment] = []
        place = self._place
        if line or end.endswith(b"\n"):
            self._place = b""
        if _PLACE.match(end):
            self._place = end  # where the next one is drawn tells bars on a screen apart
        while len(line) > MAX_LINE:
            cut = _boundary(line, MAX_LINE)
            start += cut
            pieces.append(Segment(_text(place + line[:cut]), self._offset + start))
            line, place = line[cut:], b""
        if end.endswith(b"\n"):
            pieces.append(Segment(_text(place + line if line else line), stop))
            return pieces
        line = line.rstrip(_BACK)
        if _UP.match(end):
            line += end  # how far up the next one goes tells bars that stand below each other apart
        if line:
            pieces.append(Segment(_text(place + line) + "\r", stop))
        return pieces


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace")


def _boundary(data: bytes | bytearray, at: int) -> int:
    """The last place at or before ``at`` that does not cut a character."""
    for back in range(4):
        if data[at - back] & 0xC0 != 0x80:
            return at - back
    return at
