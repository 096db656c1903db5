"""Amounts times prices, with and without what AWS gives every account for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from msgspec import Struct

Service = Literal[
    "Web UI", "API gateway", "Task API", "Progress collector", "Cache", "Database", "Logging", "Network", "Operations"
]
SERVICES: tuple[Service, ...] = get_args(Service)
BEYOND: Service = "Operations"
"""What the specified design has not: it is left out where both are compared."""
ALWAYS_FREE = {
    "lambda requests": 1e6,
    "lambda GB-s": 400_000.0,
    "cdn requests": 1e7,
    "cdn GB": 1024.0,
    "cdn functions": 2e6,
    "out GB": 100.0,
    "table GB": 25.0,
    "read units": 25.0 * 730,
    "write units": 25.0 * 730,
    "log GB": 5.0,
    "metrics": 10.0,
    "alarm metrics": 10.0,
    "dashboards": 3.0,
    "traces": 1e5,
    "users": 10_000.0,
}
"""Each month, for each account, with no end (https://aws.amazon.com/free); all that runs in the account shares it."""


class Item(Struct, frozen=True):
    """One line of the bill: ``amount`` of ``unit`` at ``price`` dollars each."""

    service: Service
    what: str
    amount: float
    unit: str
    price: float
    free: str | None = None
    """The allowance in :data:`ALWAYS_FREE` that it is taken from."""

    @property
    def dollars(self) -> float:
        return self.amount * self.price


class Bill(Struct, frozen=True):
    items: tuple[Item, ...]

    @property
    def total(self) -> float:
        """Dollars a month, at list prices."""
        return sum(item.dollars for item in self.items)

    @property
    def comparable(self) -> float:
        """Of the seven services and the network: what both designs have."""
        return sum(item.dollars for item in self.items if item.service != BEYOND)

    def of(self, service: Service) -> float:
        return sum(item.dollars for item in self.items if item.service == service)

    def with_free_tier(self) -> Bill:
        """What is left to pay when nothing else in the account uses its allowances."""
        left = dict(ALWAYS_FREE)
        return Bill(tuple(_less(item, left) for item in self.items))


def millions(service: Service, what: str, amount: float, price: float, free: str | None = None, unit: str = "") -> Item:
    """``price`` is that of a million."""
    return Item(service, what, amount, unit or "requests", price / 1e6, free)


def tiered(service: Service, what: str, amount: float, unit: str, tiers: Sequence[tuple[float, float]]) -> list[Item]:
    """One item for each tier that is reached; ``tiers`` are (how many at this price, price), the last without end."""
    items, left = [], amount
    for size, price in tiers:
        taken = min(left, size)
        if taken > 0:
            items.append(Item(service, what, taken, unit, price))
        left -= taken
    return items


def _less(item: Item, left: dict[str, float]) -> Item:
    """``item`` without what ``left`` still has for it, which is taken from there."""
    if item.free is None:
        return item
    given = min(item.amount, left[item.free])
    left[item.free] -= given
    return Item(item.service, item.what, item.amount - given, item.unit, item.price, item.free)
