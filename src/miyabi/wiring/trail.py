"""Where the audit trail is kept: with the services' own logs, a stream for each day."""

from __future__ import annotations

import secrets
from collections import Counter
from itertools import groupby
from typing import NamedTuple

from miyabi.logs import AUDIT_STREAM, Logs
from miyabi.model import SYSTEM_GROUP, NewEvent, Writer, iso


class Line(NamedTuple):
    """A line with its place among this process's lines of its stream: one that is sent twice is stored once."""

    stream: str
    number: int
    event: NewEvent


class Trail:
    """This process's lines in ``logs``."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._id = secrets.token_hex(8)
        self._numbers: Counter[str] = Counter()

    def line(self, now: int, text: str) -> Line:
        """``text`` of ``now`` (ms) as it will be stored."""
        stream = f"{AUDIT_STREAM}{iso(now)[:10]}"
        number = self._numbers[stream]
        self._numbers[stream] += 1
        return Line(stream, number, NewEvent(now, text))

    async def write(self, lines: list[Line]) -> None:
        """Store them. What :class:`miyabi.logs.Logs` raises comes through; then the same may be given again."""
        for stream, of_stream in groupby(lines, key=lambda line: line.stream):
            some = list(of_stream)
            writer = Writer(self._id, some[0].number)
            await self._logs.append(SYSTEM_GROUP, stream, [line.event for line in some], writer)
