"""What a month of DynamoDB costs, from the units that each operation was measured to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.dynamodb_units import Units, added

HOURS = 730
"""Of a month, as AWS counts it in its examples."""
WRITE_MILLION, READ_MILLION = 0.625, 0.125
WRITE_HOUR, READ_HOUR = 0.00065, 0.00013
"""Dollars, us-east-1, https://aws.amazon.com/dynamodb/pricing/: on demand as since 2024-11-01; read in 2025-11."""
PROVISIONED = 5
TABLES_AND_INDEXES = 5
REQUESTS, RUNS, TASKS = 1_000_000, 100_000, 1_000
"""The reference load of a month: requests of the API, runs of the collector; and the tasks these are of."""
MISSES = 0.1
"""Share of requests that the cache does not answer."""


class Month(NamedTuple):
    """Units of a month and dollars either way."""

    writes: float
    reads: float

    @property
    def on_demand(self) -> float:
        """By the request."""
        return (self.writes * WRITE_MILLION + self.reads * READ_MILLION) / 1e6

    @property
    def provisioned(self) -> float:
        """5 and 5 of each table and each index, used or not, without the free tier (25 and 25 of them)."""
        return PROVISIONED * TABLES_AND_INDEXES * HOURS * (WRITE_HOUR + READ_HOUR)


def month(units: Mapping[str, Units]) -> Month:
    """The reference load: each run gets its task and saves progress, each miss is a list of 50 of all tasks."""
    writes = {"progress, the version before kept": RUNS, "create": TASKS, "final": TASKS}
    reads = {"get": RUNS, "50 of all tasks": REQUESTS * MISSES}
    return Month(*(sum(_total(units[name]) * times for name, times in of.items()) for of in (writes, reads)))


def carried(units: Units) -> float:
    """How many a second 5 units of each table and each index carry: the scarcest decides."""
    return min(PROVISIONED / amount for amount in units.values() if amount)


def _total(units: Units) -> float:
    return sum(added([units]).values())
