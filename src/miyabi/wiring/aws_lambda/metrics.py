"""Metrics as lines in the log, which CloudWatch turns into metrics (the "embedded metric format").

The counters are those of ``GET /metrics``; a line tells what has been added since the last one, and there is none when
nothing has. Each name is billed by the month, so only those are told that an alarm or the dashboard shows.
Source of the format: CloudWatch User Guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from miyabi.counters import ALL, Counter

NAMESPACE = "Miyabi"
NAMES: Mapping[str, str] = {
    "miyabi_redis_connection_failures": "RedisConnectionFailures",
    "miyabi_cache_hits": "CacheHits",
    "miyabi_cache_misses": "CacheMisses",
    "miyabi_collector_lines": "LinesRead",
    "miyabi_collector_failures": "StreamsFailed",
    "miyabi_logs_retries": "LogsRetries",
    "miyabi_database_retries": "DatabaseRetries",
}
"""A counter's name → its metric's in CloudWatch."""


class Metrics:
    """Tells of ``service``'s counters. ``write`` takes a line; ``now`` gives milliseconds."""

    def __init__(
        self,
        service: str,
        write: Callable[[str], object] = print,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        counters: Iterable[Counter] = ALL,
    ) -> None:
        self._service, self._write, self._now, self._counters = service, write, now, counters
        self._told: dict[str, float] = {}

    def tell(self) -> None:
        """Write what has been added since the last call."""
        values = self._values()
        added = {name: value - self._told.get(name, 0.0) for name, value in values.items()}
        self._told = values
        added = {name: value for name, value in added.items() if value > 0}
        if added:
            self._write(msgspec.json.encode(self._line(added)).decode())

    def _values(self) -> dict[str, float]:
        values: dict[str, float] = {}
        for counter in self._counters:
            if name := NAMES.get(counter.name):
                values[name] = values.get(name, 0.0) + counter.value
        return values

    def _line(self, added: Mapping[str, float]) -> dict[str, object]:
        metrics = [{"Name": name, "Unit": "Count"} for name in added]
        where = {"Namespace": NAMESPACE, "Dimensions": [["Service"]], "Metrics": metrics}
        return {"_aws": {"Timestamp": self._now(), "CloudWatchMetrics": [where]}, "Service": self._service, **added}
