"""From counts to what people ask: is the objective met, what is left of the budget, how fast is it used up?"""

from __future__ import annotations

from msgspec import Struct

from miyabi.gateway.slo.ledger import DAY, HOUR, MINUTE, MONTH, Counts, Ledger
from miyabi.gateway.slo.objectives import OBJECTIVES, Objective
from miyabi.model import iso

PATH = "/api/slo"
WINDOWS = {"1h": HOUR, "24h": DAY, "30d": MONTH}
LEAST_BAD = 3
"""Fewer failures are no alert: of the few probes in five minutes a single lost one is a burn rate of 500."""


class Rule(Struct, frozen=True):
    """Alert when a budget burns ``burn`` times too fast over both windows, the short one being over soonest.

    From Google's "Site Reliability Workbook", chapter 5, table 5-8: 2 % of a month's budget in an hour, 5 % in six.
    """

    severity: str
    burn: float
    long: int
    short: int


RULES = (Rule("page", 14.4, HOUR, 5 * MINUTE), Rule("ticket", 6, 6 * HOUR, 30 * MINUTE))


class Measure(Struct, frozen=True):
    """One objective over one window. Shares are of 1; ``None`` where nothing was measured."""

    objective: float
    """The least share that must be good."""
    measured: float | None
    met: bool | None
    budget_left: float | None
    """Of the share that may be bad: 1 is untouched, below 0 is overdrawn."""
    burn_rate: float | None
    """1 uses the budget up exactly by the end of the window."""


class Window(Struct, frozen=True):
    """A service's objectives over one window."""

    availability: Measure
    errors: Measure
    """Of calls: those that did not fail."""
    latency: Measure
    """Of calls: those that were fast enough."""
    calls: int


class Service(Struct, frozen=True):
    """A service against its objectives, over 1 h, 24 h and 30 days."""

    service: str
    within_ms: float
    """What is fast enough."""
    windows: dict[str, Window]


class Alert(Struct, frozen=True):
    """A budget that burns too fast."""

    service: str
    objective: str
    """``availability``, ``errors`` or ``latency``."""
    severity: str
    """``page``: now. ``ticket``: today."""
    burn_rate: float


class Report(Struct, frozen=True):
    """What ``GET /api/slo`` answers."""

    since: str
    """When this gateway began to measure, ISO 8601."""
    services: list[Service]
    alerts: list[Alert]


def report(ledger: Ledger) -> Report:
    """All services over all windows."""
    return Report(iso(ledger.record.since * 1000), [_service(ledger, one) for one in OBJECTIVES], alerts(ledger))


def alerts(ledger: Ledger) -> list[Alert]:
    """The budgets that burn too fast now; of each the gravest."""
    return [alert for objective in OBJECTIVES for name in KINDS if (alert := _alert(ledger, objective, name))]


KINDS = ("availability", "errors", "latency")


def _alert(ledger: Ledger, objective: Objective, kind: str) -> Alert | None:
    for rule in RULES:
        rates = []
        for seconds in (rule.long, rule.short):
            good, bad, least = _judged(ledger.counts(objective.service, seconds), objective)[kind]
            rate = _burn(good, bad, least)
            rates.append(rate if rate is not None and bad >= LEAST_BAD else 0.0)
        if min(rates) >= rule.burn:
            return Alert(objective.service, kind, rule.severity, round(rates[0], 1))
    return None


def _service(ledger: Ledger, objective: Objective) -> Service:
    windows = {}
    for name, seconds in WINDOWS.items():
        counts = ledger.counts(objective.service, seconds)
        measures = {kind: _measure(*judged) for kind, judged in _judged(counts, objective).items()}
        windows[name] = Window(**measures, calls=counts.calls)
    return Service(objective.service, objective.within_ms, windows)


def _judged(counts: Counts, objective: Objective) -> dict[str, tuple[int, int, float]]:
    """Of each kind: how many were good, how many bad, and the least share that must be good."""
    return {
        "availability": (counts.found, counts.probes - counts.found, objective.availability),
        "errors": (counts.calls - counts.failed, counts.failed, 1 - objective.errors),
        "latency": (counts.calls - counts.slow, counts.slow, objective.quantile),
    }


def _measure(good: int, bad: int, least: float) -> Measure:
    burn = _burn(good, bad, least)
    if burn is None:
        return Measure(round(least, 6), None, None, None, None)
    share = good / (good + bad)
    return Measure(round(least, 6), round(share, 6), share >= least, round(1 - burn, 3), round(burn, 3))


def _burn(good: int, bad: int, least: float) -> float | None:
    return bad / (good + bad) / (1 - least) if good + bad else None
