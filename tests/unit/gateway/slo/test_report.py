"""Objectives met or not, budgets, burn rates and alerts."""

from __future__ import annotations

import pytest

from miyabi.gateway.slo.ledger import Ledger
from miyabi.gateway.slo.report import Measure, alerts, report

NOW = 1_790_000_000.0


def ledger_of(service: str, good: int, bad: int, ago: float = 0.0) -> Ledger:
    """With ``good`` and ``bad`` probes and calls ``ago`` seconds before :data:`NOW`."""
    clock = [NOW - ago]
    ledger = Ledger(lambda: clock[0])
    for number in range(good + bad):
        ledger.probe(service, found=number < good)
        ledger.call(service, 0 if number < good else 9, failed=number >= good)
    clock[0] = NOW
    return ledger


def measures(ledger: Ledger, service: str, window: str) -> dict[str, Measure]:
    [found] = [one for one in report(ledger).services if one.service == service]
    shown = found.windows[window]
    return {"availability": shown.availability, "errors": shown.errors, "latency": shown.latency}


def test_half_of_the_budget_used_is_half_of_it_left_and_a_burn_rate_of_a_half() -> None:
    found = measures(ledger_of("tasks", 1999, 1), "tasks", "1h")
    assert found["availability"] == Measure(0.999, 0.9995, met=True, budget_left=0.5, burn_rate=0.5)
    assert found["errors"] == Measure(0.995, 0.9995, met=True, budget_left=0.9, burn_rate=0.1)
    assert found["latency"] == Measure(0.95, 0.9995, met=True, budget_left=0.99, burn_rate=0.01)


def test_an_overdrawn_budget_is_below_nothing() -> None:
    found = measures(ledger_of("tasks", 997, 3), "tasks", "30d")
    assert found["availability"] == Measure(0.999, 0.997, met=False, budget_left=-2.0, burn_rate=3.0)


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    found = measures(ledger_of("tasks", 1, 0), "cache", "24h")
    assert found["latency"] == Measure(0.99, None, met=None, budget_left=None, burn_rate=None)


def test_the_specified_objectives_are_those_that_are_shown() -> None:
    shown = {
        one.service: (
            one.windows["1h"].availability.objective,
            one.within_ms,
            one.windows["1h"].latency.objective,
            one.windows["1h"].errors.objective,
        )
        for one in report(ledger_of("tasks", 1, 0)).services
    }
    assert shown == {
        "webui": (0.9999, 100, 0.95, 0.9999),
        "gateway": (0.9995, 50, 0.95, 0.999),
        "tasks": (0.999, 100, 0.95, 0.995),
        "collector": (0.995, 500, 0.95, 0.99),
        "cache": (0.999, 1, 0.99, 0.999),
        "database": (0.9999, 10, 0.99, 0.9999),
    }


@pytest.mark.parametrize(
    ("good", "bad", "ago", "severity"),
    [
        (1000, 0, 0, None),
        (20, 2, 0, None),  # two lost probes of few: too little to wake anybody
        (20, 3, 0, "page"),
        (1000, 10, 0, "ticket"),  # 10 times too fast
        (1000, 20, 0, "page"),
        (1000, 3, 0, None),  # 3 times too fast: the budget lasts ten days
        (20, 20, 20 * 60, "ticket"),  # over for 20 minutes
        (20, 20, 40 * 60, None),
    ],
)
def test_a_budget_that_burns_too_fast_over_a_long_and_a_short_while_is_an_alert(
    good: int, bad: int, ago: float, severity: str | None
) -> None:
    found = {one.objective: one.severity for one in alerts(ledger_of("tasks", good, bad, ago))}
    assert found.get("availability") == severity
