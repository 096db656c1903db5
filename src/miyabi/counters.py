"""What the services count, for ``GET /metrics`` and for CloudWatch.

A counter is a number; what writes it down is imported where it is asked for: prometheus-client takes 40 ms to import,
which a function that answers one request and goes to sleep need not spend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import CounterMetricFamily

ALL: list[Counter] = []
"""Every counter of this process."""


class Counter:
    """Counts up from 0. ``name`` without ``_total``; counters of one name differ by their ``labels``."""

    def __init__(self, name: str, about: str, **labels: str) -> None:
        self.name, self.about, self.labels = name, about, labels
        self.value = 0.0
        ALL.append(self)

    def inc(self, amount: float = 1.0) -> None:
        """Count ``amount`` more."""
        self.value += amount


def exposition() -> tuple[bytes, str]:
    """All metrics of this process in Prometheus' text format, and its media type."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

    if not _EXPORTED:
        _EXPORTED.append(_Exported())
        REGISTRY.register(_EXPORTED[0])
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


class _Exported:
    """The counters as prometheus-client collects them."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        from prometheus_client.metrics_core import CounterMetricFamily

        for name in dict.fromkeys(counter.name for counter in ALL):
            same = [counter for counter in ALL if counter.name == name]
            labels: Sequence[str] = tuple(same[0].labels)
            family = CounterMetricFamily(name, same[0].about, labels=labels)
            for counter in same:
                family.add_metric([counter.labels[label] for label in labels], counter.value)
            yield family


_EXPORTED: list[_Exported] = []
