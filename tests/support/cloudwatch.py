"""CloudWatch Logs in memory, as its API reference describes it: what moto and ministack take, this refuses.

Sources: the API reference of PutLogEvents, FilterLogEvents, DescribeLogStreams, DescribeLogGroups, CreateLogStream.
"""

# ruff: noqa: N803, N806  (the parameters are called what AWS calls them)
from __future__ import annotations

import json
import threading
import time
from bisect import insort
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

DAY = 24 * 3_600_000
MEGABYTE = 1_048_576


def failure(code: str, status: int = 400, operation: str = "Call", message: str = "") -> ClientError:
    """An error as boto3 raises it."""
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


class Stored(Struct, order=True, frozen=True):
    """An event; sorted as FilterLogEvents does: by its time, its coming in, and its request."""

    time: int
    ingested: int
    request: int
    index: int
    stream: str
    message: str

    @property
    def event_id(self) -> str:
        """56 digits."""
        return f"{self.time:020d}{self.ingested:020d}{self.request:08d}{self.index:08d}"


class _Group(Struct):
    retention: int | None = None
    streams: dict[str, list[Stored]] = {}


class FakeCloudWatch:
    """A client of an account. ``now`` gives its clock's milliseconds.

    ``fault`` is asked before each call and may return an error; ``lost`` after a put, whose answer gets lost then.
    ``page_events`` bounds a page below what the service allows, ``empty_pages`` come before each full one.
    """

    def __init__(self, now: Callable[[], int] | None = None, page_events: int = 10_000, empty_pages: int = 0) -> None:
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        self.page_events = page_events
        self.empty_pages = empty_pages
        self.fault: Callable[[str], Exception | None] = lambda operation: None
        self.lost: Callable[[], Exception | None] = lambda: None
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.groups: dict[str, _Group] = {}
        self.hidden: list[tuple[str, Stored]] = []
        self.hide = False
        """Events that are put from now on are not seen before :meth:`show`."""
        self.lag = 0
        """DescribeLogStreams knows nothing of what came in within so many ms."""
        self._requests = 0
        self._lock = threading.Lock()

    def count(self, operation: str) -> int:
        """How often an operation was called."""
        return sum(1 for name, _ in self.calls if name == operation)

    def texts(self, group: str, stream: str) -> list[str]:
        """The messages of a stream as they are stored."""
        return [event.message for event in self.groups[group].streams[stream]]

    def arrive(self, group: str, stream: str, at: int, message: str, ingested: int | None = None) -> None:
        """Somebody else's event, printed at ``at``."""
        self._requests += 1
        came = self.now() if ingested is None else ingested
        self._place(group, Stored(at, came, self._requests, 0, stream, message))

    def show(self, count: int | None = None, *, last: bool = False) -> None:
        """Let so many hidden events be seen (all), the ``last`` first."""
        for _ in range(len(self.hidden) if count is None else min(count, len(self.hidden))):
            group, event = self.hidden.pop(-1 if last else 0)
            insort(self.groups[group].streams[event.stream], event)

    # the client

    def close(self) -> None:
        """There is no connection to close."""

    def create_log_group(self, *, logGroupName: str) -> dict[str, Any]:
        """Refuses a group that is there."""
        self._called("create_log_group", logGroupName=logGroupName)
        if logGroupName in self.groups:
            raise failure("ResourceAlreadyExistsException")
        self.groups[logGroupName] = _Group()
        return {}

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> dict[str, Any]:
        """Refuses a stream that is there, and a group that is not."""
        self._called("create_log_stream", logGroupName=logGroupName, logStreamName=logStreamName)
        streams = self._group(logGroupName).streams
        if logStreamName in streams:
            raise failure("ResourceAlreadyExistsException")
        streams[logStreamName] = []
        return {}

    def put_retention_policy(self, *, logGroupName: str, retentionInDays: int) -> dict[str, Any]:
        """Sets it."""
        self._called("put_retention_policy", logGroupName=logGroupName, retentionInDays=retentionInDays)
        self._group(logGroupName).retention = retentionInDays
        return {}

    def describe_log_groups(
        self, *, logGroupNamePrefix: str = "", limit: int = 50, nextToken: str = "0"
    ) -> dict[str, Any]:
        """By name."""
        self._called("describe_log_groups", nextToken=nextToken)
        names = sorted(name for name in self.groups if name.startswith(logGroupNamePrefix))
        start = int(nextToken)
        found = []
        for name in names[start : start + limit]:
            group = self.groups[name]
            size = sum(len(e.message.encode()) + 26 for events in group.streams.values() for e in events)
            kept = {} if group.retention is None else {"retentionInDays": group.retention}
            found.append({"logGroupName": name, "storedBytes": size, **kept})
        more = {"nextToken": str(start + limit)} if start + limit < len(names) else {}
        return {"logGroups": found, **more}

    def describe_log_streams(
        self,
        *,
        logGroupName: str,
        orderBy: str = "LogStreamName",
        descending: bool = False,
        limit: int = 50,
        nextToken: str = "0",
    ) -> dict[str, Any]:
        """By the last event's time, as far as that is known yet."""
        self._called("describe_log_streams", logGroupName=logGroupName, nextToken=nextToken)
        found = []
        for name, events in self._group(logGroupName).streams.items():
            known = [event for event in events if event.ingested <= self.now() - self.lag]
            last: dict[str, Any] = {"logStreamName": name}
            if known:
                last["lastEventTimestamp"] = max(event.time for event in known)
                last["lastIngestionTime"] = max(event.ingested for event in known)
            found.append(last)
        assert orderBy == "LastEventTime"
        found.sort(key=lambda stream: stream.get("lastEventTimestamp", -1), reverse=descending)
        start = int(nextToken)
        more = {"nextToken": str(start + limit)} if start + limit < len(found) else {}
        return {"logStreams": found[start : start + limit], **more}

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[Any]) -> dict[str, Any]:
        """Refuses what the documentation refuses, rejects what it rejects."""
        self._called("put_log_events", logGroupName=logGroupName, logStreamName=logStreamName)
        group = self._group(logGroupName)
        if logStreamName not in group.streams:
            raise failure("ResourceNotFoundException")
        now, times = self.now(), [event["timestamp"] for event in logEvents]
        oldest = now - min(14, group.retention or 14) * DAY
        old = sum(at < oldest for at in times)
        new = sum(at <= now + DAY // 12 for at in times)
        self._check(logEvents, times[old:new])
        with self._lock:
            self._requests += 1
            for index, event in enumerate(logEvents[old:new]):
                stored = Stored(event["timestamp"], now, self._requests, index, logStreamName, event["message"])
                self._place(logGroupName, stored)
        if lost := self.lost():
            raise lost
        info = ({"tooOldLogEventEndIndex": old} if old else {}) | (
            {"tooNewLogEventStartIndex": new} if new < len(times) else {}
        )
        return {"rejectedLogEventsInfo": info} if info else {}

    def filter_log_events(
        self,
        *,
        logGroupName: str,
        logStreamNames: list[str] | None = None,
        startTime: int = 0,
        endTime: int | None = None,
        limit: int = 10_000,
        startFromHead: bool = True,
        nextToken: str | None = None,
    ) -> dict[str, Any]:
        """In pages that end at 1 MB, and some that are empty though more follow."""
        asked = {"startTime": startTime, "endTime": endTime, "nextToken": nextToken, "streams": logStreamNames}
        self._called("filter_log_events", **asked)
        streams = self._group(logGroupName).streams
        chosen = list(streams) if logStreamNames is None else [name for name in logStreamNames if name in streams]
        if logStreamNames is not None and len(chosen) < len(logStreamNames):
            raise failure("ResourceNotFoundException")
        matched = sorted(
            event
            for name in chosen
            for event in streams[name]
            if event.time >= startTime and (endTime is None or event.time <= endTime)
        )
        empty, behind = 0, None
        if nextToken is not None:
            empty, key, startFromHead = json.loads(nextToken)
            behind = tuple(key) if key else None
        if not startFromHead:
            matched.reverse()
        if behind is not None:
            sign = 1 if startFromHead else -1
            matched = [event for event in matched if _compare(_key(event), behind) * sign > 0]
        if matched and empty < self.empty_pages:
            return {"events": [], "nextToken": json.dumps([empty + 1, behind, startFromHead])}
        return self._page(matched, min(limit, self.page_events), startFromHead)

    def _page(self, matched: list[Stored], limit: int, head: bool) -> dict[str, Any]:
        page: list[Stored] = []
        size = 0
        for event in matched[:limit]:
            size += len(event.message.encode("utf-8", "surrogatepass"))
            if page and size > MEGABYTE:
                break
            page.append(event)
        answer: dict[str, Any] = {"events": [_shown(event) for event in page]}
        if len(page) < len(matched):
            answer["nextToken"] = json.dumps([0, _key(page[-1]), head])
        return answer

    def _check(self, events: list[Any], valid: list[int]) -> None:
        """What the whole call is refused for."""
        times = [event["timestamp"] for event in events]
        size = sum(len(event["message"].encode()) + 26 for event in events)
        wrong = [
            not 1 <= len(events) <= 10_000,
            size > MEGABYTE,
            times != sorted(times),
            bool(valid) and valid[-1] - valid[0] > DAY,
            any(not event["message"] for event in events),
        ]
        if any(wrong):
            raise failure("InvalidParameterException", message=str(wrong))

    def _place(self, group: str, event: Stored) -> None:
        if self.hide:
            self.groups[group].streams.setdefault(event.stream, [])
            self.hidden.append((group, event))
        else:
            insort(self.groups.setdefault(group, _Group()).streams.setdefault(event.stream, []), event)

    def _group(self, name: str) -> _Group:
        if name not in self.groups:
            raise failure("ResourceNotFoundException")
        return self.groups[name]

    def _called(self, operation: str, **parameters: Any) -> None:
        self.calls.append((operation, parameters))
        if fault := self.fault(operation):
            raise fault


def _key(event: Stored) -> tuple[int, int, int, int, str]:
    return event.time, event.ingested, event.request, event.index, event.stream


def _compare(a: tuple[Any, ...], b: tuple[Any, ...]) -> int:
    return (a > b) - (a < b)


def _shown(event: Stored) -> dict[str, Any]:
    return {
        "logStreamName": event.stream,
        "timestamp": event.time,
        "ingestionTime": event.ingested,
        "message": event.message,
        "eventId": event.event_id,
    }
