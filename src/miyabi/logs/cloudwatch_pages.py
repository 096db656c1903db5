"""Pages of FilterLogEvents, shared: one call for all who ask the same, and the tail of a stream kept for a moment.

The quota of five calls a second is the account's, so what viewers and the collector read of a stream at about the same
time must be one call, though each stands at a place of its own. What was read of a stream is kept as a run from some
time on; a read that begins within the run takes it from there.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator

from msgspec import Struct

from miyabi.logs.cloudwatch_event import Event, parse
from miyabi.logs.cloudwatch_retry import Caller, NotFound

FRESH_SECONDS = 1.0
"""A stream's end that was read so lately is not asked for again, unless something was appended here."""
PART_SECONDS = 10.0
"""The same for a run that does not reach the end: lines that are long there."""
RUNS = 4
"""Runs of a stream that are kept: readers at its beginning must not push out those at its end."""
RUN_EVENTS, RUN_BYTES = 30_000, 4_000_000
SHARED_EVENTS, SHARED_BYTES = 5_000, 500_000
"""A tail up to here is read whole by everybody who stands in it: still one call."""
KEPT_BYTES = 64_000_000
"""Of memory for all runs."""
EVENT_BYTES = 450
"""What an event takes in memory besides its text."""
CALL_EVENTS = 10_000
BIT_EVENTS = 2_500
Stream = tuple[str, str]
_Page = tuple[list[Event], str | None]


class _Run(Struct, eq=False):
    """A stream's events from ``start`` on, as far as ``token``; whole when that is ``None``. ``at``: when read.

    ``asked`` is the time that the service was asked from, which goes with the token.
    """

    start: int
    asked: int
    events: list[Event]
    token: str | None
    at: float
    size: int

    @property
    def memory(self) -> int:
        """About so many bytes."""
        return self.size + EVENT_BYTES * len(self.events)

    def holds(self, start: int, enough: int) -> bool:
        """Whether a read from ``start`` finds its first event here, and when this is the end, ``enough`` before it."""
        if self.start > start:
            return False
        if self.token is not None:
            return bool(self.events) and start <= self.events[-1].time
        return len(self.events) - _first(self.events, start) >= enough


class Pages:
    """What is read of CloudWatch Logs. ``clock`` gives seconds that only grow."""

    def __init__(self, call: Caller, fresh: float = FRESH_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._call = call
        self._fresh = fresh
        self._kept_seconds = max(PART_SECONDS, fresh)
        self._clock = clock
        self._runs: dict[Stream, list[_Run]] = {}
        self._starts: dict[Stream, int] = {}
        self._changes: dict[Stream, int] = {}
        self._offers: dict[Stream, tuple[float, list[Event]]] = {}
        self._asked: dict[object, asyncio.Future[_Page]] = {}

    def changed(self, stream: Stream) -> None:
        """Something was appended: what was read before is old."""
        self._runs.pop(stream, None)
        self._offers.pop(stream, None)
        self._changes[stream] = self._changes.pop(stream, 0) + 1
        if len(self._changes) > CALL_EVENTS:
            del self._changes[next(iter(self._changes))]

    def offer(self, asked_at: float, found: dict[Stream, list[Event]]) -> None:
        """A look at whole groups, begun at ``asked_at``, has found these; they replace what the one before found."""
        self._offers = {stream: (asked_at, events) for stream, events in found.items()}

    def offered(self, stream: Stream) -> list[Event]:
        """A stream's newest events by such a look, while that is fresh."""
        at, events = self._offers.get(stream, (0.0, []))
        return events if events and self._clock() - at < self._fresh else []

    async def since(self, stream: Stream, start: int, enough: int) -> AsyncIterator[list[Event]]:
        """The events from the time ``start`` on, in the service's order, bit by bit; there may be empty bits.

        A reader that will not come to the end when there are ``enough`` may be given what is some seconds old.
        """
        run = self._run(stream, start, enough)
        if run is None:
            begin = min(start, self._starts.get(stream, start))
            run = _Run(begin, begin, [], "", self._clock(), 0)
        for bit in _bits(run.events, start):
            yield bit
        changes = self._changes.get(stream)
        while run.token is not None:
            events, token = await self._page(stream, startTime=run.asked, **_next(run.token))
            run = _longer(run, events, token)
            if changes == self._changes.get(stream):
                self._keep(stream, run)
            for bit in _bits(events, start):
                yield bit

    async def until(self, stream: Stream, end: int | None, wanted: int) -> AsyncIterator[tuple[list[Event], bool]]:
        """Events up to the time ``end`` (``None``: the newest), newest page first, each in order; ``True``: the last.

        Emulators ignore that the newest are asked for first; then all of their pages are one.
        """
        limit = min(CALL_EVENTS, wanted)
        asked = {"startFromHead": False, "limit": limit} | ({} if end is None else {"endTime": end})
        found: list[Event] = []
        token: str | None = ""
        while token is not None:
            events, token = await self._page(stream, **asked, **_next(token))
            found += events
            oldest_first = _oldest_first(found)
            if token is None or not oldest_first:
                yield found if oldest_first else found[::-1], token is None
                found = []

    async def _page(self, stream: Stream, **parameters: object) -> _Page:
        """A page; who asks for one that is on its way waits for the same. A caller that gives up disturbs nobody."""
        key = stream, self._changes.get(stream), *sorted(parameters.items())
        asked = self._asked.get(key)
        if asked is None:
            asked = asyncio.ensure_future(self._filter(stream, parameters))
            self._asked[key] = asked
            asked.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(asked)

    def _done(self, key: object, done: asyncio.Future[_Page]) -> None:
        del self._asked[key]
        if not done.cancelled():
            done.exception()  # a failure is told to whoever still waits

    async def _filter(self, stream: Stream, parameters: dict[str, object]) -> _Page:
        group, name = stream
        try:
            answer = await self._call("filter_log_events", logGroupName=group, logStreamNames=[name], **parameters)
        except NotFound:
            return [], None
        return [parse(event) for event in answer.get("events", ())], answer.get("nextToken")

    def _run(self, stream: Stream, start: int, enough: int) -> _Run | None:
        """The freshest run that a read from ``start`` may begin in."""
        now = self._clock()
        runs = [run for run in self._runs.get(stream, ()) if now - run.at < self._kept_seconds]
        if not runs:
            self._runs.pop(stream, None)
            return None
        self._runs[stream] = runs
        usable = (run for run in runs if run.holds(start, enough if now - run.at >= self._fresh else 0))
        return max(usable, key=lambda run: (run.at, run.events[-1].time), default=None)

    def _keep(self, stream: Stream, run: _Run) -> None:
        if not run.events:
            return
        runs = [old for old in self._runs.pop(stream, []) if (old.asked, old.at) != (run.asked, run.at)]
        self._runs[stream] = [*runs[1 - RUNS :], run]
        self._agree(stream, run)
        self._let_go()

    def _let_go(self) -> None:
        """Forget the streams that were read longest ago: those nobody has read of late, and while they are too much."""
        now = self._clock()
        memory = sum(run.memory for runs in self._runs.values() for run in runs)
        while len(self._runs) > 1:
            oldest = next(iter(self._runs))
            if memory <= KEPT_BYTES and any(now - run.at < self._kept_seconds for run in self._runs[oldest]):
                return
            memory -= sum(run.memory for run in self._runs.pop(oldest))

    def _agree(self, stream: Stream, run: _Run) -> None:
        """Who reads the end next begins where this run does, while that is near: so that all read one and the same."""
        self._starts.pop(stream, None)
        if run.token is None and len(run.events) <= SHARED_EVENTS and run.size <= SHARED_BYTES:
            self._starts[stream] = run.start
            if len(self._starts) > CALL_EVENTS:
                del self._starts[next(iter(self._starts))]


def _first(events: list[Event], start: int) -> int:
    """The index of the first event from ``start`` on."""
    return bisect_left(events, start, key=lambda event: event.time)


def _bits(events: list[Event], start: int) -> Iterator[list[Event]]:
    """``events`` from ``start`` on, in bits: a reader that wants few need not look at all."""
    for first in range(_first(events, start), len(events), BIT_EVENTS):
        yield events[first : first + BIT_EVENTS]


def _next(token: str) -> dict[str, str]:
    return {"nextToken": token} if token else {}


def _longer(run: _Run, events: list[Event], token: str | None) -> _Run:
    """The run with one page more; when it gets too long, without its beginning."""
    size = sum(event.size for event in events)
    if not run.events or (len(run.events) + len(events) <= RUN_EVENTS and run.size + size <= RUN_BYTES):
        return _Run(run.start, run.asked, run.events + events, token, run.at, run.size + size)
    kept = run.events[len(run.events) // 2 :]
    start = kept[0].time + 1
    kept = kept[_first(kept, start) :] + events
    return _Run(start, run.asked, kept, token, run.at, sum(event.size for event in kept))


def _oldest_first(events: list[Event]) -> bool:
    return bool(events) and events[0].time < events[-1].time
