"""Items that both designs have, for their own settings."""

from __future__ import annotations

from miyabi.cost.bill import Item, Service, millions, tiered
from miyabi.cost.load import REQUESTS_PER_PAGE, Load
from miyabi.cost.prices import HOURS, Prices

ASSETS_GB = 0.01
"""The built page in S3, with a few versions before it."""
AUTHORIZED_AFRESH = 0.05
"""Share of requests that the authorizer sees: its answer is kept for 5 minutes for each token."""
AUTHORIZER_GB, AUTHORIZER_SECONDS = 0.25, 0.02
ACROSS_ZONES = 0.5
"""The functions are in two zones, the cache's node in one of them."""
CACHED_KB = 4.0
"""Between the task API and the cache for a request."""


def page(load: Load, prices: Prices) -> list[Item]:
    """Service 1, without requests to the API."""
    asked = load.page_loads * REQUESTS_PER_PAGE
    return [
        millions("Web UI", "CloudFront, HTTPS: the page", asked, prices.cdn_million, "cdn requests"),
        Item("Web UI", "CloudFront, data out: the page", load.page_gb, "GB", prices.cdn_gb, "cdn GB"),
        Item("Web UI", "S3, storage", ASSETS_GB, "GB", prices.s3_gb),
        millions("Web UI", "S3, GET by CloudFront", asked, prices.s3_get_million),
    ]


def rest(load: Load, prices: Prices) -> list[Item]:
    """Service 2: requests through a REST API."""
    sizes = (333e6, 667e6, float("inf"))
    tiers = [(size, price / 1e6) for size, price in zip(sizes, prices.rest_million, strict=True)]
    return tiered("API gateway", "API Gateway, REST", load.requests, "requests", tiers)


def sign_in(load: Load, prices: Prices, issuer: str | None = None) -> list[Item]:
    """The authorizer, and Cognito when no ``issuer`` is given."""
    afresh = load.requests * AUTHORIZED_AFRESH
    items = function("API gateway", "Lambda authorizer", afresh, AUTHORIZER_SECONDS, AUTHORIZER_GB, prices)
    if issuer is None:
        items.append(Item("API gateway", "Cognito, active users", load.users, "users", prices.user, "users"))
    return items


def function(service: Service, what: str, calls: float, seconds: float, gb: float, prices: Prices) -> list[Item]:
    """Requests and GB-seconds of a function (arm64)."""
    used = calls * seconds * gb
    return [
        millions(service, f"{what}, requests", calls, prices.lambda_million, "lambda requests"),
        Item(service, f"{what}, duration", used, "GB-s", prices.lambda_gb_second, "lambda GB-s"),
    ]


def redis(load: Load, prices: Prices, kind: str, nodes: int) -> list[Item]:
    """Service 5, with the metric that tells when it is down."""
    crossing = load.requests * CACHED_KB * ACROSS_ZONES / 1e6
    return [
        Item("Cache", f"ElastiCache, {nodes} × {kind}", nodes * HOURS, "h", prices.cache_node(kind)),
        Item("Cache", "traffic between zones", crossing, "GB", prices.zone_gb),
        Item("Cache", "RedisConnectionFailures", 1, "metric", prices.metric, "metrics"),
    ]


def units(read: float, write: float, prices: Prices) -> list[Item]:
    """Provisioned capacity of DynamoDB, all tables and indexes together."""
    return [
        Item("Database", "DynamoDB, read units", read * HOURS, "unit-h", prices.read_unit_hour, "read units"),
        Item("Database", "DynamoDB, write units", write * HOURS, "unit-h", prices.write_unit_hour, "write units"),
    ]


def stored(load: Load, prices: Prices) -> list[Item]:
    """What lies in the tables, and its backup for each moment."""
    return [
        Item("Database", "DynamoDB, storage", load.stored_gb, "GB", prices.table_gb, "table GB"),
        Item("Database", "DynamoDB, point-in-time recovery", load.stored_gb, "GB", prices.recovery_gb),
    ]


def logs(load: Load, prices: Prices, days: int) -> list[Item]:
    """Service 7. Storage is counted uncompressed, and Logs Insights reads each line once."""
    kept = load.log_gb * days / 30
    return [
        Item("Logging", "CloudWatch Logs, ingestion", load.log_gb, "GB", prices.log_gb, "log GB"),
        Item("Logging", f"CloudWatch Logs, storage, {days} days", kept, "GB", prices.log_kept_gb, "log GB"),
        Item("Logging", "Logs Insights, data scanned", load.log_gb, "GB", prices.insights_gb, "log GB"),
    ]
