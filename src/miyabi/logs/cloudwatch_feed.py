"""Which streams of CloudWatch Logs have new lines: what was appended or pushed here at once, the rest by looking.

The service has no feed. Looking is DescribeLogStreams by the last event's time, for each group that is followed; it
tells of a stream some seconds late as a rule, by AWS's documentation up to an hour. So where others write (``probe``),
one FilterLogEvents call for a whole group tells which of its streams have new events, however many streams it has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from miyabi.logs import LAMBDA_GROUPS, UNKNOWN_POSITION
from miyabi.logs import Stream as Changed
from miyabi.logs.cloudwatch_event import Event, parse
from miyabi.logs.cloudwatch_pages import Stream
from miyabi.logs.cloudwatch_retry import Caller, NotFound
from miyabi.model import SYSTEM_GROUP

POLL_SECONDS = 5.0
MOST_PAGES = 20
"""Of 50 streams, for one group and look: what changed longer ago than the newest thousand streams is not looked at."""
MOST_PROBED = 2
"""Pages of 10,000 events for one group and look; what is behind them is seen at the next look."""
MOST_EMPTY = 4
"""Pages more that may be empty though others follow."""
STREAMS_KNOWN = 20_000
PROBED_KNOWN = 20_000
LAG = 3_600_000
"""How late (ms) ``lastEventTimestamp`` and ``lastIngestionTime`` may be: "typically less than an hour", says AWS."""
OVERLAP = 60_000
"""How late (ms) an event may come in and still be seen by a probe."""
FIRST_OVERLAP = 900_000
"""The same (ms) for the first probe: what was written while no process looked."""
_DIGITS = 18
_MICROS = 1000


class _Known(Struct):
    """What is known of a stream: when it was touched, its newest event's time and coming in (ms)."""

    touched: int = 0
    last: int = -1
    ingested: int = -1


class Feed:
    """Streams in the order of their changes. A place in it is a time in µs, so that it means the same to all processes.

    ``followed`` gives the groups to look at; ``ours`` tells whether a writer's lines in a stream were appended by this
    process, whose appends are no news; ``offer`` takes what a probe found, and when it began. ``now`` gives
    milliseconds, ``clock`` seconds that only grow.
    """

    def __init__(
        self,
        call: Caller,
        followed: Callable[[], Iterable[str]],
        ours: Callable[[Stream, str], bool],
        offer: Callable[[float, dict[Stream, list[Event]]], None],
        now: Callable[[], int],
        poll: float = POLL_SECONDS,
        *,
        probe: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        self._followed = followed
        self._ours = ours
        self._offer = offer
        self._now = now
        self._poll = poll
        self._probes: dict[str, _Probe] | None = {} if probe else None
        self._clock = clock
        self._known: dict[Stream, _Known] = {}
        self._newest = 0
        self._looked_at: float | None = None
        self._looking = asyncio.Lock()
        self._bell = asyncio.Event()

    def appended(self, group: str, stream: str, last: int) -> None:
        """An event stored at the time ``last`` was appended by this process."""
        now = self._now()
        self._touch((group, stream), last, now, now)

    def pushed(self, group: str, stream: str) -> None:
        """Somebody says that the stream has new events."""
        self._touch((group, stream), -1, -1, self._now())

    async def changed(self, after: str, limit: int) -> list[Changed]:
        """See :meth:`miyabi.logs.Logs.changed`."""
        await self._look()
        place = self._place(after)
        found: list[Changed] = []
        for (group, name), known in reversed(self._known.items()):
            if known.touched <= place:
                break
            found.append(Changed(group, name, UNKNOWN_POSITION, str(known.touched)))
        return found[::-1][:limit]

    async def wait(self, after: str, timeout: float) -> bool:
        """See :meth:`miyabi.logs.Logs.wait`."""
        end = self._clock() + timeout
        while True:
            bell = self._bell
            await self._look()
            if self._place(after) < self._newest:
                return True
            left = end - self._clock()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(bell.wait(), min(left, self._poll))
            except TimeoutError:
                continue

    async def _look(self) -> None:
        """Look at all groups, unless that was done a moment ago; who comes meanwhile waits for the same look."""
        if not self._due():
            return
        async with self._looking:
            if self._due():
                found = [await self._described(group) for group in self._followed()]
                self._take_in([stream for streams in found for stream in streams])
                if self._probes is not None:
                    await self._probe_all()
                self._looked_at = self._clock()

    def _due(self) -> bool:
        return self._looked_at is None or self._clock() - self._looked_at >= self._poll

    async def _described(self, group: str) -> list[tuple[Stream, int, int]]:
        """Streams with news: their newest event's time and the last coming in."""
        asked: dict[str, Any] = {"logGroupName": group, "orderBy": "LastEventTime", "descending": True, "limit": 50}
        found: list[tuple[Stream, int, int]] = []
        for _ in range(MOST_PAGES):
            try:
                answer = await self._call("describe_log_streams", **asked)
            except NotFound:
                break
            news = [self._news(group, described) for described in answer.get("logStreams", ())]
            found += [new for new in news if new]
            if not any(news) or not answer.get("nextToken"):
                break
            asked["nextToken"] = answer["nextToken"]
        return found

    def _news(self, group: str, described: Mapping[str, Any]) -> tuple[Stream, int, int] | None:
        stream = group, described["logStreamName"]
        last, ingested = described.get("lastEventTimestamp", -1), described.get("lastIngestionTime", -1)
        known = self._known.get(stream)
        if last < 0 or (known and last <= known.last and ingested <= known.ingested):
            return None
        return stream, last, ingested

    def _take_in(self, found: list[tuple[Stream, int, int]]) -> None:
        """Streams that were looked up. One seen for the first time changed when it says, or an hour later."""
        now = self._now()
        for stream, last, ingested in sorted(found, key=lambda new: max(new[1:])):
            at = now if stream in self._known else min(now, max(last, ingested) + LAG)
            self._touch(stream, last, ingested, at)

    async def _probe_all(self) -> None:
        """Probe every group that holds jobs, and offer what was found to readers."""
        asked_at, found = self._clock(), dict[Stream, list[Event]]()
        for group in self._followed():
            if group != SYSTEM_GROUP and not group.startswith(LAMBDA_GROUPS):
                for stream, event in await self._probe(group):
                    found.setdefault(stream, []).append(event)
        self._offer(asked_at, found)

    async def _probe(self, group: str) -> list[tuple[Stream, Event]]:
        """Touch the streams of a group that have events which the last probe has not seen; all that this one sees."""
        assert self._probes is not None
        probe = self._probes.setdefault(group, _Probe(max(0, self._now() - FIRST_OVERLAP)))
        asked: dict[str, Any] = {"logGroupName": group, "startTime": probe.start}
        found: list[tuple[Stream, Event]] = []
        full = 0
        for _ in range(MOST_PROBED + MOST_EMPTY):
            try:
                answer = await self._call("filter_log_events", **asked)
            except NotFound:
                return []
            for new in answer.get("events", ()):
                stream, event = (group, new["logStreamName"]), parse(new)
                found.append((stream, event))
                if probe.sees(new["eventId"], event.time):
                    self._seen(event, stream)
            full += bool(answer.get("events"))
            if not answer.get("nextToken") or full == MOST_PROBED:
                break
            asked["nextToken"] = answer["nextToken"]
        whole = not answer.get("nextToken")
        probe.move(self._now(), whole=whole)
        return found if whole else []

    def _seen(self, event: Event, stream: Stream) -> None:
        if event.stamp is None or not self._ours(stream, event.stamp.writer):
            self._touch(stream, event.time, event.ingested, self._now())

    def _touch(self, stream: Stream, last: int, ingested: int, at: int) -> None:
        known = self._known.pop(stream, None) or _Known()
        self._newest = max(self._newest + 1, at * _MICROS)
        touched = _Known(self._newest, max(known.last, last), max(known.ingested, ingested))
        self._known[stream] = touched
        if len(self._known) > STREAMS_KNOWN:
            del self._known[next(iter(self._known))]
        self._bell.set()
        self._bell = asyncio.Event()

    def _place(self, after: str) -> int:
        """Where ``after`` stands. One that is later than now is another store's: it counts as the beginning."""
        if after == "":
            return 0
        if not (after.isascii() and after.isdigit() and len(after) <= _DIGITS):
            raise ValueError(f"`{after[:80]}` is no place in this feed; take one from an earlier answer, as it is")
        place = int(after)
        return place if place <= max(self._newest, (self._now() + LAG) * _MICROS) else 0


class _Probe:
    """How far the events of a group have been seen."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._newest = start
        self._ids: dict[str, int] = {}

    def sees(self, event_id: str, at: int) -> bool:
        """Whether the event is new; from here on it is not."""
        if event_id in self._ids:
            return False
        self._ids[event_id] = at
        self._newest = max(self._newest, at)
        return True

    def move(self, now: int, *, whole: bool) -> None:
        """Let the next probe begin a minute before the newest event, or later where there are too many events.

        An event that is ahead of ``now`` takes it no further than that: others are printed now. After a look that has
        not come to the end, the next one goes on where it stopped, if need be past a millisecond that fills a look.
        """
        reached = min(self._newest, now)
        if not whole:
            self.start = reached if reached > self.start else self.start + 1
        self.start = max(self.start, reached - OVERLAP)
        times = sorted(self._ids.values())
        if len(times) > PROBED_KNOWN // 2:
            self.start = max(self.start, min(times[-PROBED_KNOWN // 2], now))
        kept = [(id_, at) for id_, at in self._ids.items() if at >= self.start]
        self._ids = dict(kept[-PROBED_KNOWN:])
