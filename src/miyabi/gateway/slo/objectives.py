"""What each service is measured against."""

from __future__ import annotations

from msgspec import Struct


class Objective(Struct, frozen=True):
    """A service's objective. Shares are of 1: 0.999 is 99.9 %."""

    service: str
    availability: float
    """The share of probes that find it."""
    errors: float
    """The share of calls that may fail."""
    within_ms: float
    """How long a call may take, in milliseconds,"""
    quantile: float = 0.95
    """and the share of calls that must be as fast."""


OBJECTIVES = (
    Objective("webui", 0.9999, 0.0001, 100),
    Objective("gateway", 0.9995, 0.001, 50),
    Objective("tasks", 0.999, 0.005, 100),
    Objective("collector", 0.995, 0.01, 500),
    Objective("cache", 0.999, 0.001, 1, 0.99),
    Objective("database", 0.9999, 0.0001, 10, 0.99),
)
"""The gateway's time is that of its own work, before it hands a request on."""
BY_SERVICE = {objective.service: objective for objective in OBJECTIVES}
