"""The figures as JSON, and the same for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from miyabi.gateway.slo.ledger import Ledger
from miyabi.gateway.slo.report import KINDS, Measure, report


def encoded(ledger: Ledger) -> bytes:
    """What ``GET /api/slo`` answers."""
    return msgspec.json.encode(report(ledger))


class Gauges(Collector):
    """The figures as Prometheus collects them, with ``service``, ``objective`` and ``window`` as labels."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Four gauges; a figure that was not measured is left out."""
        labels = ["service", "objective", "window"]
        measured = GaugeMetricFamily("miyabi_slo_good_ratio", "Share that was good", labels=labels)
        left = GaugeMetricFamily(
            "miyabi_slo_budget_left_ratio", "Share of the error budget that is left", labels=labels
        )
        burn = GaugeMetricFamily("miyabi_slo_burn_rate", "1 uses the budget up by the end of the window", labels=labels)
        alert = GaugeMetricFamily("miyabi_slo_alert", "A budget burns too fast", labels=[*labels[:2], "severity"])
        found = report(self._ledger)
        for service in found.services:
            for name, window in service.windows.items():
                for kind in KINDS:
                    measure: Measure = getattr(window, kind)
                    if measure.measured is None or measure.budget_left is None or measure.burn_rate is None:
                        continue
                    values = [service.service, kind, name]
                    measured.add_metric(values, measure.measured)
                    left.add_metric(values, measure.budget_left)
                    burn.add_metric(values, measure.burn_rate)
        for one in found.alerts:
            alert.add_metric([one.service, one.objective, one.severity], 1)
        yield from (measured, left, burn, alert)


def publish(ledger: Ledger, registry: CollectorRegistry = REGISTRY) -> None:
    """Add the figures to what ``GET /metrics`` answers."""
    registry.register(Gauges(ledger))
