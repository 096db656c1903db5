"""The rate limit's arithmetic: exact for all, and fair to each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import Clock

from miyabi.gateway.limit import LocalLimit, Rates

HOG, POLITE = "hog", "polite"


class Fine:
    """A clock in seconds that moves by fractions of a millisecond."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def passed(limit: LocalLimit, clock: Fine, rates: dict[str, float], seconds: float) -> dict[str, list[bool]]:
    """What becomes of requests that each client offers at its rate, evenly."""
    times = [(number / rate, client) for client, rate in rates.items() for number in range(int(rate * seconds))]
    answers: dict[str, list[bool]] = {client: [] for client in rates}
    began = clock.now
    for at, client in sorted(times):
        clock.now = began + at
        answers[client].append(not limit.decide(client).wait)
    return answers


@pytest.mark.parametrize("seconds", [0.2, 1, 5, 60])
@pytest.mark.parametrize("offered", [1, 100, 5000])
def test_what_passes_is_the_burst_and_the_rate_to_two_percent_at_any_time(offered: int, seconds: float) -> None:
    clock = Fine()
    answers = passed(LocalLimit(Rates(1000, 2000), clock), clock, {HOG: offered}, seconds)[HOG]
    assert sum(answers) == pytest.approx(min(len(answers), 1000 * seconds + 2000), rel=0.02)


def test_who_is_alone_has_the_whole_rate_and_many_together_have_no_more() -> None:
    clock = Fine()
    limit = LocalLimit(Rates(1000, 2000), clock)
    assert sum(passed(limit, clock, {HOG: 5000}, 10)[HOG]) == pytest.approx(12_000, rel=0.02)
    clock.now += 2
    many = passed(limit, clock, {f"client {number}": 250 for number in range(20)}, 10)
    assert sum(map(sum, many.values())) == pytest.approx(12_000, rel=0.02)


@pytest.mark.parametrize("rate", [1, 50, 99])
def test_who_stays_within_its_share_is_never_refused_while_another_asks_for_five_times_the_rate(rate: int) -> None:
    clock = Fine()
    limit = LocalLimit(Rates(1000, 2000), clock)
    passed(limit, clock, {HOG: 5000}, 5)
    answers = passed(limit, clock, {HOG: 5000, POLITE: rate}, 10)
    assert all(answers[POLITE])
    assert sum(answers[HOG]) == pytest.approx(10_000 - 10 * rate, rel=0.02)


def test_several_that_ask_for_too_much_leave_the_others_their_share() -> None:
    clock = Fine()
    limit = LocalLimit(Rates(1000, 2000), clock)
    hogs: dict[str, float] = {f"hog {number}": 1000 for number in range(5)}
    passed(limit, clock, hogs, 5)
    assert all(passed(limit, clock, hogs | {POLITE: 90}, 10)[POLITE])


def test_a_limit_of_a_few_requests_is_fair_too() -> None:
    clock = Fine()
    limit = LocalLimit(Rates(10, 20), clock)
    passed(limit, clock, {HOG: 50}, 10)
    assert all(passed(limit, clock, {HOG: 50, POLITE: 0.9}, 20)[POLITE])


def test_a_refused_request_passes_after_the_wait_that_it_was_told_and_not_before() -> None:
    clock = Fine()
    limit = LocalLimit(Rates(10, 20), clock)
    while not (wait := limit.decide(HOG).wait):
        pass
    began = clock.now
    clock.now = began + wait * 0.99
    assert limit.decide(HOG).wait > 0
    clock.now = began + wait * 1.01
    assert limit.decide(HOG).wait == 0


def test_what_is_left_is_how_many_pass_at_once() -> None:
    clock = Fine()
    limit = LocalLimit(Rates(100, 50), clock)
    left = limit.decide(HOG).left
    assert [not limit.decide(HOG).wait for _ in range(left + 1)] == [True] * left + [False]


def test_what_costs_the_own_share_only_leaves_the_common_bucket_alone_and_ends_with_the_share() -> None:
    clock = Fine()
    limit = LocalLimit(Rates(1000, 2000), clock)
    assert sum(not limit.decide("address", own_only=True).wait for _ in range(1000)) == 40
    assert limit.lacks == 0
    clock.now += 0.1
    assert sum(not limit.decide("address", own_only=True).wait for _ in range(1000)) == 10
    assert not limit.decide("address").wait, "a good request of that address borrows"


def test_full_buckets_are_forgotten_and_of_too_many_the_one_that_was_silent_longest() -> None:
    clock = Clock()
    limit = LocalLimit(Rates(1000, 2000), clock.seconds, most=3)
    for client in "abcad":
        clock.forward(1)
        limit.decide(client)
    assert list(limit._own) == ["c", "a", "d"]
    clock.forward(2000)
    limit.decide("e")
    limit.decide("f")
    assert list(limit._own) == ["e", "f"]


def test_a_clock_that_goes_back_gives_no_tokens_and_takes_none() -> None:
    clock = Fine()
    limit = LocalLimit(Rates(1, 10, share=1), clock)
    assert sum(not limit.decide("a").wait for _ in range(20)) == 9
    clock.now -= 3600
    assert limit.decide("a").wait == pytest.approx(1)
    clock.now += 1
    assert limit.decide("a").wait == 0


MOMENTS = st.lists(
    st.tuples(st.floats(0, 0.5), st.sampled_from(["a", "b", "c"]), st.booleans()), min_size=1, max_size=200
)


@settings(deadline=None)
@given(st.floats(0.5, 500), st.integers(1, 60), st.floats(0.01, 1), MOMENTS)
def test_in_no_window_pass_more_than_the_burst_and_the_rate(
    rate: float, burst: int, share: float, moments: Sequence[tuple[float, str, bool]]
) -> None:
    clock = Fine()
    rates = Rates(rate, burst, share)
    limit = LocalLimit(rates, clock)
    common: list[tuple[float, str]] = []
    own: list[tuple[float, str]] = []
    for pause, client, own_only in moments:
        clock.now += pause
        if not limit.decide(client, own_only).wait:
            (own if own_only else common).append((clock.now, client))
    _within([at for at, _ in common], rates.rate, rates.burst)
    for client in "abc":
        _within([at for at, whose in own if whose == client], rates.own_rate, rates.own_burst)


def _within(times: Sequence[float], rate: float, burst: float) -> None:
    for first, began in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + rate * (times[last] - began) + 1e-6
