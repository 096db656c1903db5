"""What a month of DynamoDB costs, from the units that each operation was measured to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.dynamodb_units import Units, added
from miyabi.cost.prices import HOURS, prices_of

PRICES = prices_of("us-east-1")
"""Those of ``miyabi cost``, with their date and source."""
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
        return (self.writes * PRICES.write_million + self.reads * PRICES.read_million) / 1e6

    @property
    def provisioned(self) -> float:
        """5 and 5 of each table and each index, used or not, without the free tier (25 and 25 of them)."""
        return PROVISIONED * TABLES_AND_INDEXES * HOURS * (PRICES.write_unit_hour + PRICES.read_unit_hour)


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
