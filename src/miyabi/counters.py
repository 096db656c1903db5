"""What the services count, for ``GET /metrics`` and for CloudWatch.

A counter is a number, a histogram some of them; what writes them down is imported where they are asked for:
prometheus-client takes 40 ms to import, which a function that answers one request and goes to sleep need not spend.
Its own histogram takes a lock and walks through its buckets, 3 µs for each request; these are for one thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

ALL: list[Counter] = []
"""Every counter of this process."""
HISTOGRAMS: list[Histogram] = []
"""Every histogram of it."""
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds."""


class Counter:
    """Counts up from 0. ``name`` without ``_total``; counters of one name differ by their ``labels``."""

    def __init__(self, name: str, about: str, **labels: str) -> None:
        self.name, self.about, self.labels = name, about, labels
        self.value = 0.0
        ALL.append(self)

    def inc(self, amount: float = 1.0) -> None:
        """Count ``amount`` more."""
        self.value += amount


class Histogram:
    """Counts times by how long they were. Those of one name have the same ``buckets`` and differ by their ``labels``.

    ``buckets`` are upper bounds in seconds, each belonging to its bucket; what is longer than the last has one more.
    """

    def __init__(self, name: str, about: str, buckets: Sequence[float] = BUCKETS, **labels: str) -> None:
        self.name, self.about, self.labels, self.buckets = name, about, labels, tuple(buckets)
        self.counts = [0] * (len(self.buckets) + 1)
        self.sum = 0.0
        HISTOGRAMS.append(self)

    def observe(self, seconds: float) -> None:
        """Count one that took ``seconds``."""
        self.counts[bisect_left(self.buckets, seconds)] += 1
        self.sum += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """Bounds and how many were no longer, as Prometheus has them."""
        bounds = [*map(str, self.buckets), "+Inf"]
        return list(zip(bounds, accumulate(map(float, self.counts)), strict=True))


def exposition() -> tuple[bytes, str]:
    """All metrics of this process in Prometheus' text format, and its media type."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

    if not _EXPORTED:
        _EXPORTED.append(_Exported())
        REGISTRY.register(_EXPORTED[0])
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


class _Exported:
    """The counters and histograms as prometheus-client collects them."""

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

        for counters in _by_name(ALL):
            first = counters[0]
            family = CounterMetricFamily(first.name, first.about, labels=tuple(first.labels))
            for counter in counters:
                family.add_metric(tuple(counter.labels.values()), counter.value)
            yield family
        for histograms in _by_name(HISTOGRAMS):
            one = histograms[0]
            times = HistogramMetricFamily(one.name, one.about, labels=tuple(one.labels))
            for histogram in histograms:
                times.add_metric(tuple(histogram.labels.values()), histogram.cumulative(), histogram.sum)
            yield times


M = TypeVar("M", "Counter", "Histogram")


def _by_name(metrics: Sequence[M]) -> Iterator[list[M]]:
    """Those of one name together, and with the same labels in the same order."""
    for name in dict.fromkeys(metric.name for metric in metrics):
        yield [metric for metric in metrics if metric.name == name]


_EXPORTED: list[_Exported] = []
