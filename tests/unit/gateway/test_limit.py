"""The rate limit."""

from __future__ import annotations

import pytest
from tests.support.clock import Clock

from miyabi.gateway.limit import Bucket


def test_a_burst_is_let_through_and_then_the_steady_rate() -> None:
    clock = Clock()
    bucket = Bucket(10, 20, clock.seconds)
    assert [bucket.take() for _ in range(20)] == [0.0] * 20
    assert bucket.take() == pytest.approx(0.1)
    clock.forward(1000)
    assert [bool(bucket.take()) for _ in range(11)] == [False] * 10 + [True]


@pytest.mark.parametrize("offered", [1, 100, 5000])
def test_what_passes_in_a_minute_is_the_rate_to_two_percent(offered: int) -> None:
    clock = Clock()
    bucket = Bucket(1000, 2000, clock.seconds)
    step, seconds, passed = 1000 / offered, 60, 0
    start = clock.ms
    for number in range(offered * seconds):
        clock.ms = start + number * step  # type: ignore[assignment]
        passed += not bucket.take()
    expected = min(offered * seconds, 1000 * seconds + 2000)
    assert passed == pytest.approx(expected, rel=0.02)


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = Bucket(0, 0, lambda: 0.0)
    assert not any(bucket.take() for _ in range(10_000))


@pytest.mark.parametrize(("wait", "header"), [(0.001, "1"), (1.0, "1"), (1.2, "2")])
def test_retry_after_is_whole_seconds_and_never_zero(wait: float, header: str) -> None:
    assert Bucket(1, 1, lambda: 0.0).retry_after(wait) == header
