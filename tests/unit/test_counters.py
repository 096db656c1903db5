"""What `GET /metrics` says of counters and histograms."""

from __future__ import annotations

import pytest

from miyabi import counters
from miyabi.counters import Counter, Histogram, exposition


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "ALL", [])
    monkeypatch.setattr(counters, "HISTOGRAMS", [])


def told(name: str) -> list[str]:
    return [line for line in exposition()[0].decode().splitlines() if line.startswith(name)]


def test_a_counter_counts_by_its_labels() -> None:
    Counter("test_cakes", "Cakes", kind="plain").inc(2)
    Counter("test_cakes", "Cakes", kind="cream").inc()
    assert told("test_cakes") == ['test_cakes_total{kind="plain"} 2.0', 'test_cakes_total{kind="cream"} 1.0']


def test_a_histogram_counts_what_was_no_longer_than_each_bound_and_the_sum() -> None:
    times = Histogram("test_seconds", "Times", (0.1, 1), call="read")
    for seconds in (0.0, 0.1, 0.25, 1.5):
        times.observe(seconds)
    assert told("test_seconds") == [
        'test_seconds_bucket{call="read",le="0.1"} 2.0',
        'test_seconds_bucket{call="read",le="1"} 3.0',
        'test_seconds_bucket{call="read",le="+Inf"} 4.0',
        'test_seconds_count{call="read"} 4.0',
        'test_seconds_sum{call="read"} 1.85',
    ]
