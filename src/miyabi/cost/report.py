"""Bills side by side, at scale, and by region: what ``miyabi cost`` prints and ``--json`` writes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from miyabi.cost import ours, specified
from miyabi.cost.bill import SERVICES, Bill
from miyabi.cost.load import Load
from miyabi.cost.prices import Prices, UnknownPrice, prices_of, regions
from miyabi.cost.scale import STEPS, Change, step
from miyabi.deployment import Deployment

Design = Literal["specified", "ours"]
CENT = 2
EXCLUDED = (
    "tax and support",
    "logs that other accounts read",
    "what the jobs themselves cost",
    "CDK's bucket of assets (some cents)",
    "restored tables",
)
"""What no figure contains."""


class View(Struct, frozen=True, kw_only=True):
    """What the bills are made from. With ``free_tier`` each is less what AWS gives every account."""

    load: Load
    settings: Deployment
    prices: Prices
    watch: ours.Watch
    free_tier: bool = False


class Line(Struct, frozen=True):
    """An item; ``dollars`` is ``amount`` × ``price``."""

    service: str
    what: str
    amount: float
    unit: str
    price: float
    dollars: float


class Column(Struct, frozen=True):
    """One design's bill, in dollars a month. ``comparable`` is without ``Operations``, which only ours has."""

    design: Design
    comparable: float
    total: float
    total_with_free_tier: float
    services: dict[str, float]
    items: list[Line]


class Step(Struct, frozen=True):
    """The bill of a larger load with the settings it needs. ``before`` of the settings is the deployment's."""

    factor: int
    requests: float
    peak_requests: float
    total: float
    per_million: float
    changes: tuple[Change, ...]
    quotas: tuple[str, ...]


class Region(Struct, frozen=True):
    region: str
    place: str
    specified: float
    ours: float
    total: float
    rough: tuple[str, ...]


Found = dict[Design, Column] | list[Step] | list[Region]


def columns(view: View) -> dict[Design, Column]:
    """Both designs for the same load."""
    return {"specified": _column("specified", view), "ours": _column("ours", view)}


def steps(view: View) -> list[Step]:
    """The load as it is, then 10, 100, 1000 times as much."""
    return [_step(factor, view) for factor in (1, *STEPS)]


def by_region(view: View) -> list[Region]:
    """Each region that has a price of the settings' cache node."""
    found = []
    for name in regions():
        there = replace(view, prices=prices_of(name))
        try:
            mine = _paid(_bill("ours", there), there)
        except UnknownPrice:
            continue
        theirs, rough = _paid(_bill("specified", there), there), there.prices.rough
        found.append(Region(name, there.prices.place, theirs.comparable, mine.comparable, mine.total, rough))
    return found


def _bill(design: Design, view: View) -> Bill:
    if design == "specified":
        return specified.bill(view.load, view.prices)
    return ours.bill(view.load, view.settings, view.prices, view.watch)


def _paid(bill: Bill, view: View) -> Bill:
    return bill.with_free_tier() if view.free_tier else bill


def _column(design: Design, view: View) -> Column:
    full = _bill(design, view)
    bill = _paid(full, view)
    return Column(
        design,
        round(bill.comparable, CENT),
        round(bill.total, CENT),
        round(full.with_free_tier().total, CENT),
        {service: round(bill.of(service), CENT) for service in SERVICES},
        [Line(i.service, i.what, i.amount, i.unit, i.price, round(i.dollars, 4)) for i in bill.items],
    )


def _step(factor: int, view: View) -> Step:
    found = step(factor, view.load, view.settings)
    bill = _paid(ours.bill(found.load, found.settings, view.prices, view.watch), view)
    requests = found.load.requests
    return Step(
        factor,
        requests,
        found.load.peak_requests,
        round(bill.total, CENT),
        round(bill.total / requests * 1e6, CENT),
        found.changes,
        found.quotas,
    )
