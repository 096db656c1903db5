"""Counts of probes and calls by service: per minute for a day, per hour for thirty."""

from __future__ import annotations

from collections.abc import Callable

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
        for buckets in (self._record.minutes, self._record.hours):
            _put_in_order(buckets)
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
        """What happened in the last ``seconds``, and up to a minute (above a day: an hour) before.

        What is no further ahead counts, too: the clock has been set back since.
        """
        buckets, size = (self._record.minutes, MINUTE) if seconds <= DAY else (self._record.hours, HOUR)
        total, now = Counts(), self._now()
        for start in reversed(buckets):
            if start + size <= now - seconds:
                break
            if start < now + seconds and (found := buckets[start].get(service)):
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
            _bucket(record.minutes, self._minute, DAY // MINUTE + 1),
            _bucket(record.hours, second - second % HOUR, MONTH // HOUR + 1),
        )


def _bucket(buckets: dict[int, Bucket], start: int, most: int) -> Bucket:
    """The one of ``start``, in its place. Beyond ``most`` those go that are furthest from it: a clock may be wrong."""
    if start not in buckets:
        behind = bool(buckets) and start < next(reversed(buckets))
        buckets[start] = {}
        if behind:
            _put_in_order(buckets)
    while len(buckets) > most:
        first, last = next(iter(buckets)), next(reversed(buckets))
        del buckets[first if start - first >= last - start else last]
    return buckets[start]


def _put_in_order(buckets: dict[int, Bucket]) -> None:
    """The oldest first."""
    ordered = sorted(buckets.items())
    buckets.clear()
    buckets.update(ordered)
