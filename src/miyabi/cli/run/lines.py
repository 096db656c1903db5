"""From a spool to the events of its stream, the same ones in the same order whenever it is read again."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from miyabi.cli.run.shelf import Header
from miyabi.cli.run.spool import OFFSETS, Exit, Frame, Kind, SpoolReader, part
from miyabi.logs import MAX_BATCH, MAX_EVENT_BYTES
from miyabi.model import NewEvent, RunExit, marker_line, plain_line
from miyabi.progress.lines import Segment, Splitter

BATCH_SIZE = 1_000_000
LONG = 150_000
"""Characters from which a message's size on the wire is looked at."""
MAX_JSON = 3_000_000
PARTIAL_MS = 200
PARTIAL_MOST_MS = 10_000
PARTIAL_LENGTH = 4096


class Flight(Struct, frozen=True, array_like=True):
    """A batch on its way: how many events, how far the spool was read for it, and which stream's unfinished line
    (or none: -1) ends it."""

    count: int
    file: int
    end: int
    partial: int = -1


class Sent(Struct, frozen=True, array_like=True):
    """How far a spool is acknowledged: the next event's number, the file to read on from, and the offsets in output,
    in errors and of gaps behind which the rest is still to be sent."""

    sequence: int = 0
    file: int = 0
    done: tuple[int, int, int] = (0, 0, 0)
    flight: Flight | None = None


class _Item(NamedTuple):
    event: NewEvent
    kind: int
    """0 output, 1 errors, 2 a gap, 3 a marker."""
    end: int


class _Way:
    """One of the two streams of bytes, split into lines."""

    def __init__(self, done: int) -> None:
        self.splitter = Splitter()
        self.base = done
        self.at = 0
        self.changed_at: int | None = None
        self.interval = PARTIAL_MS

    def feed(self, data: bytes, ms: int) -> list[Segment]:
        behind = self.base - self.at
        self.at += len(data)
        if behind > 0:
            data = data[behind:]
        segments = self.splitter.feed(data) if data else []
        if segments:
            self.changed_at, self.interval = None, PARTIAL_MS
        if data and self.changed_at is None and not data.endswith(b"\n"):
            self.changed_at = ms
        return segments

    def due(self) -> int | None:
        """When the unfinished line is to be shown as it is, in ms."""
        return None if self.changed_at is None else self.changed_at + self.interval

    def partial(self, now: int) -> Segment | None:
        """The unfinished line; the next look at it is twice as far away."""
        self.changed_at = None
        self.interval = min(2 * self.interval, PARTIAL_MOST_MS)
        segment = self.splitter.partial()
        return segment if segment and len(segment.message) <= PARTIAL_LENGTH else None


class Lines:
    """Reads the spool ``base`` in batches, from where ``sent`` says. ``now`` gives the time in ms."""

    def __init__(self, base: Path, header: Header, sent: Sent, now: Callable[[], int]) -> None:
        self.sent = sent
        self.finished = False
        self._base = base
        self._header = header
        self._now = now
        self._reader = SpoolReader(base, sent.file)
        self._ways = (_Way(sent.done[0]), _Way(sent.done[1]))
        self._starts: deque[tuple[int, tuple[int, int]]] = deque()
        self._queue: deque[_Item] = deque()
        self._size = 0
        self._batch: list[_Item] = []
        self._frame = (sent.file, 0)
        self._last_ms = header.started
        self._ended = False
        if sent.sequence == 0:
            self._queue.append(_Item(NewEvent(header.started, marker_line(header.start)), 3, 0))

    def batch(self, gone: bool) -> list[NewEvent]:
        """The next events to send, as many as go into one append; the same until :meth:`acknowledge`.

        ``gone``: nobody writes the spool any more, so what is missing at its end will not come.
        """
        if not self._batch:
            self._batch = self._again(self.sent.flight) if self.sent.flight else self._take(gone)
        return [item.event for item in self._batch]

    def acknowledge(self) -> None:
        """The batch is stored: forget it, and delete the files that hold nothing else."""
        done = list(self.sent.done)
        for item in self._batch:
            if item.kind < 3:
                done[item.kind] = max(done[item.kind], item.end)
        while len(self._starts) > 1 and all(a <= b for a, b in zip(self._starts[1][1], done, strict=False)):
            part(self._base, self._starts.popleft()[0]).unlink(missing_ok=True)
        file = self._starts[0][0] if self._starts else self.sent.file
        self.sent = Sent(self.sent.sequence + len(self._batch), file, (done[0], done[1], done[2]))
        self._batch = []
        self.finished = self._ended and not self._queue

    @property
    def acknowledged(self) -> int:
        """Bytes of output whose lines are stored."""
        return self.sent.done[0] + self.sent.done[1]

    def partial_due(self) -> float | None:
        """Seconds until an unfinished line is to be shown; ``None`` when there is none."""
        dues = [due for way in self._ways if (due := way.due()) is not None]
        return max(0, min(dues) - self._now()) / 1000 if dues else None

    def close(self) -> None:
        """Let go of the spool."""
        self._reader.close()

    def _take(self, gone: bool) -> list[_Item]:
        self._read(gone)
        partial = -1
        if not self._queue:
            partial = self._show_partial()
        items = self._first(MAX_BATCH)
        if items:
            self.sent = msgspec.structs.replace(self.sent, flight=Flight(len(items), *self._frame, partial))
        return items

    def _again(self, flight: Flight) -> list[_Item]:
        """The batch that was on its way when its sender died, as it was then."""
        whole = flight.count - (flight.partial >= 0)
        while self._frame < (flight.file, flight.end):
            if (frame := self._reader.next()) is None:
                break
            self._handle(frame)
        if flight.partial >= 0 and (segment := self._ways[flight.partial].splitter.partial()):
            self._queue.insert(whole, _Item(NewEvent(self._last_ms, plain_line(segment.message)), flight.partial, 0))
        elif whole > len(self._queue) and not self._ended:
            self._end(Exit(None), self._last_ms, seen=False)
        return self._first(flight.count)

    def _first(self, count: int) -> list[_Item]:
        items: list[_Item] = []
        size = 0
        while self._queue and len(items) < count and (not items or size + _size(self._queue[0]) <= BATCH_SIZE):
            size += _size(self._queue[0])
            items.append(self._queue.popleft())
        self._size -= size
        return items

    def _read(self, gone: bool) -> None:
        while len(self._queue) < MAX_BATCH and self._size < BATCH_SIZE and not self._ended:
            frame = self._reader.next()
            if frame is None:
                if gone:
                    self._end(Exit(None), self._last_ms, seen=False)
                return
            self._handle(frame)

    def _handle(self, frame: Frame) -> None:
        self._frame = (frame.file, frame.end)
        self._last_ms = frame.ms
        match frame.kind:
            case Kind.OUT | Kind.ERR:
                for segment in self._ways[frame.kind].feed(frame.data, frame.ms):
                    self._put(segment, frame.kind, frame.ms)
            case Kind.START:
                offsets = OFFSETS.unpack(frame.data)
                self._starts.append((frame.file, offsets))
                for way, offset in zip(self._ways, offsets, strict=True):
                    way.at = max(way.at, offset)
            case Kind.LOST:
                place = (frame.file << 32) + frame.end
                if place > self.sent.done[2]:
                    count = int.from_bytes(frame.data, "little")
                    text = f"[miyabi: {count:,} bytes of output were not recorded here: the disk was full]"
                    self._append(_Item(NewEvent(frame.ms, text), 2, place))
            case Kind.EXIT:
                self._end(Exit.unpack(frame.data), frame.ms)

    def _end(self, how: Exit, ms: int, seen: bool = True) -> None:
        for kind, way in enumerate(self._ways):
            if (segment := way.splitter.flush()) is not None:
                self._put(segment, kind, ms)
            way.changed_at = None
        name = signal.Signals(how.signal).name if how.signal in set(signal.Signals) else None
        marker = RunExit(self._header.writer, how.code, name, round(how.seconds, 3), seen)
        self._append(_Item(NewEvent(ms, marker_line(marker)), 3, 0))
        self._ended = True

    def _put(self, segment: Segment, kind: int, ms: int) -> None:
        end = self._ways[kind].base + segment.end
        message = plain_line(segment.message)
        if len(message) < LONG:
            self._append(_Item(NewEvent(ms, message), kind, end))
            return
        *first, last = pieces(message)
        for piece in first:
            self._append(_Item(NewEvent(ms, piece), kind, 0))
        self._append(_Item(NewEvent(ms, last), kind, end))

    def _append(self, item: _Item) -> None:
        self._queue.append(item)
        self._size += _size(item)

    def _show_partial(self) -> int:
        now = self._now()
        for kind, way in enumerate(self._ways):
            due = way.due()
            if due is not None and due <= now and (segment := way.partial(now)):
                self._append(_Item(NewEvent(now, plain_line(segment.message)), kind, 0))
                return kind
        return -1


def pieces(message: str) -> list[str]:
    """``message`` whole, or in as many pieces as it takes for each to be stored and sent."""
    if len(message) < LONG:
        return [message]
    if len(message.encode("utf-8", "replace")) <= MAX_EVENT_BYTES and len(msgspec.json.encode(message)) <= MAX_JSON:
        return [message]
    half = len(message) // 2
    return pieces(message[:half]) + pieces(message[half:])


def _size(item: _Item) -> int:
    return 2 * len(item.event.message) + 40
