"""What was counted: windows, the passing of time, and a bounded record."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from miyabi.gateway.slo.ledger import DAY, HOUR, MINUTE, MONTH, Counts, Ledger, Record

START = 1_790_000_000 - 1_790_000_000 % HOUR


class Clock:
    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Ledger, Clock]:
    clock = Clock()
    return Ledger(clock), clock


def test_a_call_is_slow_beyond_its_services_objective() -> None:
    ledger, _ = made()
    ledger.call("cache", 0.0009, failed=False)
    ledger.call("cache", 0.0011, failed=True)
    assert ledger.counts("cache", HOUR) == Counts(calls=2, failed=1, slow=1)
    assert ledger.counts("database", HOUR) == Counts()


def test_a_window_forgets_what_is_older() -> None:
    ledger, clock = made()
    ledger.probe("tasks", found=False)
    clock.now += HOUR + MINUTE
    ledger.probe("tasks", found=True)
    assert ledger.counts("tasks", HOUR) == Counts(probes=1, found=1)
    assert ledger.counts("tasks", DAY) == Counts(probes=2, found=1)
    clock.now += 29 * DAY
    assert ledger.counts("tasks", DAY) == Counts()
    assert ledger.counts("tasks", MONTH) == Counts(probes=2, found=1)
    clock.now += 2 * DAY
    assert ledger.counts("tasks", MONTH) == Counts()


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=300))
def test_every_window_counts_what_happened_in_it_to_the_bucket(pauses: list[int]) -> None:
    ledger, clock = made()
    times = []
    for pause in pauses:
        clock.now += pause
        times.append(clock.now)
        ledger.call("tasks", 0, failed=False)
    for window, size in ((5 * MINUTE, MINUTE), (HOUR, MINUTE), (DAY, MINUTE), (MONTH, HOUR)):
        counted = ledger.counts("tasks", window).calls
        assert sum(at > clock.now - window for at in times) <= counted
        assert counted <= sum(at > clock.now - window - size for at in times)


def test_what_is_kept_is_bounded_and_goes_on_in_another_process() -> None:
    ledger, clock = made()
    for _ in range(2 * 24 * 60):
        clock.now += MINUTE
        ledger.probe("webui", found=True)
    clock.now += 60 * DAY
    ledger.probe("webui", found=True)
    assert len(ledger.record.minutes) <= DAY // MINUTE + 1
    assert len(ledger.record.hours) <= MONTH // HOUR + 1
    again = Ledger(clock, msgspec.json.decode(msgspec.json.encode(ledger.record), type=Record))
    again.probe("webui", found=False)
    assert again.counts("webui", HOUR) == Counts(probes=2, found=1)
    assert again.record.since == START


def test_a_clock_that_goes_back_loses_nothing() -> None:
    ledger, clock = made()
    for step in (0, 120, -90, 30):
        clock.now += step
        ledger.probe("webui", found=True)
    assert ledger.counts("webui", HOUR).probes == 4


def test_what_was_counted_before_a_clock_went_back_is_found_behind_what_was_counted_after_it() -> None:
    ledger, clock = made()
    clock.now += HOUR
    ledger.probe("webui", found=False)
    clock.now -= 2 * HOUR
    ledger.probe("webui", found=True)
    clock.now += 2 * HOUR
    assert ledger.counts("webui", 5 * MINUTE) == Counts(probes=1)
    assert list(ledger.record.minutes) == sorted(ledger.record.minutes)
    assert list(ledger.record.hours) == sorted(ledger.record.hours)


def test_what_a_clock_counted_in_a_far_future_is_in_no_window_and_takes_nobodys_place() -> None:
    ledger, clock = made()
    clock.now += 365 * DAY
    for _ in range(2 * DAY // MINUTE):
        clock.now += MINUTE
        ledger.probe("webui", found=False)
    clock.now -= 365 * DAY
    for _ in range(HOUR // MINUTE):
        clock.now += MINUTE
        ledger.probe("webui", found=True)
    assert ledger.counts("webui", HOUR) == Counts(probes=60, found=60)
    assert ledger.counts("webui", MONTH) == Counts(probes=60, found=60)
    assert len(ledger.record.minutes) <= DAY // MINUTE + 1


def test_a_clock_that_stands_at_its_beginning_for_a_while_after_a_start_costs_little() -> None:
    ledger, clock = made()
    for _ in range(2 * DAY // MINUTE):
        clock.now += MINUTE
        ledger.probe("webui", found=True)
    right, clock.now = clock.now, 0.0
    for _ in range(3):
        clock.now += MINUTE
        ledger.probe("webui", found=True)
    clock.now = right
    assert ledger.counts("webui", DAY).probes >= DAY // MINUTE - 4


def test_an_account_out_of_order_is_put_in_order_when_it_is_read() -> None:
    _, clock = made()
    minutes = {START: {"webui": Counts(probes=1)}, START - 2 * HOUR: {"webui": Counts(probes=1)}}
    ledger = Ledger(clock, Record(START, minutes, {}))
    assert ledger.counts("webui", HOUR).probes == 1
