"""The design that the project set out from, at today's prices: functions that leave their subnets by a NAT gateway.

Its own figure is $57 a month for the reference load, $32.85 of it for the NAT gateway.
"""

from __future__ import annotations

from miyabi.cost import parts
from miyabi.cost.bill import Bill, Item
from miyabi.cost.load import Load
from miyabi.cost.prices import HOURS, Prices

MEMORY_GB = 0.25
UNITS = 5
DAYS = 30
ASSUMED = (
    "5 read and 5 write units are counted once. An index needs units of its own: 5 and 5 for each of two tables "
    "and three indexes would be $11.39 more in us-east-1.",
    "The functions read logs and DynamoDB through the NAT gateway, which has one public IPv4 address.",
    "The page alone comes from CloudFront; the API answers browsers itself.",
    "No dashboard, no alarm, no traces.",
)


def bill(load: Load, prices: Prices) -> Bill:
    """Raises nothing: each region has a price of its node."""
    return Bill(
        (
            *parts.page(load, prices),
            *parts.rest(load, prices),
            Item("API gateway", "data out to the internet", load.answers_gb, "GB", prices.out_gb, "out GB"),
            *parts.sign_in(load, prices),
            *parts.function("Task API", "Lambda", load.requests, load.task_ms / 1e3, MEMORY_GB, prices),
            *parts.function("Progress collector", "Lambda", load.runs, load.run_ms / 1e3, MEMORY_GB, prices),
            *parts.redis(load, prices, "cache.t4g.micro", 1),
            *parts.units(UNITS, UNITS, prices),
            *parts.stored(load, prices),
            *parts.logs(load, prices, DAYS),
            *_nat(load, prices),
        )
    )


def _nat(load: Load, prices: Prices) -> list[Item]:
    through = load.log_gb + load.database_gb
    return [
        Item("Network", "NAT gateway", HOURS, "h", prices.nat_hour),
        Item("Network", "NAT gateway, data", through, "GB", prices.nat_gb),
        Item("Network", "public IPv4 address of it", HOURS, "h", prices.ipv4_hour),
    ]
