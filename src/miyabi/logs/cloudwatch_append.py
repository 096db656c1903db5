"""Appending to CloudWatch Logs: each stream's batches one after another, none lost, copies recognisable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field

from miyabi.logs import LogsUnavailable
from miyabi.logs.cloudwatch_batches import Entry, Legal, batches, entries
from miyabi.logs.cloudwatch_groups import Groups
from miyabi.logs.cloudwatch_retry import Caller, NotFound
from miyabi.model import NewEvent, Writer

STREAMS_KNOWN = 4096
WRITERS_KNOWN = 64
FAILURES_KNOWN = 8
Stream = tuple[str, str]
Stored = Callable[[str, str, int], None]
"""Told of every batch that was stored: group, stream, and the time of its last event."""


class _Failed(Struct):
    """A call without a writer that failed: its events and the number that its first has."""

    events: list[NewEvent]
    sequence: int
    done: int


class _Known(Struct, eq=False):
    """What this process knows of a stream: from when on to store, and up to where each writer has stored."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    floor: int = 0
    own: int = 0
    writers: dict[str, int] = field(default_factory=dict)
    failed: list[_Failed] = field(default_factory=list)


class Appender:
    """Appends. ``now`` gives milliseconds; ``name`` is this process's own as a writer, unlike any other's ever."""

    def __init__(self, call: Caller, groups: Groups, now: Callable[[], int], name: str, stored: Stored) -> None:
        self._call = call
        self._groups = groups
        self._now = now
        self._name = name
        self._stored = stored
        self._known: dict[Stream, _Known] = {}

    async def append(self, stream: Stream, events: Sequence[NewEvent], writer: Writer | None) -> int:
        """See :meth:`miyabi.logs.Logs.append`."""
        known = self._of(stream)
        async with known.turn:
            if writer is None:
                return await self._unnamed(stream, known, list(events))
            fresh = events[max(0, known.writers.get(writer.id, 0) - writer.sequence) :]
            first = writer.sequence + len(events) - len(fresh)

            def done(count: int) -> None:
                known.writers.pop(writer.id, None)
                known.writers[writer.id] = first + count
                if len(known.writers) > WRITERS_KNOWN:
                    del known.writers[next(iter(known.writers))]

            await self._put(stream, known, fresh, Writer(writer.id, first), done)
            return len(fresh)

    def ours(self, stream: Stream, writer: str) -> bool:
        """Whether this process has appended the lines of ``writer`` in a stream."""
        known = self._known.get(stream)
        return known is not None and (writer == self._name or writer in known.writers)

    async def _unnamed(self, stream: Stream, known: _Known, events: list[NewEvent]) -> int:
        """Events nobody numbered get this process's numbers; a call that failed and comes again has those it had."""
        call = next((failed for failed in known.failed if failed.events == events), None)
        if call is None:
            call = _Failed(events, known.own, 0)
            known.own += len(events)
        else:
            known.failed.remove(call)
        first = call.done

        def done(count: int) -> None:
            call.done = first + count

        try:
            await self._put(stream, known, events[first:], Writer(self._name, call.sequence + first), done)
        except LogsUnavailable:
            known.failed = [*known.failed[1 - FAILURES_KNOWN :], call]
            raise
        return len(events) - first

    async def _put(
        self, stream: Stream, known: _Known, events: Sequence[NewEvent], writer: Writer, done: Callable[[int], None]
    ) -> None:
        """Store batch after batch; ``done`` is told how many events are whole after each."""
        legal = Legal.at(self._now(), self._groups.retention(stream[0]))
        for batch in batches(entries(events, writer, known.floor, legal)):
            last = await self._store(stream, batch)
            known.floor = last + 1  # so the service's order between two batches needs no chance
            done(batch[-1].done)
            self._stored(*stream, last)

    async def _store(self, stream: Stream, batch: Sequence[Entry]) -> int:
        """Store a batch whole; the time of its last event.

        What the service rejects after all (its clock or the group's retention is not what was thought) is stored at
        the time that it is now, with its own time in its stamp.
        """
        rejected = await self._put_once(stream, batch)
        if not rejected:
            return batch[-1].timestamp
        now = self._now()
        for again in batches(entry.at(now) for entry in rejected):
            if still := await self._put_once(stream, again):
                hint = "check this machine's clock and the group's retention"
                raise LogsUnavailable(f"CloudWatch Logs rejects the time of {len(still)} events; {hint}")
        return max(now, batch[-1].timestamp)

    async def _put_once(self, stream: Stream, batch: Sequence[Entry]) -> list[Entry]:
        """Those of the batch that were rejected."""
        asked: dict[str, Any] = {
            "logGroupName": stream[0],
            "logStreamName": stream[1],
            "logEvents": [{"timestamp": entry.timestamp, "message": entry.message} for entry in batch],
        }
        try:
            answer = await self._call("put_log_events", **asked)
        except NotFound:
            await self._groups.make_stream(*stream)
            answer = await self._call("put_log_events", **asked)
        info = answer.get("rejectedLogEventsInfo") or {}
        old = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
        new = info.get("tooNewLogEventStartIndex", len(batch))
        return [entry for index, entry in enumerate(batch) if index < old or index >= new]

    def _of(self, stream: Stream) -> _Known:
        known = self._known.pop(stream, None) or _Known()
        self._known[stream] = known
        if len(self._known) > STREAMS_KNOWN:
            oldest = next(iter(self._known))
            if not self._known[oldest].turn.locked():
                del self._known[oldest]
        return known
