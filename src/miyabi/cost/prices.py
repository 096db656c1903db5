"""The table of AWS's list prices, by region."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct, convert

HOURS = 730
"""Of a month, as AWS's own examples count it (365 × 24 / 12)."""
SECONDS = HOURS * 3600
BASE = "us-east-1"


class UnknownPrice(ValueError):
    """The table has no price for this; the message names those it has."""


class Prices(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars in one region; the unit ends each name, and ``prices.toml`` says of what."""

    region: str
    date: str
    source: str
    place: str
    rough: tuple[str, ...] = ()
    """Which of these are known to a few percent only."""
    nat_hour: float
    nat_gb: float
    ipv4_hour: float
    endpoint_hour: float
    endpoint_gb: float
    zone_gb: float
    out_gb: float
    rest_million: tuple[float, float, float]
    cdn_million: float
    cdn_gb: float
    cdn_function_million: float
    s3_gb: float
    s3_get_million: float
    lambda_million: float
    lambda_gb_second: float
    lambda_kept_gb_second: float
    lambda_kept_run_gb_second: float
    lambda_snapshot_gb_second: float
    lambda_restore_gb: float
    read_unit_hour: float
    write_unit_hour: float
    read_million: float
    write_million: float
    table_gb: float
    recovery_gb: float
    log_gb: float
    log_kept_gb: float
    insights_gb: float
    metric: float
    alarm_metric: float
    composite: float
    dashboard: float
    traces_million: float
    user: float
    key: float
    cache_hour: dict[str, float]

    def cache_node(self, kind: str) -> float:
        """Dollars an hour; raises :class:`UnknownPrice`."""
        if kind not in self.cache_hour:
            known = ", ".join(self.cache_hour)
            raise UnknownPrice(f"cache_node_type: no price of `{kind}` in {self.region} is known; there is {known}.")
        return self.cache_hour[kind]


def regions() -> tuple[str, ...]:
    """Those that the table has, in its order."""
    return tuple(_table()["regions"])


def prices_of(region: str) -> Prices:
    """Raises :class:`UnknownPrice` naming the regions that are known."""
    table = _table()
    if region not in table["regions"]:
        raise UnknownPrice(f"No prices of region `{region}` are known; choose one of {', '.join(regions())}.")
    values = {**table["regions"][BASE], **table["regions"][region]}
    return convert({**values, "region": region, "date": table["date"], "source": table["source"]}, Prices)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("prices.toml").read_text("utf-8"))
