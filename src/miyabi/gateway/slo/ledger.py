"""Counts of probes and calls by service: per minute for a day, per hour for thirty."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from msgspec import Struct, field

from miyabi.gateway.slo.objectives import BY_SERVICE

MINUTE, HOUR, DAY = 60, 3600, 86400
MONTH = 30 * DAY


class Counts(Struct):
    """What happened in a while."""

    probes: int = 0
    found: int = 0
    """Probes that found the service up."""
    calls: int = 0
    failed: int = 0
    slow: int = 0
    """Calls that took longer than the objective allows."""

    def add(self, other: Counts) -> None:
        """Count what ``other`` has counted."""
        self.probes += other.probes
        self.found += other.found
        self.calls += other.calls
        self.failed += other.failed
        self.slow += other.slow


Bucket = dict[str, Counts]
"""By service."""


class Record(Struct):
    """All that was counted, as it is kept: buckets by the epoch second at which they begin, the oldest first."""

    since: int
    """Epoch second of the first count."""
    minutes: dict[int, Bucket] = field(default_factory=dict)
    hours: dict[int, Bucket] = field(default_factory=dict)


class Ledger:
    """Counts. ``now`` gives epoch seconds; ``record`` is what an earlier process has counted."""

    def __init__(self, now: Callable[[], float], record: Record | None = None) -> None:
        self._now = now
        self._record = record or Record(int(now()))
        self._minute = 0
        self._buckets: tuple[Bucket, Bucket] = {}, {}
        self._current: dict[str, tuple[Counts, Counts]] = {}

    @property
    def record(self) -> Record:
        """What to keep, without what is too old to be asked for."""
        self._turn(self._now())
        return self._record

    def call(self, service: str, seconds: float, *, failed: bool) -> None:
        """A call of ``service`` ended after ``seconds``."""
        slow = seconds * 1000 > BY_SERVICE[service].within_ms
        for counts in self._counts(service):
            counts.calls += 1
            if failed:
                counts.failed += 1
            if slow:
                counts.slow += 1

    def probe(self, service: str, *, found: bool) -> None:
        """Somebody looked whether ``service`` is up."""
        for counts in self._counts(service):
            counts.probes += 1
            counts.found += found

    def counts(self, service: str, seconds: int) -> Counts:
        """What happened in the last ``seconds``, and up to a minute (above a day: an hour) before."""
        buckets, size = (self._record.minutes, MINUTE) if seconds <= DAY else (self._record.hours, HOUR)
        total, first = Counts(), self._now() - seconds
        for start in reversed(buckets):
            if start + size <= first:
                break
            if found := buckets[start].get(service):
                total.add(found)
        return total

    def _counts(self, service: str) -> tuple[Counts, Counts]:
        """Those of this minute and of this hour."""
        now = self._now()
        if not self._minute <= now < self._minute + MINUTE:
            self._turn(now)
        current = self._current.get(service)
        if current is None:
            minute, hour = (bucket.setdefault(service, Counts()) for bucket in self._buckets)
            current = self._current[service] = minute, hour
        return current

    def _turn(self, now: float) -> None:
        """Begin the buckets of ``now``."""
        second, record = int(now), self._record
        self._minute, self._current = second - second % MINUTE, {}
        self._buckets = (
            record.minutes.setdefault(self._minute, {}),
            record.hours.setdefault(second - second % HOUR, {}),
        )
        _forget(record.minutes, DAY // MINUTE + 1)
        _forget(record.hours, MONTH // HOUR + 1)


def _forget(buckets: dict[int, Bucket], most: int) -> None:
    """The oldest beyond ``most``."""
    for start in list(islice(buckets, max(0, len(buckets) - most))):
        del buckets[start]
